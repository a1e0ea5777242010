"""How a transition begins: a repeat of the same decision changes nothing."""

from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.events import Action, Event
from portal.domain.people import User

LONGEST_REASON = 1000
DECISIONS = (
    Action.ACCEPTED,
    Action.REJECTED,
    Action.RECALLED,
    Action.RETRIED,
    Action.SAID_PRESENT,
    Action.SAID_ABSENT,
    Action.ENTERED_BY_HAND,
    Action.UNLINKED,
    Action.RETRIEVED,
    Action.VOIDED,
    Action.REVIEWED_AGAIN,
    Action.SENT,
)


def is_repeat(change_order: ChangeOrder, by: User, action: Action, version: int) -> bool:
    """Whether this very decision was already recorded: a double click, or a retry after a lost answer."""
    last = (
        Event.select()
        .where(Event.subject == SUBJECT, Event.ref == change_order.id, Event.action.in_(DECISIONS))
        .order_by(Event.seq.desc())
        .first()
    )
    return bool(last and last.action == action and last.actor_id == by.id and last.facts.get("seen") == version)
