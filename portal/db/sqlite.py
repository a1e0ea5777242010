"""Connections to SQLite: those that requests use one after the other, and one that only looks whether anyone wrote."""

import os
import sqlite3
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet


class Connection(sqlite3.Connection):
    """One of a thread, for many requests. A cursor that was not read to its end would hold on to what the database was then."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursors = WeakSet[sqlite3.Cursor]()
        self.is_kept = False  # between two requests

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        cursor: sqlite3.Cursor = super().cursor(*arguments, **options)
        self.cursors.add(cursor)
        return cursor

    def leave_clean(self) -> None:
        """End what is still being read, and a transaction that could not be ended."""
        for cursor in list(self.cursors):
            cursor.close()
        if self.in_transaction:
            self.rollback()
        self.is_kept = True


class Watcher:
    """A connection to SQLite of its own, by which every commit is one of somebody else."""

    def __init__(self) -> None:
        self.place, self.opened = ("", 0), 0
        self._lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None

    def version(self, path: str) -> tuple[int, int] | None:
        """Which opening of which file, and a number that changes with every commit; None where that cannot be told now."""
        with self._lock, suppress(sqlite3.Error):
            if (path, os.getpid()) != self.place or self.connection is None:  # never one from before a fork
                self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0)
                self.place, self.opened = (path, os.getpid()), self.opened + 1
            (version,) = self.connection.execute("PRAGMA data_version").fetchone()
            return self.opened, version
        self.connection = None  # an error may have broken it
        return None
