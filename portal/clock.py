"""The time. Everything that asks for it asks here, so that tests can hold it still."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

STARTED = time.monotonic()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_offset = ContextVar("offset", default=timedelta(0))


class Watch:
    """How long something that is being worked out holds: until a moment passes that it was compared with."""

    def __init__(self) -> None:
        self.until = datetime.max.replace(tzinfo=UTC)


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC. What is worked out with it under a watch holds for no time at all."""
    changes_at(EPOCH)
    return present()


def present() -> datetime:
    """The present moment, for those who tell by `changes_at` how long the result holds."""
    return system() + _offset.get()


def changes_at(moment: datetime) -> None:
    """What is being worked out is another when this moment has come."""
    if watch := _watch.get():
        watch.until = min(watch.until, moment)


def is_past(moment: datetime) -> bool:
    """Whether the moment has come."""
    if moment <= present():
        return True
    changes_at(moment)
    return False


@contextmanager
def watched() -> Iterator[Watch]:
    """Learn how long what the block works out holds."""
    watch = Watch()
    before = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(before)


def system() -> datetime:
    """The machine's time. Apart from `now`, which models hold on to as a default, so that tests can hold this one still."""
    return machine()


def machine() -> datetime:
    """What the machine says; the only place that asks it. A run of the tests with `--today` moves this one, so that rehearsals
    and stand-ins of the same run move along."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds that only go forward, whatever is done to the machine's clock: for a pace, never for a date."""
    return time.monotonic()


def up() -> timedelta:
    """How long this process has run."""
    return timedelta(seconds=steady() - STARTED)


def has_been_up(for_so_long: timedelta) -> bool:
    """Whether this process has run for so long."""
    if (missing := for_so_long - up()) <= timedelta(0):
        return True
    changes_at(present() + missing)
    return False


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """The caller lives earlier or later, by so much more than before: sample data get a past, tests a future. No one else notices."""
    before = _offset.set(_offset.get() + by)
    try:
        yield
    finally:
        _offset.reset(before)
