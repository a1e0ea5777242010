"""The database: one URL (SQLite or PostgreSQL), the base model, field types, and the write transaction."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import peewee
import structlog
from playhouse import db_url, migrations

from portal import rehearsal
from portal.whereabouts import File

database = peewee.DatabaseProxy()
MIGRATIONS = Path(__file__).parent / "migrations"

# Threads of one process queue here: SQLite's own waiting is a polling loop without order, with a tail of seconds.
_writers = threading.RLock()

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "cache_size": -16_000, "temp_store": "memory"}
BUSY_TIMEOUT_S = 10
PATIENCE_S = 60.0  # of a write that must not be lost
PAUSE_S = 0.5  # between its tries
POSTGRES_OPTIONS = "-c statement_timeout=15s -c lock_timeout=5s -c timezone=UTC"

BUSY = "The database is busy. Nothing was recorded; try again."

_file: File | None = None  # of the SQLite database; PostgreSQL looks after its own
log = structlog.get_logger()


# SQLite's words, then PostgreSQL's
WAITED_TOO_LONG = ("locked", "busy", "lock timeout", "statement timeout", "deadlock detected", "could not serialize")


class Busy(Exception):
    """The database could not be written for so long that we gave up; nothing was recorded."""


class Full(Busy):
    """The disk of the database is full; nothing was recorded."""


class Replaced(Busy):
    """The database is not the file this process began with; nothing was recorded, nor will be before a restart."""


class Model(peewee.Model):
    """Base of all tables; names are the class names in snake case."""

    id: Any  # peewee gives every table its key; said here for the type checker

    class Meta:
        database = database
        legacy_table_names = False


class MoneyField(peewee.BigIntegerField):
    """US dollars: a Decimal with two places in Python, whole cents in the table."""

    def db_value(self, value: Decimal | None) -> int | None:
        """Cents. Raises ValueError for a fraction of a cent: money is never rounded silently."""
        if value is None:
            return None
        cents = value.scaleb(2)
        if cents != int(cents):
            raise ValueError(f"{value} has a fraction of a cent")
        return int(cents)

    def python_value(self, value: int | None) -> Decimal | None:
        return None if value is None else cents(value)


class UtcField(peewee.DateTimeField):
    """An aware moment in Python, its UTC wall time in the table."""

    def db_value(self, value: datetime | None) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def python_value(self, value: Any) -> datetime | None:
        naive: datetime | None = super().python_value(value)  # type: ignore[no-untyped-call]
        return None if naive is None else naive.replace(tzinfo=UTC)


class ExactField(peewee.CharField):
    """A Decimal of any precision, kept as its text: no column type of SQLite holds one exactly."""

    def db_value(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value:f}"

    def python_value(self, value: str | None) -> Decimal | None:
        return None if value is None else Decimal(value)


def cents(value: int) -> Decimal:
    """A sum that SQL gave in whole cents, as dollars."""
    return Decimal(int(value)).scaleb(-2)


def init(url: str) -> None:
    """Point the models at the database behind `url`. Opens no connection."""
    global _file
    _file = None
    if url.startswith("sqlite"):
        database.initialize(db_url.connect(url, lock_type="IMMEDIATE", pragmas=SQLITE_PRAGMAS, timeout=BUSY_TIMEOUT_S))
        _file = File(database.obj.database)
    else:
        database.initialize(db_url.connect(url, options=POSTGRES_OPTIONS))


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing. Nested uses join the outer one.

    Raises Busy when another writer holds the database too long; Full or Replaced, which are busy for good, when its disk
    is full or its file was replaced.
    """
    with _turn() if is_sqlite() else nullcontext():
        ensure_in_place()
        try:
            with database.atomic():
                if _file and (fault := _file.fault_of_log()):
                    raise _replaced(fault)
                yield
        except peewee.OperationalError as error:
            if told := _told(error):
                raise told from error
            raise


def ensure_in_place() -> None:
    """Raises Replaced when the file of the database is not the one this process began with."""
    if _file and (fault := _file.fault()):
        raise _replaced(fault)


@contextmanager
def _turn() -> Iterator[None]:
    """One writer of this process at a time. Who waits longer than SQLite itself would is told so too."""
    if not _writers.acquire(timeout=BUSY_TIMEOUT_S):
        raise Busy(BUSY)
    try:
        yield
    finally:
        _writers.release()


def _told(error: peewee.OperationalError) -> Busy | None:
    """What the database said, as far as people can do something about it."""
    said = " ".join(_chain(error))  # SQLite itself rolls back on a full disk, and complains when it is told to
    if "is full" in said or "No space left" in said:
        log.error("the disk of the database is full", error=said)
        return Full("The disk of the database is full. Nothing was recorded. An administrator has to make room; then try again.")
    if any(words in said for words in WAITED_TOO_LONG):
        return Busy(BUSY)
    return None


def _chain(error: BaseException | None) -> Iterator[str]:
    while error:
        yield str(error)
        error = error.__context__


def _replaced(fault: str) -> Replaced:
    log.error("database replaced", fault=fault)
    return Replaced(
        f"{fault} Nothing was recorded. An administrator has to stop the portal, see that the right file is there, and start it."
    )


def insist(write: Callable[[], None]) -> None:
    """Write what must not be lost: while the database is busy or away, try again for a minute. Raises what the last try raised."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return write()
        except (Busy, peewee.OperationalError, peewee.InterfaceError) as error:
            if time.monotonic() >= end:
                raise
            log.warning("could not write yet, trying again", error=str(error))
        time.sleep(PAUSE_S)
        _reconnect()


def _reconnect() -> None:
    """A connection to a server that went away never works again; SQLite's is only busy."""
    if not is_sqlite() and database.connection().closed:
        database.close()
        with suppress(peewee.OperationalError):
            database.connect()


def lock(rows: Any, how: str = "FOR UPDATE") -> None:
    """Nobody else changes these rows before the transaction ends. Nothing to do on SQLite, where whole transactions wait for each other.

    `FOR NO KEY UPDATE` lets go on what only refers to the rows, `FOR SHARE` also who wants them to stay as they are too.
    """
    if not is_sqlite():
        list(rows.for_update(how))


def is_sqlite() -> bool:
    return isinstance(database.obj, peewee.SqliteDatabase)


def migrate(tell: Callable[[str], object] = str) -> list[str]:
    """Apply what is pending, each migration in one transaction; tells each name when it is applied, and answers all of them."""
    runner = migrations.Runner(database.obj, str(MIGRATIONS))
    applied: list[str] = []
    for migration in runner.status():
        if not migration.applied:
            for name in runner.up(migration.name):
                tell(name)
                applied.append(name)
            rehearsal.reach("migrate.mid")
    return applied


@contextmanager
def connected() -> Iterator[None]:
    """A connection for as long as the block lasts; the one already open, if there is one."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()
