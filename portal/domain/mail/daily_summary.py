"""The daily summary: what waits for an approver, once per person and working day.

Each is a promise with the key `daily:<local date>:<person>`. Its text is read when it is sent, so that it is true then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal import clock, failpoints
from portal.db import cents, transaction
from portal.domain import change_orders, outbox
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.companies import Company, current
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, NotWanted, Task
from portal.domain.people import Level, User
from portal.domain.rules import four_eyes

SHOWN = 25
QUARTER = timedelta(minutes=15)  # clocks are changed on one


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits for one person: those shown are the oldest; `total` in US dollars is that of all.

    failed, unknown   how many more, of the whole company, need someone to look after them
    """

    key: str
    to: User
    count: int
    total: Decimal
    shown: list[ChangeOrder]
    failed: int
    unknown: int

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


def key(day: date, person: int) -> str:
    return f"daily:{day.isoformat()}:{person}"


def day_of(key: str) -> date:
    return date.fromisoformat(key.split(":")[1])


def moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """When it is that hour of that day: the first of two, and of an hour that is left out the first moment after."""
    wall = datetime.combine(day, time(hour))
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    while (at - QUARTER).astimezone(zone).replace(tzinfo=None) > wall:
        at -= QUARTER
    return at


def today(company: Company) -> date:
    return clock.now().astimezone(ZoneInfo(company.time_zone)).date()


def due_at(company: Company, day: date) -> datetime | None:
    """When the summaries of the day go out; None when none do."""
    if not company.daily_summary or str(day.isoweekday()) not in company.summary_days:
        return None
    return moment(day, company.summary_hour, ZoneInfo(company.time_zone))


def expires_at(company: Company, day: date) -> datetime:
    """The end of the day: what waited then is no news any more."""
    return moment(day + timedelta(days=1), 0, ZoneInfo(company.time_zone))


def recipients() -> list[User]:
    """Who gets a summary if something waits for them, by name."""
    rights = User.active, User.can_push, User.level.in_((Level.STANDARD, Level.ADMIN)), User.wants_summary, User.email != ""
    return list(User.select().where(*rights).order_by(User.name, User.id))


def why_not(person: User) -> str:
    """Why the person gets none, or an empty text."""
    if not person.active:
        return "the account was deactivated"
    if not person.may_decide:
        return "the person may not accept change orders"
    return "" if person.wants_summary else "the person wants no daily summary"


def plan(wanted: Iterable[User] | None = None) -> None:
    """Promise today's summaries when their hour has come, to everyone or to those wanted: once, however many keepers there are."""
    company = current()
    day = today(company)
    due = due_at(company, day)
    if due is None or clock.now() < due:
        return
    keys = {key(day, person.id): person for person in (recipients() if wanted is None else wanted)}
    known = {dispatch.key for dispatch in Dispatch.select(Dispatch.key).where(Dispatch.key.in_(list(keys)))}
    for key_, person in keys.items():
        if key_ not in known:
            with transaction():
                outbox.promise(key_, MAIL, Task.DAILY, person.id)
            failpoints.hit("summary.inserted")


def write(key: str, to: User) -> Summary:
    """The promised summary as things are now. Raises NotWanted."""
    company = current()
    if clock.now() >= expires_at(company, day_of(key)):
        raise NotWanted("expired")
    if why := why_not(to):
        raise NotWanted(why)
    summary = of(key, to)
    if not summary.count:
        raise NotWanted("nothing waits any more")
    return summary


def of(key: str, to: User) -> Summary:
    """What waits for the person now, in a constant number of queries."""
    waits = four_eyes.waits_for(to)
    figures: Any = ChangeOrder.select(peewee.fn.COUNT(ChangeOrder.id), peewee.fn.SUM(ChangeOrder.amount).coerce(False))
    count, total = figures.join(Commitment).join(Job).join(Company).where(waits).tuples().get()
    oldest = change_orders.complete().where(waits).order_by(ChangeOrder.sent_at, ChangeOrder.id).limit(SHOWN)
    troubled: Any = ChangeOrder.select(ChangeOrder.status, peewee.fn.COUNT(ChangeOrder.id)).group_by(ChangeOrder.status)
    troubles = dict(troubled.where(ChangeOrder.status.in_((Status.FAILED, Status.UNKNOWN))).tuples())
    return Summary(key, to, count, cents(total or 0), list(oldest), troubles.get(Status.FAILED, 0), troubles.get(Status.UNKNOWN, 0))
