"""What each view costs, first page and 100 pages deep: processor time of one page, inside the process, by what was known before.

    python -m benchmarks.pages [ROWS ...]        10000 100000 1000000, say

`kept`: nothing was written since; `elsewhere`: something was that the page does not show; `row`: its first row is another; `fresh`: nothing
was rendered before. `asked`: statements of the last one.
"""

import html
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import config
from benchmarks import servers
from benchmarks.serving import machine
from portal import create_app, db
from portal.demo import samples
from portal.domain.review import views
from portal.web import memory

TIMES, DEEP = 15, 100


def main() -> None:
    """Print a table for each size."""
    print(f"ms of processor for a page of 50; {machine()}")
    for count in [int(argument) for argument in sys.argv[1:]] or [10_000]:
        measure(count, servers.rows(count))


def measure(count: int, file: Path) -> None:
    app = create_app(config.load({"DATABASE_URL": f"sqlite:///{file}", "PORTAL_DATA": str(servers.FOLDER), "SECRET_KEY": "measure" * 8}))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"email": "ana@example.test", "password": samples.PASSWORD})
    client.get("/change-orders")  # takes away what the sign-in had to tell
    other = sqlite3.connect(file, isolation_level=None)

    def elsewhere() -> None:
        other.execute("UPDATE session SET browser = hex(randomblob(4)) WHERE id = (SELECT MIN(id) FROM session)")

    def another(row: int) -> None:
        other.execute("UPDATE change_order SET description = hex(randomblob(4)) WHERE id = ?", (row,))

    def forget(row: int) -> None:
        another(row)
        app.extensions[memory.ROWS].results.clear()

    print(f"{count:>9,} {'':<10}{'kept':>8}{'elsewhere':>11}{'row':>8}{'fresh':>8}{'asked':>7}")
    for view in views.VIEWS:
        first = f"/change-orders?view={view.key}"
        for name, address in (("", first), (", deep", deep_in(client.get, first))):
            found = re.search(r'id="change-order-(\d+)"', client.get(address).text)
            row = int(found[1]) if found else 0
            ways = (lambda: None, elsewhere, partial(another, row), partial(forget, row))
            taken = [median(partial(client.get, address), before) for before in ways]
            forget(row)
            statements = asked(partial(client.get, address))
            print(f"{view.key + name:>20}{taken[0]:>8.2f}{taken[1]:>11.1f}{taken[2]:>8.1f}{taken[3]:>8.1f}{statements:>7}")


def deep_in(get: Callable[[str], object], address: str) -> str:
    """The address of the page so many pages on, or of the last one."""
    for _ in range(DEEP):
        found = re.search(r'rel="next" href="([^"]*)"', get(address).text)  # type: ignore[attr-defined]
        if not found:
            return address
        address = html.unescape(found[1])
    return address


def asked(ask: Callable[[], object]) -> int:
    """How many statements it sends."""
    sent: list[object] = []
    db.database.obj.query_hooks = [sent.append]
    ask()
    db.database.obj.query_hooks = []
    return len(sent)


def median(ask: Callable[[], object], before: Callable[[], object]) -> float:
    """Milliseconds of processor, `before` not counted."""
    taken = []
    for _ in range(TIMES):
        before()
        began = time.process_time()
        ask()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
