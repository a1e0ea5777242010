"""Whether the audit trail is as it was written: its chain of hashes, and the heads that were written out of the database's reach.

The chain alone shows what was changed, removed or put in between. It cannot show that its end was cut off, or that all was
hashed again from some point on; the heads, one line an hour in a file, show that too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from portal import clock
from portal.domain.companies import current
from portal.domain.events import GENESIS, Event

BATCH = 1000  # events in memory at a time


class Broken(Exception):
    """The last head that was written out is not in the trail any more; the text says what happened to it."""


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
        """What this verdict does not vouch for."""
        after = self.events - (self.last.seq if self.last else 0)
        events = f"{after:,} event{'' if after == 1 else 's'}"
        of_end = [
            f"Not vouched for: the last {events}, which no head covers. "
            "The database's owner could have hashed them again, or cut off what came after."
        ]
        return of_end * bool(after) + [
            "Not vouched for: heads, which the database's owner could write as well; compare with those of the log collector.",
            "Not vouched for: what was written into other tables around the portal; only rights and states are compared with events.",
        ]


def count() -> int:
    """How many events there are."""
    number: int = Event.select().count()
    return number


def head() -> Head:
    """The present end of the chain, under the company's date and hour."""
    last = Event.select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1).tuples().first() or (0, GENESIS)
    return Head(hour(), *last)


def verify(heads: Iterable[Head] = (), tell: Callable[[int], object] = int) -> Verdict:
    """Walk the chain from its first event to its last, and compare it with `heads`. Holds no lock and little memory.

    `tell` is told now and then how many events were walked.
    """
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
        if seq % BATCH == 0:
            tell(seq)
    return _verdict(seq, previous, _cut_off(seq, known), fitting)


def ensure_held(last: Head) -> None:
    """Raises Broken unless the event of the head is as it was then."""
    event = Event.select(Event.seq, Event.hash).where(Event.seq == last.seq).first()
    known = {last.seq: [last]}
    fault = (_cut_off(head().seq, known) if event is None else _misfit(event, known)) if last.seq else None
    if fault:
        raise Broken(fault.text)


def hour() -> str:
    return f"{clock.now().astimezone(ZoneInfo(current().time_zone)):%Y-%m-%d %H:00 %z}"


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
    text = f"Event {event.seq} is not the one that was written out on {other.date}: the trail was replaced up to there and hashed again."
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
