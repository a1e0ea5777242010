"""A clock that ran ahead and was put right: what it left dated in the future would stop all work without a word.

A lease or a due time further off than the longest of its kind counts as over (see `outbox`). Here it is put right, told and
recorded; and evidence of sends that lies in the future is noticed, so that the quiet window restarts.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from portal import clock
from portal.db import transaction
from portal.domain import companies, events, lanes, outbox, people
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.events import Event
from portal.domain.exporting import quiet_window
from portal.domain.exporting.exports import Attempt
from portal.domain.lanes import AHEAD, MAIL, Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User

NOTICED = "clock noticed"
TOLD_EVERY = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notice:
    """What an administrator is told by mail: the event of what was found."""

    key: str
    to: User
    event: Event

    @property
    def text(self) -> str:
        return str(self.event.facts["text"])


def put_right() -> None:
    """Called first by workers and keeper. Writes nothing where nothing lies ahead."""
    now = clock.now()
    leases = [lane.name for lane in Lane.select().where(lanes.is_leased_ahead(now)).order_by(Lane.name)]
    late = Dispatch.finished_at.is_null() & outbox.is_due_ahead(now)
    unknown = ChangeOrder.select(ChangeOrder.export).where(ChangeOrder.status == Status.UNKNOWN)  # whose quiet window matters
    sends = Attempt.select().where(Attempt.export.in_(unknown), quiet_window.lies_ahead(now))
    if not (leases or sends.exists() or Dispatch.select().where(late).exists()):
        return
    with transaction():
        held = Lane.update(until=clock.EPOCH).where(lanes.is_leased_ahead(now)).execute()
        Lane.update(refused_until=now).where(Lane.refused_until > now + outbox.LONGEST_DELAY + AHEAD).execute()
        due = Dispatch.update(due_at=now).where(late).execute()
        far = sends.where(Attempt.started_at > now + AHEAD).count()
        quiet_window.notice(Attempt.export.in_(unknown))
        if held or due or far:
            _tell(leases, due, far)


def write(key: str, to: User) -> Notice:
    """The promised mail."""
    return Notice(key, to, events.by_seq(int(key.split(":")[1])))


def _tell(leases: list[str], due: int, far: int) -> None:
    """At most hourly: two machines whose clocks differ for good would go on and on."""
    text = f"A clock ran ahead and was put back, or the clocks of two machines differ: {_found(leases, due, far)}. The portal goes on."
    log.warning("clock ran ahead", leases=leases, due=due, sends=far)
    company = companies.current()
    last = events.latest("company", [company.id], of=(NOTICED,)).get(company.id)
    if last and abs(clock.now() - last.at) < TOLD_EVERY:
        return
    event = events.record("company", company.id, NOTICED, None, text=text)
    for person in people.administrators():
        outbox.promise(f"clock:{event.seq}:{person.id}", MAIL, Task.CLOCK, person.id)


def _found(leases: list[str], due: int, far: int) -> str:
    found = [f"the lane {name} was held until a time that no worker writes" for name in leases]
    found += [f"{due} promised piece{'' if due == 1 else 's'} of work lay too far in the future"] if due else []
    found += [f"{far} send{' was' if far == 1 else 's were'} dated in the future, so the quiet window starts again"] if far else []
    return "; ".join(found)
