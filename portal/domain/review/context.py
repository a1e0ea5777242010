"""The context of a decision: what it does to the contract, what it may repeat, and what was decided for the vendor lately."""

from dataclasses import dataclass

from portal.domain import change_orders
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.commitments import Commitment
from portal.domain.events import Action, Event, with_actors
from portal.domain.people import User
from portal.domain.projects import revisions
from portal.domain.rules import contracts, possible_duplicates
from portal.domain.rules.contracts import Contract

SHOWN = 3
DECIDED = (Action.ACCEPTED, Action.REJECTED, Action.RECALLED)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about another change order of the same vendor."""

    event: Event
    about: ChangeOrder


@dataclass(frozen=True, slots=True)
class Context:
    """`duplicates` are possible ones, the oldest first; `lately` the last three decisions for the vendor, the newest first."""

    contract: Contract
    duplicates: list[ChangeOrder]
    lately: list[Decision]


def of(change_order: ChangeOrder, viewer: User) -> Context:
    """The context of one change order, in a constant number of queries."""
    contract = contracts.of([change_order])[change_order.id]
    return Context(contract, possible_duplicates.of([change_order]).get(change_order.id, []), _lately(change_order, viewer))


def _lately(change_order: ChangeOrder, viewer: User) -> list[Decision]:
    vendor = change_order.commitment.vendor
    if vendor is None:
        return []
    others = ChangeOrder.select(ChangeOrder.id).join(Commitment).where(Commitment.vendor == vendor, ChangeOrder.id != change_order.id)
    ours = Event.subject == SUBJECT, Event.ref.in_(others), Event.action.in_(DECIDED)
    newest = (Event.seq + 0).desc()  # not by the key: a vendor with few decisions would be looked for through all events
    found = list(with_actors().where(*ours).order_by(newest).limit(SHOWN))
    theirs = change_orders.with_lines(change_orders.complete().where(ChangeOrder.id.in_([event.ref for event in found])))
    revisions.show_as_sent(theirs, viewer)  # what a project makes of it meanwhile is its own business
    about = {row.id: row for row in theirs}
    return [Decision(event, about[event.ref]) for event in found]
