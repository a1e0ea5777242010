"""How long it takes until work flows again, one fault at a time: the numbers of the promise.

python -m tests.chaos.recovery --database sqlite
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos import books
from tests.chaos.cluster import Cluster, Pace
from tests.chaos.generator import REASON
from tests.chaos.nemesis import Nemesis
from tests.chaos.people import History, Visitor
from tests.chaos.run import build, database
from tests.processes import eventually

SPEED = 5.0  # slow enough that a second of the machine's is no minute of the portal's
OUTAGE_S = 2.0
TRIES = 5  # of what takes a moment: any one may have to wait for whatever else the machine does, the quickest did not
LIMITS_S = {
    "lost wake-up": 10.0,
    "both workers dead": 10.0,
    "Redis back": 15.0,
    "mail server back (portal's time)": 300.0,
    "unknown, present in Spectrum (portal's time)": 120.0,
    "Accept while Redis hangs, longer than otherwise": 0.5,
}


class Recovery:
    """Measures in a cluster in which nothing else goes wrong. Each measure takes a change order of its own from `ids`."""

    def __init__(self, cluster: Cluster, ids: list[int], history: History) -> None:
        self.cluster, self.ids = cluster, list(ids)
        self.nemesis = Nemesis(cluster, seed=1, kills=0)
        self.ana = Visitor(cluster.url, "ana", history, threading.Event())
        self.took = 0.0  # seconds of the last Accept

    def measure(self) -> dict[str, float]:
        self.until_exported(self.accept())  # everything is warm
        return {name: round(measure(self), 2) for name, measure in MEASURES.items()}

    def accept(self) -> int:
        id = self.ids.pop()
        form = self.ana.form(f"/change-orders/{id}/acceptance")
        assert form
        started = time.monotonic()
        assert self.ana.press("accept", id, f"/change-orders/{id}/acceptance", **form) == 200
        self.took = time.monotonic() - started
        return id

    def until_exported(self, id: int) -> float:
        """Seconds from now until it is exported."""
        started = time.monotonic()
        eventually(lambda: self.ask("SELECT 1 FROM change_order WHERE status = 'exported' AND id = ?", id))
        return time.monotonic() - started

    def ask(self, sql: str, *values: object) -> list[Any]:
        with books.reading(self.cluster.database_url) as connection:
            mark = "?" if self.cluster.database_url.startswith("sqlite") else "%s"
            return list(connection.execute(sql.replace("?", mark), values).fetchall())

    def lost_wake_up(self) -> float:
        self.nemesis.arm("wake.before", "kill", 1)
        id = self.accept()
        eventually(lambda: not (self.nemesis.points / "wake.before").exists())
        return self.until_exported(id)

    def workers_dead(self) -> float:
        for name in ("exports.1", "exports.2"):
            self.nemesis.kill_group(name)
        return self.until_exported(self.accept())

    def redis_back(self) -> float:
        self.cluster.resting.add("valkey")
        self.nemesis.kill_any("valkey")
        id = self.accept()
        time.sleep(OUTAGE_S)
        self.cluster.resting.clear()
        return self.until_exported(id)

    def mail_back(self) -> float:
        mails = self.cluster.folder / "mails.jsonl"
        self.cluster.resting.add("sink")
        self.nemesis.kill_any("sink")
        id = self.ids.pop()
        form = self.ana.form(f"/change-orders/{id}/rejection")
        assert form
        assert self.ana.press("reject", id, f"/change-orders/{id}/rejection", reason=REASON, version=form["version"]) == 200
        eventually(lambda: self.ask("SELECT 1 FROM dispatch WHERE task = 'rejected' AND tries > 0 AND error <> ''"))
        self.cluster.resting.clear()
        started = time.monotonic()
        eventually(lambda: mails.exists() and "sent back" in mails.read_text())
        return (time.monotonic() - started) * SPEED

    def unknown_but_present(self) -> float:
        """In the portal's time, by its own events."""
        self.cluster.set_faults([{"fault": "commit_then_reset", "method": "ARChangeRequest", "nth": 1}])
        id = self.accept()
        self.until_exported(id)
        sql = "SELECT at FROM event WHERE subject = 'change_order' AND ref = ? AND seq >= ({}) ORDER BY seq"
        since = "SELECT seq FROM event WHERE ref = ? AND action = 'outcome unknown'"
        unknown, *_, exported = (moment(at) for (at,) in self.ask(sql.format(since), id, id))
        return (exported - unknown).total_seconds()

    def redis_hangs(self) -> float:
        valkey, otherwise = self.cluster.members["valkey"].pid, self.quickest_accept()
        os.kill(valkey, signal.SIGSTOP)
        hanging = self.quickest_accept()
        os.kill(valkey, signal.SIGCONT)
        eventually(lambda: not self.ask("SELECT 1 FROM change_order WHERE status IN ('queued', 'exporting')"))
        return hanging - otherwise

    def quickest_accept(self) -> float:
        """Seconds until the answer to the press of the button."""
        return min(self.took for _ in range(TRIES) if self.accept())


MEASURES: dict[str, Callable[[Recovery], float]] = dict(
    zip(
        LIMITS_S,
        (
            Recovery.lost_wake_up,
            Recovery.workers_dead,
            Recovery.redis_back,
            Recovery.mail_back,
            Recovery.unknown_but_present,
            Recovery.redis_hangs,
        ),
        strict=True,
    )
)


def moment(value: Any) -> datetime:
    """SQLite gives text, PostgreSQL a datetime."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def rehearse(folder: Path, database_url: str) -> dict[str, float]:
    """The times, by fault, in seconds."""
    ids = build(database_url, len(MEASURES) + 2 * TRIES, seed=1, recall_s=0)
    with Cluster(folder, database_url, len(ids), Pace(SPEED)) as cluster:
        history = History(folder / "history.jsonl")
        try:
            return Recovery(cluster, ids, history).measure()
        finally:
            history.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recovery", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    kind = parser.parse_args(arguments).database
    with tempfile.TemporaryDirectory(prefix="recovery-", dir="/tmp") as name, database(kind, Path(name)) as url:
        times = rehearse(Path(name), url)
    print(json.dumps(times, indent=1))
    return int(any(times[name] > limit for name, limit in LIMITS_S.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
