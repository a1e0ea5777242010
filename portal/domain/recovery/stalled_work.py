"""Whether promised work gets done, judged by the work itself: whichever of the processes stands in the way.

A lane stands still when work has been due, and nothing was begun or gone on with, for longer than any call takes. A long line
that moves stands in no one's way.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from portal import clock
from portal.db import UtcField, transaction
from portal.db.steps import Asks, Read, Steps
from portal.domain import lanes, outbox
from portal.domain.exporting import alerts
from portal.domain.lanes import AHEAD, MAIL, Lane
from portal.domain.outbox import Dispatch, NotWanted, Task
from portal.domain.people import User

SHOWN_AFTER = timedelta(minutes=3)  # one call may last 130 s
MAILED_AFTER = timedelta(minutes=15)
KINDS = {
    "exports": ("Exports stand", "Accepted change orders wait in line."),
    "mail": ("Mail stands", "What the portal has to tell waits."),
    "imports": ("Imports stand", "Files wait to be read and imported."),
}
OLDEST = "(SELECT MIN(due_at) FROM dispatch WHERE dispatch.lane = lane.name AND finished_at IS NULL)"
DUE = Read(f"name, moved_at, {OLDEST}", "FROM lane", ())


@dataclass(frozen=True, slots=True)
class Standstill:
    """A lane that does not move although work is due, and since when."""

    lane: str
    since: datetime

    @property
    def kind(self) -> str:
        """`exports`, `mail` or `imports`."""
        return self.lane.partition(":")[0]

    @property
    def minutes(self) -> int:
        return (clock.now() - self.since) // timedelta(minutes=1)

    @property
    def text(self) -> str:
        what, waits = KINDS[self.kind]
        return f"{what} still: work has been due for {self.minutes} minutes and nothing works on it. {waits}"


class Due(NamedTuple):
    """When the oldest unfinished promise of a lane is or was due, and when the lane last moved."""

    lane: str
    at: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is told by mail of a lane that stands still."""

    key: str
    to: User
    standstill: Standstill


def standstills(after: timedelta = SHOWN_AFTER, due: list[Due] | None = None) -> list[Standstill]:
    """The lanes that have stood still for so long while this process ran. `due`: `oldest_due`, where that was asked for already.

    While the portal was off, work fell due and no worker was there: that is no standstill, so the start of the judge counts too.
    """
    return recorded(after, due) if clock.has_been_up(after) else []


def recorded(after: timedelta = SHOWN_AFTER, due: list[Due] | None = None) -> list[Standstill]:
    """The lanes that did not move for so long, whether or not anything ran that could have moved them."""
    late = [one for one in (oldest_due() if due is None else due) if clock.is_past(one.at + after)]
    if not late:
        return []
    now = clock.now()
    found = [Standstill(one.lane, max(one.at, _moved(one, now))) for one in late]
    return [one for one in found if now - one.since >= after]


@Asks
def oldest_due() -> Steps[list[Due]]:
    """The oldest unfinished promise of each lane that has one, by the lane's name: a look into the index for each lane."""
    (found,) = yield [DUE]
    moment: Any = UtcField()
    return [Due(lane, moment.python_value(at), moment.python_value(moved)) for lane, moved, at in sorted(found) if at]


def tell() -> None:
    """Promise the mail on what has stood still for long: once per standstill and person, whichever processes see it."""
    for one in standstills(MAILED_AFTER):
        keys = {f"standstill:{one.lane}:{one.since:%Y-%m-%dT%H%M}:{person.id}": person for person in alerts.recipients()}
        known = outbox.promised(keys)
        for key, person in keys.items():
            if key not in known:
                with transaction():
                    outbox.promise(key, MAIL, Task.STANDSTILL, person.id)


def write(key: str, to: User) -> Notice:
    """The promised mail. Raises NotWanted where the lane goes on again; a standstill of mail itself is reported all the same."""
    lane = key.removeprefix("standstill:").rpartition(":")[0].rpartition(":")[0]
    still = [one for one in recorded() if one.lane == lane]  # whichever process promised the mail had watched for long
    if not still and lane != MAIL:
        raise NotWanted("it goes on again")
    since = datetime.strptime(f"{key.split(':')[-2]}+0000", "%Y-%m-%dT%H%M%z")
    return Notice(key, to, still[0] if still else Standstill(lane, since))


def count_due(lane: str) -> int:
    return int(_waiting(lane).where(outbox.is_due(clock.now())).count())


def count_waiting(lane: str) -> int:
    """What is promised, due now or later."""
    return int(_waiting(lane).count())


def count_finished(lane: str, since: datetime) -> int:
    """How many promises ended since then, however they did."""
    return int(Dispatch.select().where(Dispatch.lane == lane, Dispatch.finished_at >= since).count())


def is_held(lane: str) -> bool:
    return not Lane.select().where(Lane.name == lane, lanes.is_free(clock.now())).exists()


def holds(name: str) -> list[str]:
    """What holds up the work of a lane, if anything does, and what is next: a sentence each."""
    lane, due, said = Lane.get_by_id(name), count_due(name), []
    if is_held(name):
        said.append(f"Another worker holds the lane until {_at(lane.until)} at the latest; then the next one can go on.")
    elif due:
        said.append(f"{due} piece{' of work is' if due == 1 else 's of work are'} still due. Run it again.")
    if lane.paused_at:
        by, why = lane.paused_by.name if lane.paused_by else "the portal itself", lane.reason.rstrip(".") or "no reason given"
        said.append(f"Paused since {_at(lane.paused_at)} by {by}: {why}. Nothing is sent meanwhile.")
    if not due and (upcoming := _waiting(name).order_by(Dispatch.due_at, Dispatch.id).first()):
        why = f": {upcoming.error}" if upcoming.error else "."
        said.append(f"Next is {upcoming.key} at {_at(upcoming.due_at)}, after {upcoming.tries} tries{why}")
    return said


def _waiting(lane: str) -> Any:
    return Dispatch.select().where(Dispatch.lane == lane, Dispatch.finished_at.is_null())


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _moved(due: Due, now: datetime) -> datetime:
    """When it last moved; a moment that a clock which ran ahead wrote is none."""
    return due.moved_at if due.moved_at <= now + AHEAD else clock.EPOCH
