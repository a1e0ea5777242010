"""A copy of a SQLite database that others go on writing to, by SQLite's own online backup."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from portal.backup import Progress, snapshot
from portal.backup.snapshot import Snapshot

PAGES = 2000  # copied at a time
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def copy(source: Path, out: Path, tell: Progress) -> Snapshot:
    """The whole file as it is at one moment, which an open read transaction holds on to; writers wait for nothing."""
    with closing(sqlite3.connect(source, isolation_level=None)) as here, closing(sqlite3.connect(out)) as there:
        here.execute("BEGIN")
        taken = facts(here)
        here.backup(there, pages=PAGES, progress=lambda _, left, total: tell("Copied", total - left, total))
        return taken


def facts(connection: sqlite3.Connection) -> Snapshot:
    return snapshot.take(lambda sql: connection.execute(sql).fetchall(), [name for (name,) in connection.execute(TABLES)])


def faults(file: Path) -> list[str]:
    """What SQLite itself finds wrong with the file."""
    with closing(sqlite3.connect(file)) as connection:
        try:
            told = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            return [f"The copy of the database is damaged: {error}."]
    found = [f"The copy of the database is damaged: {text}." for text in told[:3]]
    return found + ([f"{len(dangling)} rows of the copy refer to rows that are not there."] if dangling else [])


def sync(path: Path) -> None:
    """To the disk: a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
