"""What was read and worked out from the database is kept in memory for as long as it would come out the same.

Whether anyone wrote is asked of the database itself, so that nothing that a result depends on can be forgotten: SQLite counts the
commits of others on each connection and the changes of its own; PostgreSQL tells which transactions are visible. Another process
counts like this one. Where someone wrote, the statements that a result was made of are sent again: it is kept when they all find
what they found. Time is watched: a result is kept until a moment passes that it depends on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from portal import clock
from portal.db import database, is_sqlite, reads, watched_file
from portal.db.reads import Reads
from portal.db.sqlite import Watcher

MOST = 16  # results; a page of fifty rows takes about 300 kB
ATOMS = {str, int, bool, float, type(None), datetime, date, timedelta, ZoneInfo, frozenset}
Value = TypeVar("Value")
Stamp = tuple[Any, Any]  # which database, and its state


class Stale(AssertionError):
    """A result from memory was not what it would be now."""


@dataclass(frozen=True, slots=True)
class Result:
    """A value, when it was worked out, when it will be another, and out of what; `stamp`: when that was last found to be the same."""

    value: Any
    since: datetime
    until: datetime
    reads: Reads
    stamp: Stamp | None = None

    @property
    def holds(self) -> bool:
        return self.since <= clock.present() < self.until


class Memory:
    """Results by key, at most so many, as they are while the database is as `stamp` says; those of earlier stamps are looked at again."""

    def __init__(self, stamp: Stamp | None = None, most: int = MOST, results: OrderedDict[Hashable, Result] | None = None) -> None:
        self.stamp, self.most = stamp, most
        self.results = OrderedDict[Hashable, Result]() if results is None else results

    def get(self, key: Hashable, work: Callable[[], Value]) -> Value:
        """The result of `work`, which depends on what it reads, the key and watched time alone."""
        result = self.result(key, work)
        value: Value = result.value
        return value

    def result(self, key: Hashable, work: Callable[[], Any]) -> Result:
        """The same, with what it rests on."""
        kept = self.results.get(key)
        if kept and kept.holds and kept.stamp == self.stamp:
            return self._used(key, kept, work)
        with reads.once():
            if kept and kept.holds and kept.reads.are_same:
                return self._used(key, self._keep(key, kept), work)
            return self._keep(key, worked_out(work))

    def _used(self, key: Hashable, kept: Result, work: Callable[[], Any]) -> Result:
        if _verified:
            _verify(key, kept, worked_out(work))
        use(kept)
        return kept

    def _keep(self, key: Hashable, result: Result) -> Result:
        kept = replace(result, stamp=self.stamp)
        with _lock:
            self.results[key] = kept
            self.results.move_to_end(key)
            if len(self.results) > self.most:
                self.results.popitem(last=False)  # what was kept or looked at first
        return kept


def worked_out(work: Callable[[], Any]) -> Result:
    """The result of `work`, and how long it holds; a result that is being worked out rests on it."""
    since = clock.present()
    with clock.watched() as watch, reads.noted() as noted:
        value = work()
    result = Result(value, since, watch.until, noted)
    clock.changes_at(result.until)
    return result


def use(result: Result) -> None:
    """What is being worked out rests on this result."""
    clock.changes_at(result.until)
    reads.used(result.reads)


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
        results = known.results if known.stamp and known.stamp[0] == stamp[0] else None
        known = _memory = Memory(stamp, results=results)
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
        values = _all(thing, known)
    elif isinstance(thing, dict):
        values = tuple(thing), *_all(thing.values(), known)
    elif hasattr(thing, "__slots__"):
        values = type(thing).__name__, *_all([getattr(thing, name) for name in thing.__slots__], known)
    else:
        parts = vars(thing)
        values = type(thing).__name__, tuple(parts), *_all([parts[name] for name in parts if name != "_dirty"], known)
    known[id(thing)] = thing, values
    return values


def _all(things: Iterable[Any], known: dict[int, tuple[Any, Hashable]]) -> tuple[Hashable, ...]:
    """Of each: most are atoms, and a call for each of them would be most of the work."""
    return tuple([one if type(one) in ATOMS else values_of(one, known) for one in things])


def verify_all(*, on: bool) -> None:
    """For tests: work out again every result that comes from memory, and raise Stale where it would be another now."""
    global _verified
    _verified = on


def _verify(key: Hashable, kept: Result, now: Result) -> None:
    if kept.holds and values_of(kept.value) != values_of(now.value):
        raise Stale(f"{key}: kept {kept.value!r}, now {now.value!r}")


def _stamp() -> Stamp | None:
    """Equal as long as no one has committed anything; None where that cannot be told."""
    if is_sqlite():
        return _watcher.version(path) if (path := watched_file()) else None
    (snapshot,) = database.execute_sql("SELECT pg_current_snapshot()::text").fetchone()
    return database.obj, snapshot


_lock = threading.Lock()
_memory, _watcher, _verified = Memory(), Watcher(), False
