"""What can be wrong with the database and is no fault of ours: one kind and one sentence each."""

from collections.abc import Iterator

import peewee
import structlog

BUSY = "The database is busy. Nothing was recorded; try again."
FULL = "The disk of the database is full. Nothing was recorded. An administrator has to make room; then try again."
READ_ONLY = "The database is read-only. Nothing was recorded. An administrator has to make it writable; then try again."
UNMIGRATED = "The database is of another version than the portal. Nothing was recorded. An administrator has to run `portal db migrate`."
AWAY = "The portal cannot reach its database. Nothing was recorded; try again in a minute."
AWAY_MEANWHILE = (
    "The portal lost its database while it was at work. What you sent is recorded as a whole or not at all: "
    "look at what is recorded before you send it again."
)

log = structlog.get_logger()


class Busy(Exception):
    """The database could not be written for so long that we gave up; nothing was recorded."""


class Full(Busy):
    """The disk of the database is full; nothing was recorded."""


class Replaced(Busy):
    """The database is not the file this process began with; nothing was recorded, nor will be before a restart."""


class ReadOnly(Busy):
    """The database can be read and not be written; nothing was recorded."""


class Unmigrated(Busy):
    """The database lacks what this version of the portal needs."""


class Away(Busy):
    """The database cannot be reached, or was lost while we worked with it."""


# Of these some are no faults of ours; `explained` knows which.
ERRORS = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError, peewee.ProgrammingError)
# SQLite's words, then PostgreSQL's
SIGNS: tuple[tuple[type[Busy], str, tuple[str, ...]], ...] = (
    (Full, FULL, ("is full", "No space left")),
    (ReadOnly, READ_ONLY, ("readonly database", "read-only transaction")),
    (Busy, BUSY, ("locked", "busy", "lock timeout", "statement timeout", "deadlock detected", "could not serialize")),
    (Unmigrated, UNMIGRATED, ("no such table", "no such column")),
    (Away, AWAY_MEANWHILE, ("unable to open database file", "disk I/O error")),
)


def explained(error: Exception, *, sqlite: bool) -> Busy | None:
    """What the database said, as far as people can do something about it; None where the fault is ours."""
    said = " ".join(_messages(error))  # SQLite itself rolls back on a full disk, and complains when it is told to
    kind, text = next(
        ((kind, text) for kind, text, signs in SIGNS if any(sign in said for sign in signs)),
        (None, "") if sqlite else _of_postgres(error, said),
    )
    if kind is None:
        return None
    if kind is not Busy:
        log.error("database not usable", kind=kind.__name__, error=said)
    return kind(text)


def _of_postgres(error: Exception, said: str) -> tuple[type[Busy] | None, str]:
    """What it says in so many ways that only the kind of error tells."""
    if isinstance(error, peewee.ProgrammingError):
        return (Unmigrated, UNMIGRATED) if "does not exist" in said else (None, "")
    return (Away, AWAY_MEANWHILE) if isinstance(error, (peewee.OperationalError, peewee.InterfaceError)) else (None, "")


def _messages(error: BaseException | None) -> Iterator[str]:
    while error:
        yield str(error)
        error = error.__context__
