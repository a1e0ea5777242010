"""Mail that failed or is late: what people see of it, and what an administrator does about it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal import clock
from portal.db import UtcField, database, transaction
from portal.db.steps import Asks, Read, Steps
from portal.domain import events, outbox, people
from portal.domain.accounts import password_links
from portal.domain.change_orders import ChangeOrder
from portal.domain.companies import Company, current
from portal.domain.lanes import MAIL
from portal.domain.mail import daily_summary, letters, refusals
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.people import User

LATE = timedelta(minutes=15)
SHOWN = 200
OF_CHANGE_ORDERS = (Task.REJECTED, Task.QUESTION, Task.RESUBMITTED)  # what the subject of these is
WAITING = f"FROM dispatch WHERE lane = '{MAIL}' AND finished_at IS NULL"
FAILED = Read("COUNT(id)", f"FROM dispatch WHERE lane = '{MAIL}' AND outcome = '{DispatchOutcome.FAILED}'", ())
OVER = "Its time has passed, so it cannot go any more."


class Settled(Exception):
    """Nothing is to be done about this mail; the text says why."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A mail that failed, or is late.

    about    the change order it tells of, if it tells of one
    is_over  its time has passed: sending it again would help no one
    """

    dispatch: Dispatch
    to: User
    about: ChangeOrder | None
    is_over: bool

    @property
    def failed(self) -> bool:
        return bool(self.dispatch.outcome == DispatchOutcome.FAILED)


@Asks
def count() -> Steps[int]:
    """How many; one that is not late yet will be at its time. Only where one is late is a second query needed."""
    moment = UtcField()
    ((oldest,),), ((failed,),) = yield [Read("MIN(promised_at)", WAITING, ()), FAILED]
    if (promised_at := moment.python_value(oldest)) is None or not clock.is_past(promised_at + LATE):
        return int(failed)
    late_from = [moment.db_value(clock.present() - LATE)]
    late = Read("COUNT(id)", f"{WAITING} AND outcome <> '{DispatchOutcome.FAILED}' AND promised_at <= {database.param}", late_from)
    ((count,),), ((next_late,),) = yield [late, Read("MIN(promised_at)", f"{WAITING} AND promised_at > {database.param}", late_from)]
    if promised_at := moment.python_value(next_late):
        clock.changes_at(promised_at + LATE)
    return int(count) + int(failed)


def oldest() -> list[Trouble]:
    """The oldest first, at most 200, in a constant number of queries."""
    return _read(Dispatch.select().where(_troubled()).order_by(Dispatch.promised_at, Dispatch.id).limit(SHOWN))


def send_again(id: int, by: User) -> Trouble:
    """Enqueue the mail again, with a new budget of tries and time. Raises NotPermitted or Settled."""
    with transaction():
        by, trouble = _open(id, by)
        if trouble.is_over:
            raise Settled(OVER)
        refusals.try_now()
        outbox.reopen(trouble.dispatch.key)
        _record(trouble, "mail sent again", by)
        return trouble


def set_aside(id: int, by: User) -> Trouble:
    """It needs no sending any more: it is not tried again, and goes off the list. Raises NotPermitted or Settled."""
    with transaction():
        by, trouble = _open(id, by)
        dispatch = trouble.dispatch
        error = f"set aside: {dispatch.error}"[:255]
        Dispatch.update(finished_at=clock.now(), outcome=DispatchOutcome.SKIPPED, error=error).where(Dispatch.id == id).execute()
        _record(trouble, "mail set aside", by)
        return trouble


def _read(query: Any) -> list[Trouble]:
    dispatches = list(query)
    to = {user.id: user for user in User.select().where(User.id.in_([letters.recipient(dispatch.key) for dispatch in dispatches]))}
    told = [dispatch.subject for dispatch in dispatches if dispatch.task in OF_CHANGE_ORDERS]
    about = {row.id: row for row in ChangeOrder.select().where(ChangeOrder.id.in_(told))}
    company = current()
    return [
        Trouble(
            dispatch,
            to[letters.recipient(dispatch.key)],
            about[dispatch.subject] if dispatch.task in OF_CHANGE_ORDERS else None,
            _is_over(dispatch, company),
        )
        for dispatch in dispatches
    ]


def _is_over(dispatch: Dispatch, company: Company) -> bool:
    if dispatch.task == Task.LINK:
        return clock.now() >= password_links.expires_at(dispatch.key)
    return dispatch.task == Task.DAILY and clock.now() >= daily_summary.expires_at(company, daily_summary.day_of(dispatch.key))


def _open(id: int, by: User) -> tuple[User, Trouble]:
    by = people.require_administrator(by, "sends mail again or sets it aside")
    troubles = _read(Dispatch.select().where(_troubled(), Dispatch.id == id))
    if not troubles:
        raise Settled("This mail is neither late nor failed: it went out, is on its way, or was set aside.")
    return by, troubles[0]


def _record(trouble: Trouble, action: str, by: User) -> None:
    events.record("user", trouble.to.id, action, by, mail=trouble.dispatch.key, text=trouble.dispatch.error)


def _troubled() -> Any:
    late = Dispatch.finished_at.is_null() & (Dispatch.promised_at <= clock.present() - LATE)
    return (Dispatch.lane == MAIL) & (late | (Dispatch.outcome == DispatchOutcome.FAILED))
