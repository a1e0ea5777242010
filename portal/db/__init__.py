"""The database: one URL (SQLite or PostgreSQL), the base model, field types, and the write transaction."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import peewee
import structlog
from playhouse import db_url, migrations
from playhouse.pool import PooledDatabase

from portal import failpoints
from portal.db.errors import AWAY, BUSY, ERRORS, Away, Replaced, explained
from portal.db.errors import Busy as Busy  # told by every write, and known to its callers from here
from portal.db.fields import ExactField as ExactField  # known to models from here, with the next ones
from portal.db.fields import MoneyField as MoneyField
from portal.db.fields import UtcField as UtcField
from portal.db.fields import cents as cents
from portal.db.file import File
from portal.db.sqlite import Connection

database = peewee.DatabaseProxy()
MIGRATIONS = Path(__file__).parents[1] / "migrations"

# Threads of one process queue here: SQLite's own waiting is a polling loop without order, with a tail of seconds.
_writers = threading.RLock()

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "cache_size": -16_000, "temp_store": "memory"}
BUSY_TIMEOUT_S = 10
KEPT_CACHE_KB = 1_000  # of each connection that a thread of the web server keeps: a page needs less
# Without jit: compiling a statement of many parts takes seconds wherever the planner thinks too much of its cost.
POSTGRES_OPTIONS = "-c statement_timeout=15s -c lock_timeout=5s -c timezone=UTC -c jit=off"
POSTGRES_PATIENCE = {"connect_timeout": 10, "tcp_user_timeout": 30_000}  # s and ms: a host that is gone answers nothing at all
# Each thread uses one, so that their number bounds the pool. It asks a connection for a sign of life before it lends it again.
POSTGRES_POOL = {"max_connections": None, "stale_timeout": 600}  # s: so that a proxy or a new primary gets its share

_file: File | None = None  # of the SQLite database; PostgreSQL looks after its own
log = structlog.get_logger()


class Model(peewee.Model):
    """Base of all tables; names are the class names in snake case."""

    id: Any  # peewee gives every table its key; said here for the type checker

    class Meta:
        database = database
        legacy_table_names = False


def init(url: str) -> None:
    """Point the models at the database behind `url`. Opens no connection."""
    global _file
    _file = None
    if url.startswith("sqlite"):
        database.initialize(db_url.connect(url, lock_type="IMMEDIATE", pragmas=SQLITE_PRAGMAS, timeout=BUSY_TIMEOUT_S, factory=Connection))
        _file = File(database.obj.database)
    else:
        kind, _, place = url.partition("://")
        database.initialize(db_url.connect(f"{kind}+pool://{place}", options=POSTGRES_OPTIONS, **POSTGRES_PATIENCE, **POSTGRES_POOL))


def _begin_own_pool() -> None:
    """A connection serves one process: what a forked one inherits stays with its parent."""
    if isinstance(database.obj, PooledDatabase):
        database.obj.dispose()


os.register_at_fork(after_in_child=_begin_own_pool)


@contextmanager
def elsewhere(url: str) -> Iterator[None]:
    """The models know another database for as long as the block lasts, say a copy. For a process of one thread."""
    global _file
    before, file = database.obj, _file
    init(url)
    try:
        yield
    finally:
        database.initialize(before)
        _file = file


@contextmanager
def transaction(*, waits: bool = True) -> Iterator[None]:
    """All or nothing. Nested uses join the outer one. `waits` False, for an outermost one: gives up at once while someone else writes.

    Raises Busy when another writer holds the database too long; one of its kinds, which are busy for good, when its disk is full,
    its file was replaced, it is read-only, not migrated, or cannot be reached.
    """
    with _write_lock(BUSY_TIMEOUT_S if waits else 0) if is_sqlite() else nullcontext():
        ensure_in_place()
        try:
            with nullcontext() if waits else _impatience(), database.atomic():
                if not (waits or is_sqlite()):
                    database.execute_sql("SET LOCAL lock_timeout = '1ms'")
                if _file and (fault := _file.fault_of_log()):
                    raise _replaced(fault)
                yield
        except ERRORS as error:
            if told := explained(error, sqlite=is_sqlite()):
                raise told from error
            raise


@contextmanager
def _impatience() -> Iterator[None]:
    """SQLite's own waiting for other processes is a property of the connection."""
    if not is_sqlite():
        yield
        return
    database.execute_sql("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        database.pragma("busy_timeout", int(BUSY_TIMEOUT_S * 1000))


def ensure_in_place() -> None:
    """Raises Replaced when the file of the database is not the one this process began with."""
    if _file and (fault := _file.fault()):
        raise _replaced(fault)


@contextmanager
def _write_lock(patience: float) -> Iterator[None]:
    """One writer of this process at a time. Who waits longer than SQLite itself would is told so too."""
    if not _writers.acquire(timeout=patience):
        raise Busy(BUSY)
    try:
        yield
    finally:
        _writers.release()


def _replaced(fault: str) -> Replaced:
    log.error("database replaced", fault=fault)
    return Replaced(
        f"{fault} Nothing was recorded. An administrator has to stop the portal, see that the right file is there, and start it."
    )


def lock(rows: Any, how: str = "FOR UPDATE") -> None:
    """No one else changes these rows before the transaction ends. Nothing to do on SQLite, where whole transactions wait for each other.

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
            failpoints.hit("migrate.mid")
    return applied


def pending() -> list[str]:
    """The migrations that this version of the portal needs and the database lacks."""
    applied = {name for (name,) in database.execute_sql("SELECT name FROM schema_migration").fetchall()}
    return sorted({file.stem for file in MIGRATIONS.glob("[0-9]*.py")} - applied)


def connect() -> bool:
    """Open a connection, or take the one that an earlier request of this thread released; answers whether the caller is to release it.

    Not one that code around the caller uses. Raises Away.
    """
    try:
        opened = bool(database.connect(reuse_if_open=True))
        if opened and is_sqlite():
            database.pragma("cache_size", -KEPT_CACHE_KB)
        return opened or (is_sqlite() and database.connection().is_kept)
    except ERRORS as error:
        log.error("database not reached", error=str(error))
        raise Away(AWAY) from error


def release() -> None:
    """End the use that a request made of its connection. SQLite's stays open for the thread's next one: opening takes 0.7 ms."""
    if not is_sqlite():
        database.close()
    elif not database.is_closed():
        database.connection().leave_clean()


def watched_file() -> str:
    """The path of the SQLite database while it is the one this process began with; empty otherwise, and for others."""
    return str(_file.path) if _file and _file.path and not _file.fault() else ""


def let_go() -> None:
    """Close a connection that may be broken, to a server that went away: the next use opens another. SQLite's is good for ever."""
    if not is_sqlite() and not database.is_closed():  # asked for the connection itself, a closed database opens one
        database.close()


@contextmanager
def connected() -> Iterator[None]:
    """A connection for as long as the block lasts; the one already open, if there is one."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()
