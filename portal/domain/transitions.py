"""How a decision about a change order begins, and how it is recorded.

Locks are taken in one order, which prevents deadlocks: the person's rights, what the change order belongs to, the change order.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from portal.domain import change_orders, events, people
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
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
    Action.ASKED,
    Action.ANSWERED,
    Action.HELD,
    Action.RELEASED,
)


class Begun(NamedTuple):
    """`by` with the rights of this moment. A repeat (double click, retry after a lost answer) must change nothing."""

    by: User
    change_order: ChangeOrder
    is_repeat: bool


def begin(
    id: int, by: User, action: Action, version: int, *states: Status, hold: Callable[[int], ChangeOrder] = change_orders.hold
) -> Begun:
    """Lock the person's rights and the change order until the transaction ends.

    `states`: raises Overtaken unless it is in one of them, and in the version that the person saw; without any the caller
    checks that. `hold` takes further locks together with the one on the change order.
    """
    by, change_order = people.as_held(by), hold(id)
    if _is_repeat(change_order, by, action, version):
        return Begun(by, change_order, True)
    if states:
        change_order.expect(version, *states)
    return Begun(by, change_order, False)


def record(change_order: ChangeOrder, action: Action, by: User, version: int, **facts: Any) -> None:
    """Record the decision with the version it was made on, by which its repeat is recognized. The last write of the transaction."""
    events.record(SUBJECT, change_order.id, action, by, revision=change_order.revision, seen=version, **facts)


def _is_repeat(change_order: ChangeOrder, by: User, action: Action, version: int) -> bool:
    last = (
        Event.select()
        .where(Event.subject == SUBJECT, Event.ref == change_order.id, Event.action.in_(DECISIONS))
        .order_by(Event.seq.desc())
        .first()
    )
    return bool(last and last.action == action and last.actor_id == by.id and last.facts.get("seen") == version)
