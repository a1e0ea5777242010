"""Failed exports in groups, one for each cause: how many, how much, since when, and who looks after them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import cents
from portal.domain.change_orders import ChangeOrder, Status, complete
from portal.domain.exporting.exports import STORED, Attempt, Export
from portal.domain.exporting.failure_causes import HAS_FAILED, FailureCause, ids_of_group
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User
from portal.domain.review.bulk_actions import BulkAction, BulkResult, What
from portal.domain.triage import owners
from portal.domain.triage.owners import Owner

DAY, MONTH = timedelta(days=1), timedelta(days=30)
MOST = 100  # groups on the page
_shown_under = peewee.fn.COALESCE(FailureCause.pinned_to, FailureCause.id)


class Badge(StrEnum):
    BACK = "back again"
    NEW = "new"
    GROWING = "growing"


@dataclass(frozen=True, slots=True)
class Group:
    """The failed exports of one cause, and of those pinned to it; none where all of them were cleared.

    oldest      when the one was sent that waits longest
    lately      how many failed in the last 24 hours; `before` in the 24 hours before
    trial       the one that was retried first, as it is now, if that was the last thing done with the group
    """

    cause: FailureCause
    owner: Owner
    count: int = 0
    total: Decimal = Decimal("0.00")
    last_seen: datetime | None = None
    oldest: datetime | None = None
    lately: int = 0
    before: int = 0
    trial: ChangeOrder | None = None

    @property
    def badge(self) -> Badge | None:
        """What is special about it; back again counts more than new, new more than growing."""
        if self.cause.returned_at:
            return Badge.BACK
        if self.cause.first_seen_at > clock.now() - DAY:
            return Badge.NEW
        return Badge.GROWING if self.lately > self.before else None

    @property
    def is_archived(self) -> bool:
        """Hidden until it grows: since it was archived, nothing has failed by it."""
        archived = self.cause.archived_at
        return bool(archived and self.last_seen and self.last_seen <= archived)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted exports that failed to leave and go again by themselves."""

    count: int = 0
    total: Decimal = Decimal("0.00")
    next_try: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """All groups, the largest first; of more than `MOST` causes only these. `uncounted`: failed before causes were kept."""

    groups: list[Group] = field(default_factory=list)
    is_cut: bool = False
    uncounted: int = 0

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def total(self) -> Decimal:
        return sum((group.total for group in self.groups), Decimal("0.00"))


def overview() -> Overview:
    """Everything that has failed, in a constant number of queries that read nothing but what has failed."""
    counted = list(by_cause().order_by(peewee.fn.COUNT(ChangeOrder.id).desc(), _shown_under).limit(MOST + 1))
    uncounted = ChangeOrder.select().where(HAS_FAILED, ChangeOrder.cause.is_null()).count()
    return Overview(_groups(counted[:MOST]), len(counted) > MOST, uncounted)


def one(id: int) -> Group | None:
    """The group of this cause, also where nothing is left of it; None where there is none, or it is shown under another one."""
    if not FailureCause.select().where(FailureCause.id == id, FailureCause.pinned_to.is_null()).exists():
        return None
    counted = list(by_cause().where(ChangeOrder.cause.in_(ids_of_group(id))))
    return _groups(counted or [(id, 0, 0, None, None, 0, 0)])[0]


def waiting() -> Waiting:
    """What goes again by itself, after a try that proved not to have reached Spectrum."""
    again: Any = (
        Dispatch.select(peewee.fn.COUNT(Dispatch.id), peewee.fn.SUM(ChangeOrder.amount).coerce(False))
        .join(Export, on=(Export.id == Dispatch.subject))
        .join(ChangeOrder, on=(ChangeOrder.export == Export.id))
        .where(Dispatch.task == Task.EXPORT, Dispatch.finished_at.is_null(), Dispatch.error != "", ChangeOrder.status == Status.QUEUED)
    )
    count, total = again.tuples().get()
    if not count:
        return Waiting()
    next_try, text = again.select(Dispatch.due_at, Dispatch.error).order_by(Dispatch.due_at, Dispatch.id).limit(1).tuples().get()
    return Waiting(count, cents(total), next_try, text)


def went_through() -> int:
    """How many change orders reached Spectrum in the last thirty days and are there."""
    lately = Attempt.outcome.in_(STORED), Attempt.ended_at > clock.now() - MONTH
    arrived = Attempt.select(Export.change_order).join(Export).join(ChangeOrder).where(*lately, ChangeOrder.status == Status.EXPORTED)
    return int(arrived.distinct().count())


def by_cause() -> Any:
    """By cause: its id, how many failed by it, their total, when last, the oldest, and how many in the last two days."""
    now = clock.now()
    lately = ChangeOrder.failed_at > now - DAY
    before = (ChangeOrder.failed_at > now - 2 * DAY) & ~lately
    sums = (peewee.fn.SUM(peewee.Case(None, ((condition, 1),), 0)) for condition in (lately, before))
    return (
        ChangeOrder.select(
            _shown_under,
            peewee.fn.COUNT(ChangeOrder.id),
            peewee.fn.SUM(ChangeOrder.amount).coerce(False),
            peewee.fn.MAX(ChangeOrder.failed_at),
            peewee.fn.MIN(ChangeOrder.sent_at),
            *sums,
        )
        .join(FailureCause, on=(FailureCause.id == ChangeOrder.cause))
        .where(HAS_FAILED)
        .group_by(_shown_under)
        .tuples()
    )


def _groups(counted: Iterable[Any]) -> list[Group]:
    counted = list(counted)
    ids = [id for id, *_ in counted]
    known = {
        cause.id: cause
        for cause in FailureCause.select(FailureCause, User).join(User, peewee.JOIN.LEFT_OUTER).where(FailureCause.id.in_(ids))
    }
    looked_after = owners.of(known.values(), _senders(ids))
    tried = _trials(ids)
    return [
        Group(known[id], looked_after[id], count, cents(total), last, oldest, int(lately), int(before), tried.get(id))
        for id, count, total, last, oldest, lately, before in counted
    ]


def _trials(ids: list[int]) -> dict[int, ChangeOrder]:
    """By group, the one change order of its last bulk action, where that had only one and is not older than a day."""
    last = BulkAction.select(peewee.fn.MAX(BulkAction.id)).where(BulkAction.group.in_(ids)).group_by(BulkAction.group)
    ones = BulkAction.id.in_(last) & (BulkAction.asked == 1) & (BulkAction.what == What.RETRY) & (BulkAction.at > clock.now() - DAY)
    tried: Any = BulkResult.select(BulkResult.change_order, BulkAction.group).join(BulkAction).where(ones).tuples()
    by_id = dict(tried)
    return {by_id[one.id]: one for one in complete().where(ChangeOrder.id.in_(list(by_id)))} if by_id else {}


def _senders(ids: list[int]) -> dict[int, list[str]]:
    """By group, who sent what failed for its data, the most frequent first."""
    sent: Any = (
        ChangeOrder.select(_shown_under, User.name)
        .join(FailureCause, on=(FailureCause.id == ChangeOrder.cause))
        .join(User, on=(User.id == ChangeOrder.sent_by))
        .where(HAS_FAILED, FailureCause.kind == "data", _shown_under.in_(ids))
        .group_by(_shown_under, User.id, User.name)
        .order_by(peewee.fn.COUNT(ChangeOrder.id).desc(), User.name)
        .tuples()
    )
    found: dict[int, list[str]] = {}
    for id, name in sent:
        found.setdefault(id, []).append(name)
    return found
