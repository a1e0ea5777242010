"""What waits in each lane, and change orders by the states in which someone or something has to act."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from portal import clock
from portal.domain import status_totals
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from portal.domain.statuses import Status

WATCHED = (Status.READY, Status.QUEUED, Status.EXPORTING, Status.FAILED, Status.UNKNOWN)
FAILED = peewee.SQL("outcome = 'failed'")  # as the index has it


@dataclass(frozen=True, slots=True)
class Backlog:
    """The promised work of one lane.

    waiting  due now or later
    due      due now
    oldest   when the oldest of it was due
    """

    lane: Lane
    waiting: int
    due: int
    oldest: datetime | None

    @property
    def kind(self) -> str:
        """`exports`, `mail` or `imports`."""
        return self.lane.queue


def all_queues() -> list[Backlog]:
    """Every lane, in two queries."""
    now = clock.now()
    is_due = peewee.Case(None, ((Dispatch.due_at <= now, 1),), 0)
    grouped: Any = Dispatch.select(Dispatch.lane, peewee.fn.COUNT(Dispatch.id), peewee.fn.SUM(is_due), peewee.fn.MIN(Dispatch.due_at))
    counted = {lane: rest for lane, *rest in grouped.where(Dispatch.finished_at.is_null()).group_by(Dispatch.lane).tuples()}
    lanes = Lane.select(Lane, User).join(User, peewee.JOIN.LEFT_OUTER).order_by(Lane.name)
    return [_queue(lane, *counted.get(lane.name, (0, 0, None))) for lane in lanes]


def failed_mail() -> int:
    return int(Dispatch.select().where(Dispatch.lane == MAIL, FAILED).count())


def states() -> dict[str, int]:
    """How many change orders stand in each of the states that call for something to happen, by the kept totals."""
    kept = status_totals.read()
    return {status.value: kept[status].count if status in kept else 0 for status in WATCHED}


def _queue(lane: Lane, waiting: int, due: int, first: datetime | None) -> Backlog:
    return Backlog(lane, waiting, int(due), first if due else None)
