"""The database server: what it is, how large the database has grown, and what time it thinks it is."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, timedelta

from portal import clock, db

SIZE = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
SERVER = "SELECT pg_database_size(current_database()), current_setting('server_version'), clock_timestamp() AT TIME ZONE 'UTC'"


@dataclass(frozen=True, slots=True)
class Server:
    """The database.

    size     in bytes
    ahead    how far its clock is ahead of this machine's, negative where it is behind; zero for a file on this machine
    pending  the migrations it lacks
    """

    name: str
    size: int
    ahead: timedelta
    pending: list[str]


def server() -> Server:
    if db.is_sqlite():
        [(size,)] = db.database.execute_sql(SIZE).fetchall()
        return Server(f"SQLite {sqlite3.sqlite_version}", size, timedelta(0), db.pending())
    [(size, version, time)] = db.database.execute_sql(SERVER).fetchall()
    ahead = time.replace(tzinfo=UTC) - clock.machine()
    return Server(f"PostgreSQL {version.split()[0]}", size, ahead, db.pending())
