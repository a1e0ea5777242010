"""Promised work, and the one lease under which it is done.

A promise is a row written in the transaction of the decision that causes it. The keeper rings for lanes that have due
rows; a worker takes the lane, works, and lets go. What Redis or RQ say is never asked.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain import lanes
from portal.domain.lanes import AHEAD, Lane

ZERO = timedelta(0)
LONGEST_DELAY = timedelta(hours=1)  # of what is tried again, or may be recalled before it goes
LONGEST_NIGHT = timedelta(hours=25)  # of what is promised for the coming night
LOST_WORKERS = 3


class Task(StrEnum):
    EXPORT = "export"
    READ_BACK = "read back"
    COMPARE = "compare"
    COMPARE_RESTORED = "compare restored"
    RECOUNT = "recount"
    RESEND_CHECK = "resend check"
    LOOK_UP = "look up"
    CONNECTION_TEST = "connection test"
    REJECTED = "rejected"
    QUESTION = "question"
    RESUBMITTED = "resubmitted"
    REMINDER = "reminder"
    FAILED_EXPORTS = "failed exports"
    PRIVILEGE = "privilege"
    FOUR_EYES = "four eyes"
    CODE = "code"
    TRIAL = "trial"
    STANDSTILL = "standstill"
    CLOCK = "clock"
    AUDIT = "audit"
    DAILY = "daily summary"
    READ_FILE = "read file"
    IMPORT_FILE = "import file"
    LINK = "password link"


NIGHTLY = (Task.COMPARE, Task.RECOUNT, Task.LOOK_UP)


class DispatchOutcome(StrEnum):
    """How a promise ended."""

    DONE = "done"  # an export's state tells the rest
    SKIPPED = "skipped"  # it became void
    FAILED = "failed"  # someone has to see it


class Dispatch(Model):
    """A promise: do `task` with `subject`, once. Unfinished ones are tried again when due.

    key       what makes the promise one promise, e.g. `export:17`
    subject   an id; the state is read fresh
    tries     times a worker began it since it was promised (or since the last Retry)
    outcome   of type DispatchOutcome; empty until finished
    error     what stands in the way, or why it ended as it did
    """

    key = peewee.CharField(unique=True)
    lane = peewee.CharField()
    task = peewee.CharField()
    subject = peewee.IntegerField()
    due_at = UtcField()
    tries = peewee.IntegerField(default=0)
    promised_at = UtcField(default=clock.now)
    finished_at = UtcField(null=True)
    outcome = peewee.CharField(default="")
    error = peewee.CharField(default="")


Dispatch.add_index(Dispatch.index(Dispatch.lane, Dispatch.due_at, where=Dispatch.finished_at.is_null(), name="dispatch_due"))
Dispatch.add_index(Dispatch.index(Dispatch.lane, where=peewee.SQL("outcome = 'failed'"), name="dispatch_failed"))
Dispatch.add_index(Dispatch.index(Dispatch.subject, where=peewee.SQL("task = 'failed exports'"), name="dispatch_alarms"))

PROMISES = Statement(Shape(Dispatch), query=Dispatch.select)


def promise(key: str, lane: str, task: Task, subject: int, due_in: timedelta = ZERO) -> None:
    """Record work to do, once per key. Call inside the transaction of the decision that causes it."""
    Dispatch.insert(key=key, lane=lane, task=task, subject=subject, due_at=clock.now() + due_in).on_conflict_ignore().execute()


def lanes_with_due_work() -> list[Lane]:
    """The lanes the keeper rings: something is due and no one is on it."""
    now = clock.now()
    due = Dispatch.select(Dispatch.lane).where(Dispatch.finished_at.is_null(), is_due(now))
    return list(Lane.select().where(Lane.name.in_(due), lanes.is_free(now)))


def is_due(now: datetime) -> Any:
    """Its time has come, or lies where no clock that is right could have put it."""
    return (Dispatch.due_at <= now) | is_due_ahead(now)


def is_due_ahead(now: datetime) -> Any:
    soon = Dispatch.task.not_in(NIGHTLY) & (Dispatch.due_at > now + LONGEST_DELAY + AHEAD)
    return soon | (Dispatch.due_at > now + LONGEST_NIGHT + AHEAD)


def due(lane: str, budget: timedelta) -> Iterator[Dispatch]:
    """Due promises of the lane, oldest first, read one by one so that each is as it is now, until the budget is spent."""
    end, passed = clock.now() + budget, set[int]()
    while clock.now() < end:
        dispatch = next_due(lane, passed)
        if dispatch is None:
            return
        passed.add(dispatch.id)
        yield dispatch


def next_due(lane: str, passed: set[int]) -> Dispatch | None:
    found: Dispatch | None = (
        Dispatch.select()
        .where(Dispatch.lane == lane, Dispatch.finished_at.is_null(), is_due(clock.now()), Dispatch.id.not_in(passed))
        .order_by(Dispatch.due_at, Dispatch.id)
        .first()
    )
    return found


def others_are_due(dispatch: Dispatch) -> bool:
    """Whether anything else waits on the same lane."""
    others = Dispatch.select().where(
        Dispatch.lane == dispatch.lane, Dispatch.finished_at.is_null(), is_due(clock.now()), Dispatch.id != dispatch.id
    )
    return others.exists()


def begin(dispatch: Dispatch, retry_in: timedelta) -> None:
    """Count the try and set the next one, before any work: a worker that dies leaves the promise standing."""
    Dispatch.update(tries=Dispatch.tries + 1, due_at=clock.now() + retry_in).where(Dispatch.id == dispatch.id).execute()
    dispatch.tries += 1


def postpone(dispatch: Dispatch, until: datetime, error: str = "", *, counts: bool = True) -> None:
    """Try again at `until`. A delay that says nothing about the work itself (a pause) does not count as a try."""
    changes: dict[str, Any] = {"due_at": until, "error": error[:255]}
    if not counts:
        changes["tries"] = 0
    Dispatch.update(**changes).where(Dispatch.id == dispatch.id).execute()


def finish(dispatch: Dispatch, error: str = "", outcome: DispatchOutcome = DispatchOutcome.DONE) -> None:
    Dispatch.update(finished_at=clock.now(), outcome=outcome, error=error[:255]).where(
        Dispatch.id == dispatch.id, Dispatch.finished_at.is_null()
    ).execute()


def promise_again(key: str, lane: str, task: Task, subject: int) -> None:
    """Promise what may have been done before, once more; what is promised already is only due now."""
    promise(key, lane, task, subject)
    reopen(key)


def reopen(key: str, due_in: timedelta = ZERO) -> None:
    """Enqueue a finished dispatch again, with a new budget of tries and time."""
    now = clock.now()
    Dispatch.update(finished_at=None, outcome="", tries=0, due_at=now + due_in, promised_at=now, error="").where(
        Dispatch.key == key
    ).execute()


@Asks
def promised(keys: Iterable[str]) -> Steps[dict[str, Dispatch]]:
    """The promises of these keys, kept or not, by key."""
    if not (wanted := list(keys)):
        return {}
    (found,) = yield [PROMISES.where(f"key IN {places(wanted)}", wanted)]
    return {dispatch.key: dispatch for (dispatch,) in found}


def withdraw(key: str) -> None:
    """An answer made the promise void."""
    Dispatch.update(finished_at=clock.now(), outcome=DispatchOutcome.SKIPPED).where(
        Dispatch.key == key, Dispatch.finished_at.is_null()
    ).execute()


class NotWanted(Exception):
    """This summary is not to be sent; the text says why."""
