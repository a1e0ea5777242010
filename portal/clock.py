"""The time. Everything that asks for it asks here, so that tests can hold it still."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

STARTED = time.monotonic()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_offset = ContextVar("offset", default=timedelta(0))


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return system() + _offset.get()


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


@contextmanager
def shifted(by: timedelta) -> Iterator[None]:
    """The caller lives earlier or later: sample data get a past, tests a future. No one else notices."""
    before = _offset.set(by)
    try:
        yield
    finally:
        _offset.reset(before)
