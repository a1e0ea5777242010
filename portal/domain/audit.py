"""Whether the audit trail is as it was written: its chain of hashes, and the heads that were written out of the database's reach.

The chain alone shows what was changed, removed or put in between. It cannot show that its end was cut off, or that all was
hashed anew from some point on; the heads, one line an hour in a file, show that too.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from portal import clock
from portal.domain.companies import current
from portal.domain.events import GENESIS, Event

HEADS = "audit-heads.jsonl"
BATCH = 1000  # events in memory at a time


class Broken(Exception):
    """The last head that was written out is not in the trail any more; the text says what happened to it."""


class Unreadable(Exception):
    """The file of heads holds a line that is none; the text says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at an hour: its last event and that event's hash, which stands for all events before it."""

    date: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first event that is not as it was written, and what is wrong in words. `seq` is where to look."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk over the chain found.

    events    how many are good, from the first on; all of them when there is no fault
    hash      of the last good one
    compared  heads that were written out and fit
    last      the youngest of these
    """

    events: int
    hash: str
    fault: Fault | None
    compared: int = 0
    last: Head | None = None

    @property
    def unvouched(self) -> list[str]:
        """What this verdict does not say, for whoever relies on it."""
        after = self.events - (self.last.seq if self.last else 0)
        events = f"{after:,} event{'' if after == 1 else 's'}"
        of_end = [
            f"Not vouched for: the last {events}, which no head covers. "
            "Whoever owns the database could have hashed them anew, or cut off what came after."
        ]
        return of_end * bool(after) + [
            "Not vouched for: heads that whoever owns the database could write as well; compare with those of the log collector.",
            "Not vouched for: what was written into other tables around the portal; only rights and states are compared with events.",
        ]


def count() -> int:
    """How many events there are."""
    number: int = Event.select().count()
    return number


def head() -> Head:
    """The present end of the chain, under the company's date and hour."""
    last = Event.select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1).tuples().first() or (0, GENESIS)
    return Head(_hour(), *last)


def verify(heads: Iterable[Head] = ()) -> Verdict:
    """Walk the chain from its first event to its last, and compare it with `heads`. Holds no lock and little memory."""
    known: dict[int, list[Head]] = {}
    for one in heads:
        known.setdefault(one.seq, []).append(one)
    seq, previous, fitting = 0, GENESIS, known.pop(0, [])
    for found in _events():
        fault = found if isinstance(found, Fault) else _fault(found, seq, previous) or _misfit(found, known)
        if isinstance(found, Fault) or fault:
            return _verdict(seq, previous, fault, fitting)
        seq, previous = found.seq, found.hash
        fitting += known.pop(seq, [])
    return _verdict(seq, previous, _cut_off(seq, known), fitting)


def write_head(file: Path) -> Head | None:
    """Append the head to the file and to the disk, unless it has one of this hour: any number of keepers write one line an hour.

    Answers what was written. Raises OSError, Unreadable for a file that is not ours, or Broken when the trail does not hold the last head.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        out.seek(0)
        content = out.read()
        known = list(_parse(content, str(file)))
        if any(one.date == _hour() for one in known):
            return None
        if known:
            _ensure_held(known[-1])
        present = head()
        torn = content and not content.endswith(b"\n")  # a keeper died while it wrote
        out.write(b"\n" * bool(torn) + line(present).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
        return present


def read_heads(file: Path) -> list[Head]:
    """The heads written out so far. Raises OSError or Unreadable."""
    return list(_parse(file.read_bytes(), str(file)))


def line(one: Head) -> str:
    """The head as the file has it."""
    return json.dumps(asdict(one))


def _ensure_held(last: Head) -> None:
    """Raises Broken unless the event of the head is as it was then."""
    event = Event.get_or_none(Event.seq == last.seq)
    known = {last.seq: [last]}
    fault = (_cut_off(head().seq, known) if event is None else _misfit(event, known)) if last.seq else None
    if fault:
        raise Broken(fault.text)


def _hour() -> str:
    return f"{clock.now().astimezone(ZoneInfo(current().time_zone)):%Y-%m-%d %H:00}"


def _parse(content: bytes, name: str) -> Iterator[Head]:
    """Every whole line. What a keeper that died left of one is no head and does no harm."""
    for number, text in enumerate(content.splitlines(), 1):
        try:
            told = json.loads(text)
            yield Head(str(told["date"]), int(told["seq"]), str(told["hash"]))
        except (ValueError, KeyError, TypeError):
            if text.strip() and not _is_torn(text):
                raise Unreadable(f"Line {number} of {name} is not the head of an audit trail.") from None


def _is_torn(text: bytes) -> bool:
    return text.startswith(b"{") and not text.endswith(b"}")


def _events() -> Iterator[Event | Fault]:
    """Every event in order. One with columns of which no event can be made is a fault, and the end."""
    last: int | None = None
    while True:
        query = Event.select().order_by(Event.seq).limit(BATCH)
        begun = last
        try:
            for event in query if last is None else query.where(Event.seq > last):
                last = event.seq
                yield event
        except (TypeError, ValueError, OverflowError):
            seq = (last or 0) + 1
            yield Fault(seq, f"Event {seq} cannot be read: it was changed after it was recorded.")
            return
        if last == begun:
            return


def _fault(event: Event, seq: int, previous: str) -> Fault | None:
    """What is wrong with an event that comes after event `seq`, whose hash is `previous`."""
    here, expected = event.seq, seq + 1
    if here < expected:
        return Fault(here, f"Event {here} was put in before the first one: nothing recorded has this number.")
    if here > expected:
        missing = f"Event {expected} is" if here == expected + 1 else f"Events {expected} to {here - 1} are"
        return Fault(expected, f"{missing} missing: deleted after being recorded.")
    if _reseal(event) != event.hash:
        return Fault(here, f"The content of event {here} was changed after it was recorded: it does not match its hash.")
    if event.previous != previous:
        before = f"event {seq}" if seq else "the beginning of the trail"
        return Fault(here, f"Event {here} does not continue {before}: it was put in, or what comes before it was replaced.")
    return None


def _reseal(event: Event) -> str:
    """The hash its content should have; none for content that no event was ever recorded with."""
    try:
        return event.seal()
    except (AttributeError, TypeError, ValueError):
        return ""


def _misfit(event: Event, known: dict[int, list[Head]]) -> Fault | None:
    """Whether a head that was written out says otherwise."""
    other = next((one for one in known.get(event.seq, []) if one.hash != event.hash), None)
    if other is None:
        return None
    text = f"Event {event.seq} is not the one that was written out on {other.date}: the trail was replaced up to there and hashed anew."
    return Fault(event.seq, text)


def _cut_off(seq: int, known: dict[int, list[Head]]) -> Fault | None:
    """Whether heads were written out of events that are not there any more."""
    if not known:
        return None
    furthest = known[max(known)][0]
    reach = f"ends with event {seq}" if seq else "is empty"
    return Fault(seq + 1, f"The trail {reach}, but event {furthest.seq} was written out on {furthest.date}: its end was cut off.")


def _verdict(seq: int, hash: str, fault: Fault | None, fitting: list[Head]) -> Verdict:
    return Verdict(seq, hash, fault, len(fitting), fitting[-1] if fitting else None)
