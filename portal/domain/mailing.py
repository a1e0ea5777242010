"""Which promised mail goes to whom, about what. Mail never holds up or undoes an accounting fact."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.outbox import Dispatch, Lane, Task
from portal.domain.people import User

LEASE = timedelta(minutes=2)  # longer than the mail server's time-outs together
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (60, 120, 300, 900, 3600))


@dataclass(frozen=True, slots=True)
class Letter:
    """What a "sent back" mail says.

    key  of the promise; the Message-ID derives from it, so that copies are recognised as one mail
    """

    key: str
    to: User
    change_order: ChangeOrder
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """What a "client secret ends" mail says. `ends_on` is the secret's last day."""

    key: str
    to: User
    ends_on: date


def rejected_key(change_order: ChangeOrder, person: int) -> str:
    return f"rejected:{change_order.id}:{change_order.revision}:{person}"


def secret_expires_key(connection: int, ends_on: date, step: int, person: int) -> str:
    return f"secret-expires:{connection}:{ends_on.isoformat()}:{step}:{person}"


def begin(dispatch: Dispatch, claim: int) -> Letter | Reminder | None:
    """Count the try, and answer what to send; None when it was sent meanwhile or the recipient has left. Raises outbox.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, LEASE)
        if not Dispatch.select().where(Dispatch.id == dispatch.id, Dispatch.finished_at.is_null()).exists():
            return None
        outbox.begin(dispatch, back_off(dispatch.tries))
        to = User.get_by_id(int(dispatch.key.rpartition(":")[2]))
        if not to.active:
            outbox.finish(dispatch, "not sent: the account was deactivated")
            return None
        return WRITE[Task(dispatch.task)](dispatch.key, to)


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]


def _rejected(key: str, to: User) -> Letter:
    _, id, revision, _ = key.split(":")
    rejection = _rejection(int(id), int(revision))
    by = rejection.actor.name if rejection.actor else "Accounting"
    return Letter(key, to, change_orders.load(int(id)), by, rejection.facts["reason"])


def _secret_expires(key: str, to: User) -> Reminder:
    return Reminder(key, to, date.fromisoformat(key.split(":")[2]))


WRITE: dict[Task, Callable[[str, User], Letter | Reminder]] = {Task.REJECTED: _rejected, Task.REMINDER: _secret_expires}


def _rejection(id: int, revision: int) -> events.Event:
    return next(
        event for event in reversed(events.history(SUBJECT, id)) if event.action == "rejected" and event.facts["revision"] == revision
    )
