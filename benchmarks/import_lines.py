"""How long an import of 10,000 rows takes, and how long somebody else who wants to write has to wait meanwhile.

    python benchmarks/import_10000.py [ROWS] [--send]

Prints the seconds, and the longest wait for the write lock that another process met. Ends with status 1 if that was
more than a second.
"""

import multiprocessing
import os
import sqlite3
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from portal import db
from portal.domain.imports import import_run
from portal.domain.people import User
from portal.intake import files, table

LINES = 4  # of each change order


def write(path: Path, rows: int) -> None:
    """A file of `rows` line items over 20 jobs and 200 commitments."""
    with path.open("w", encoding="utf-8") as file:
        print(",".join(table.COLUMNS), file=file)
        for row in range(rows):
            order = row // LINES
            commitment, job = order % 200, order % 20
            number = f"SC-{commitment:03}"
            header = f"J-{job},Job {job},CUST{job},Vendor {commitment},V{commitment},{number},Works,subcontract,,,{number},100.00"
            line = f"03-{row % LINES}0-00,SUB,,Concrete {row},2,CY,{row % 900}.25"
            print(f"{header},{order:05},,Change {order},,Approved,,,,,{line}", file=file)


def wait(path: str, stop: Event, longest: "multiprocessing.Queue[float]") -> None:
    """Another process that writes something every few milliseconds, and remembers its longest wait."""
    connection, worst = sqlite3.connect(path, timeout=10, isolation_level=None), 0.0
    while not stop.is_set():
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        worst = max(worst, time.perf_counter() - began)
        connection.execute("UPDATE heartbeat SET at = at")
        connection.execute("COMMIT")
        time.sleep(0.005)
    longest.put(worst)


def measure(folder: Path, rows: int, *, send: bool) -> tuple[float, float]:
    """Seconds of the import, and the longest wait of another writer."""
    path, source = str(folder / "portal.db"), folder / "rows.csv"
    write(source, rows)
    db.init(f"sqlite:///{path}")
    stop, longest = multiprocessing.Event(), multiprocessing.Queue()  # type: ignore[var-annotated]
    with db.connected():
        db.migrate()
        sender = User.create(email="dee@example.test", handle="dee@example.test", name="Dee Sørensen") if send else None
        other = multiprocessing.Process(target=wait, args=(path, stop, longest))
        other.start()
        began = time.perf_counter()
        reading = files.read(source)
        found = import_run.prepare(reading.entries, reading.problems)
        with import_run.alone() as run:
            summary = run.complete(run.stage(found, source.name, reading.sha256, sender, lambda *_: None), lambda *_: None)
        seconds = time.perf_counter() - began
        stop.set()
        worst = longest.get()
        other.join()
    if sum(summary.counts.values()) != len(found) or summary.sent != (len(found) if send else 0):
        raise SystemExit(f"The import went wrong: {summary.counts}, {summary.sent} sent. {summary.not_sent[:3]}")
    return seconds, worst


if __name__ == "__main__":
    rows = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 10_000)
    with tempfile.TemporaryDirectory() as folder:
        seconds, worst = measure(Path(folder), rows, send="--send" in sys.argv)
    print(f"{rows:,} rows in {seconds:.1f} s; longest wait of another writer {worst:.2f} s ({os.cpu_count()} cores)")
    sys.exit(worst > 1)
