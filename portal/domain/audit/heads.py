"""Keeping the file of heads of the audit trail: when it is gone, unreadable or contradicted by the trail, administrators are told.

That a head was written before is known to the database, by the machine of the keeper: each keeps a file of its own. Nothing of
this is an event: a trail that may have been replaced is left as it was found.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from portal import clock
from portal.db import transaction
from portal.domain import outbox, people
from portal.domain.audit import chain
from portal.domain.audit.chain import Broken, Head
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import User

HEADS = "audit-heads.jsonl"
TAIL = 4096  # bytes at the end of the file of heads, some thirty of them: what a keeper reads however long the file is
PREFIX = "audit-heads@"
TRAIL, FILE = "trail", "file"  # what is in doubt; each is told for itself


class Unreadable(Exception):
    """The file of heads holds a line that is none; the text says which."""


class Gone(Unreadable):
    """There is no head where one was written before."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"The file of heads {file} is gone or holds no head, although some were written into it.")


@dataclass(frozen=True, slots=True)
class Notice:
    """What an administrator is told by mail; `is_over` when trail and file fit again meanwhile."""

    key: str
    to: User
    text: str
    is_over: bool


def keep(file: Path) -> Head | None:
    """Write the head when it is due; tell the administrators when that fails. Answers and raises as `write_head`."""
    name = f"{PREFIX}{platform.node()}"[:100].replace(":", "-")  # a part of the mails' keys
    known: Heartbeat | None = Heartbeat.get_or_none(Heartbeat.name == name)
    try:
        written = write_head(file, begun=known is not None and known.at > clock.EPOCH)
    except Broken as error:
        _report(name, TRAIL, str(error))
        raise
    except Unreadable as error:
        _report(name, FILE, str(error))
        raise
    except OSError as error:
        _report(name, FILE, f"The file of heads {file} cannot be read or written: {error.strerror or error}.")
        raise
    if written or known is None or known.since:
        _be_good(name)
    return written


def write_head(file: Path, begun: bool = False) -> Head | None:
    """Append the head to the file and to the disk, unless the last one is of this hour: any number of keepers write one line an hour.

    Answers what was written. Raises OSError, Unreadable for a file that is not ours, Gone for one without heads that was `begun` before
    (another in its place would hide that), or Broken when the trail does not hold the last head.
    """
    if begun and not file.exists():
        raise Gone(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        last, torn = _end(out)
        if last:
            chain.ensure_held(last)
        elif begun:
            raise Gone(file)
        if last and last.date == chain.hour():
            return None
        present = chain.head()
        out.write(b"\n" * torn + line(present).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
        return present


def read_heads(file: Path) -> list[Head]:
    """The heads written out so far. Raises OSError or Unreadable."""
    return list(_parse(file.read_bytes(), str(file)))


def missing(file: Path) -> str:
    """Why the file has no head although keepers wrote some, and what to do; empty where none was written yet."""
    written = Heartbeat.select().where(Heartbeat.name.startswith(PREFIX), Heartbeat.at > clock.EPOCH)
    machines = sorted(one.name.removeprefix(PREFIX) for one in written)
    if not machines:
        return ""
    return (
        f"{file} is gone or holds no head, although the keeper on {' and '.join(machines)} wrote some. Whether the end of the trail was "
        "cut off, or it was hashed again as a whole, is not known. Put the file back from a backup or from the log, or run on that "
        "machine: portal audit verify --heads FILE. If it was not moved or removed on purpose, treat it as an incident."
    )


def line(one: Head) -> str:
    """The head as the file has it."""
    return json.dumps(asdict(one))


def in_doubt(signs: Iterable[Heartbeat]) -> list[Heartbeat]:
    """Those of the signs of life that say what is wrong with a file of heads or the trail, and since when."""
    return [one for one in signs if one.name.startswith(PREFIX) and one.since]


def write(key: str, to: User) -> Notice:
    """The promised mail. It is sent also when all is well again: someone may have put things back."""
    one = Heartbeat.get_by_id(key.split(":")[1])
    return Notice(key, to, one.fault, one.since is None)


def _report(name: str, what: str, text: str) -> None:
    """Once per doubt and administrator, until it was good in between. Of several keepers the first says since when."""
    ours = Heartbeat.name == name
    if not Heartbeat.select().where(ours, Heartbeat.since.is_null(False), Heartbeat.fault == text).exists():
        with transaction():
            Heartbeat.insert(name=name, at=clock.EPOCH).on_conflict_ignore().execute()
            Heartbeat.update(since=clock.now()).where(ours, Heartbeat.since.is_null()).execute()
            Heartbeat.update(fault=text).where(ours).execute()
    since = Heartbeat.get_by_id(name).since
    keys = {f"audit:{name}:{since:%Y-%m-%dT%H%M%S}:{what}:{person.id}": person for person in people.administrators()}
    promised = outbox.promised(keys)
    for key, person in keys.items():
        if key not in promised:
            with transaction():
                outbox.promise(key, MAIL, Task.AUDIT, person.id)


def _be_good(name: str) -> None:
    """What was wrong last is kept for the mail that tells it."""
    now = clock.now()
    with transaction():
        good = {Heartbeat.at: now, Heartbeat.since: None}
        Heartbeat.insert(name=name, at=now).on_conflict(conflict_target=[Heartbeat.name], update=good).execute()


def _parse(content: bytes, name: str) -> Iterator[Head]:
    """Every whole line. What a keeper that died left of one is no head and does no harm."""
    for number, text in enumerate(content.splitlines(), 1):
        try:
            yield _read(text)
        except ValueError:
            if text.strip() and not _is_torn(text):
                raise Unreadable(f"Line {number} of {name} is not the head of an audit trail.") from None


def _end(file: BinaryIO) -> tuple[Head | None, bool]:
    """The last whole head, and whether a keeper that died left a torn line after it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL))
    content = file.read()
    lines = content.splitlines()[size > TAIL :]  # the first line of a tail has no beginning
    whole = next((text for text in reversed(lines) if text.strip() and not _is_torn(text)), b"")
    try:
        last = _read(whole) if whole or size > TAIL else None
    except ValueError:
        raise Unreadable(f"The last line of {file.name} is not the head of an audit trail.") from None
    return last, bool(content) and not content.endswith(b"\n")


def _read(text: bytes) -> Head:
    """The head of a line. Raises ValueError."""
    try:
        told = json.loads(text)
        one = Head(str(told["date"]), int(told["seq"]), str(told["hash"]))
    except (KeyError, TypeError, OverflowError):
        raise ValueError(text) from None
    if not 0 <= one.seq < 2**63:
        raise ValueError(text)
    return one


def _is_torn(text: bytes) -> bool:
    return text.startswith(b"{") and not text.endswith(b"}")
