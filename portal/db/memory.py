"""What was read and worked out from the database is kept in memory for as long as no one writes to the database.

Whether anyone wrote is asked of the database itself, so that nothing that a result depends on can be forgotten: SQLite counts the
commits of others on each connection and the changes of its own; PostgreSQL tells which transactions are visible. Another process
counts like this one. Time is watched: a result is kept until a moment passes that it depends on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from portal import clock
from portal.db import database, is_sqlite, watched_file
from portal.db.sqlite import Watcher

MOST = 16  # results; a page of fifty rows takes about 300 kB
ATOMS = {str, int, bool, float, type(None), datetime, date, timedelta, ZoneInfo, frozenset}
Value = TypeVar("Value")


class Stale(AssertionError):
    """A result from memory was not what it would be now."""


@dataclass(frozen=True, slots=True)
class Result:
    """A value, when it was worked out, and when it will be another."""

    value: Any
    since: datetime
    until: datetime

    @property
    def holds(self) -> bool:
        return self.since <= clock.present() < self.until


class Memory:
    """Results by key, at most so many; what depends on the database holds since it was as `stamp` says."""

    def __init__(self, stamp: object = None, most: int = MOST) -> None:
        self.stamp, self.most = stamp, most
        self.results: OrderedDict[Hashable, Result] = OrderedDict()

    def get(self, key: Hashable, work: Callable[[], Value]) -> Value:
        """The result of `work`, which depends on the stamp, the key and watched time alone."""
        kept = self.results.get(key)
        if kept is None or not kept.holds:
            kept = worked_out(work)
            with _lock:
                self.results[key] = kept
                if len(self.results) > self.most:
                    self.results.popitem(last=False)  # what was kept first
        elif _verified:
            _verify(key, kept, worked_out(work))
        clock.changes_at(kept.until)
        value: Value = kept.value
        return value


def worked_out(work: Callable[[], Any]) -> Result:
    """The result of `work`, and how long it holds."""
    since = clock.present()
    with clock.watched() as watch:
        value = work()
    return Result(value, since, watch.until)


def begin() -> Memory:
    """What this process knows of the database as it is now, for a request that has read nothing yet and will write nothing.

    What the request reads is no older than the stamp, so that nothing old is kept under a new one.
    """
    global _memory
    stamp = None if database.in_transaction() else _stamp()
    if stamp is None:
        return Memory()  # used by this request alone
    known = _memory
    if known.stamp != stamp:
        known = _memory = Memory(stamp)
    return known


def values_of(thing: Any, known: dict[int, tuple[Any, Hashable]] | None = None) -> Hashable:
    """All that can be read from a thing, as something that can be compared: models with what they are related to, and dataclasses.

    `known`, by id: things that several others have in common are read once; each is held there, so that no other gets its id.
    """
    if type(thing) in ATOMS:
        return thing  # type: ignore[no-any-return]
    if isinstance(thing, Decimal | Enum):
        return str(thing)  # 1.0 and 1.00 are equal, and read otherwise
    known = {} if known is None else known
    if id(thing) in known:
        return known[id(thing)][1]
    known[id(thing)] = thing, ...  # a line knows its change order
    if isinstance(thing, list | tuple):
        values: tuple[Hashable, ...] = tuple([values_of(one, known) for one in thing])
    elif isinstance(thing, dict):
        values = tuple([(key, values_of(value, known)) for key, value in thing.items()])
    elif hasattr(thing, "__slots__"):
        values = (type(thing).__name__, *[values_of(getattr(thing, name), known) for name in thing.__slots__])
    else:
        values = (type(thing).__name__, *[(key, values_of(value, known)) for key, value in vars(thing).items() if key != "_dirty"])
    known[id(thing)] = thing, values
    return values


def verify_all(*, on: bool) -> None:
    """For tests: work out again every result that comes from memory, and raise Stale where it would be another now."""
    global _verified
    _verified = on


def _verify(key: Hashable, kept: Result, now: Result) -> None:
    if kept.holds and values_of(kept.value) != values_of(now.value):
        raise Stale(f"{key}: kept {kept.value!r}, now {now.value!r}")


def _stamp() -> object | None:
    """Equal as long as no one has committed anything; None where that cannot be told."""
    if is_sqlite():
        return _watcher.version(path) if (path := watched_file()) else None
    (snapshot,) = database.execute_sql("SELECT pg_current_snapshot()::text").fetchone()
    return database.obj, snapshot


_lock = threading.Lock()
_memory, _watcher, _verified = Memory(), Watcher(), False
