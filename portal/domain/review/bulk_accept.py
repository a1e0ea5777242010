"""Accept many clean change orders at once: a sheet to read, then each by its own Accept; Undo while nothing was sent."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from portal.db import lock
from portal.domain import companies, events, people
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.events import BULK_ACTION, Action
from portal.domain.exporting import exports
from portal.domain.people import NotPermitted, User
from portal.domain.review import bulk_actions, decisions, lists, selection, signature
from portal.domain.review.bulk_actions import Asked, BulkAction, BulkOutcome, Chosen, NotAsSeen, What
from portal.domain.review.lists import Row
from portal.domain.rules import attention, contracts
from portal.domain.rules.attention import Reason
from portal.domain.rules.contracts import NOTHING, Contract


@dataclass(frozen=True, slots=True)
class Entry:
    """A change order on the sheet; its contract counts those above it as accepted. `why_not`: why it can't go, or an empty text."""

    row: Row
    contract: Contract
    why_not: str

    @property
    def digest(self) -> str:
        return digest(self.row.change_order)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What would be accepted, in order, and what can't go."""

    going: list[Entry]
    staying: list[Entry]

    @property
    def total(self) -> Decimal:
        return sum((entry.contract.amount for entry in self.going), NOTHING)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sheet showed of a change order: the digest of all that Accept signs, and what of its contract was approved before it."""

    digest: str
    approved: Decimal


def sheet(rows: list[Row]) -> Sheet:
    """Those of the rows that are clean, as many as can go at once."""
    alone, above = contracts.of(row.change_order for row in rows), defaultdict[int, Decimal](lambda: NOTHING)
    found, most = Sheet([], []), companies.current().bulk_cap
    for row in rows:
        contract, commitment = alone[row.change_order.id], row.change_order.commitment_id
        contract = replace(contract, approved=contract.approved + above[commitment])
        if why := why_not(row, contract) or bulk_actions.not_among(len(found.going), most):
            found.staying.append(Entry(row, contract, why))
        else:
            found.going.append(Entry(row, contract, ""))
            above[commitment] += contract.amount
    return found


def why_not(row: Row, contract: Contract) -> str:
    """Why it is not accepted with others, or an empty text: bulk Accept is for what nothing has to be read into."""
    if why := selection.why_not(row):
        return why
    looks = list(row.looks)
    if contract.is_over and Reason.GROWN in row.change_order.company.look_rules.split() and Reason.GROWN.label not in looks:
        looks.append(Reason.GROWN.label)
    return f"Needs a look: {', '.join(looks)}." if looks else ""


def digest(change_order: ChangeOrder) -> str:
    """Of all that is shown to who accepts it."""
    return hashlib.sha256(signature.carried(signature.shown(change_order)).encode()).hexdigest()


def accept(chosen: list[Chosen], seen: Mapping[int, Seen], by: User, key: str) -> BulkAction:
    """Ready -> Queued for each that is still clean and what the sheet showed. Raises NotPermitted for who may accept nothing."""
    if not by.may_decide:
        raise NotPermitted(by.why_not_decide)

    def act(one: Chosen, by: User, place: int) -> object:
        by = people.as_held(by)
        _hold_contract(one.id)
        held = signature.hold(one.id)
        if held.is_ready and held.version == one.version:
            _ensure_as_seen(held, by, seen[one.id])
        return decisions.accept(one.id, by, one.version, signature.marks(held))

    asked = Asked(What.ACCEPT, "Clean change orders, Ready to Export", chosen, most=companies.current().bulk_cap)
    return bulk_actions.carry_out(asked, by, key, act)


def _hold_contract(id: int) -> None:
    """No one else accepts under the same contract before this transaction ends: two at once would grow it past its limit unseen."""
    theirs = ChangeOrder.select(ChangeOrder.commitment).where(ChangeOrder.id == id)
    lock(Commitment.select(Commitment.id).where(Commitment.id.in_(theirs)), "FOR NO KEY UPDATE")


def _ensure_as_seen(held: ChangeOrder, by: User, seen: Seen) -> None:
    """Raise NotAsSeen, naming what is otherwise than the sheet showed. The caller holds it."""
    if digest(held) != seen.digest:
        raise NotAsSeen("It was changed after the sheet was opened.")
    contract = contracts.of([held])[held.id]
    if contract.approved > seen.approved:
        raise NotAsSeen("More of its contract was approved after the sheet was opened.")
    row = lists.row(held.id, by)
    row.change_order.looks = attention.judge([held], {held.id: held.checks})[held.id]  # what is kept may be older than what is beside it
    if why := why_not(row, contract):
        raise NotAsSeen(why)


def undoable(action: BulkAction, viewer: User) -> list[ChangeOrder]:
    """What it accepted, nothing of which was sent yet, and this person may recall."""
    if action.what != What.ACCEPT:
        return []
    queued = [now for result, now in bulk_actions.results(action) if result.outcome == BulkOutcome.DONE and now.state is Status.QUEUED]
    accepted = events.latest(SUBJECT, [one.id for one in queued], of=(Action.ACCEPTED,))
    sent = exports.attempted([one.export for one in queued if one.export])
    own = [one for one in queued if accepted[one.id].facts.get(BULK_ACTION) == action.id and one.export not in sent]
    return [one for one in own if not decisions.why_not_recall(one, viewer)]


def undo(action: BulkAction, chosen: list[Chosen], by: User, key: str) -> BulkAction:
    """Queued -> Ready for each that is still as it was accepted."""

    def act(one: Chosen, by: User, place: int) -> object:
        return decisions.recall(one.id, by, one.version)

    return bulk_actions.carry_out(Asked(What.RECALL, f"What {action.by.name} accepted at once", chosen), by, key, act)
