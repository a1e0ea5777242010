"""Which promised mail goes to whom, about what. Mail never holds up or undoes an accounting fact."""

from dataclasses import dataclass
from datetime import timedelta

from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.change_orders import ChangeOrder
from portal.domain.outbox import Dispatch, Lane
from portal.domain.people import User

SUBJECT = "change_order"
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


def rejected_key(change_order: ChangeOrder, person: int) -> str:
    return f"rejected:{change_order.id}:{change_order.revision}:{person}"


def begin(dispatch: Dispatch, claim: int) -> Letter | None:
    """Count the try, and answer what to send; None when it was sent meanwhile or the recipient has left. Raises outbox.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, LEASE)
        if not Dispatch.select().where(Dispatch.id == dispatch.id, Dispatch.finished_at.is_null()).exists():
            return None
        outbox.begin(dispatch, back_off(dispatch.tries))
        _, id, revision, person = dispatch.key.split(":")
        to = User.get_by_id(int(person))
        if not to.active:
            outbox.finish(dispatch, "not sent: the account was deactivated")
            return None
        rejection = _rejection(int(id), int(revision))
        by = rejection.actor.name if rejection.actor else "Accounting"
        return Letter(dispatch.key, to, change_orders.load(int(id)), by, rejection.facts["reason"])


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]


def _rejection(id: int, revision: int) -> events.Event:
    return next(
        event for event in reversed(events.history(SUBJECT, id)) if event.action == "rejected" and event.facts["revision"] == revision
    )
