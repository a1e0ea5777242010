"""A change order whose Spectrum number another one has taken: it gets a new number, and nothing of it may stay under the old one.

That happens where the company code, the job number or the customer changed between two Accepts: under the new key the
number was free, and someone was quicker.
"""

from portal.domain import events
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.events import Action
from portal.domain.exporting.exports import SENDS, Attempt, Export, LineOutcome
from portal.domain.people import User
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import ADMIN, Finding

BY_HANDS = (Action.ENTERED_BY_HAND, Action.LEFT_AS_WORKBOOK)  # events after which someone else may have put it into Spectrum


def needs_removal(change_order: ChangeOrder) -> spectrum_numbers.Taken | None:
    """The number it has lost, if anything may ever have reached Spectrum under it; else None."""
    lost = spectrum_numbers.lost(change_order)
    return lost if lost and _was_sent(change_order, lost.number) else None


def findings(change_order: ChangeOrder, by: User, *, removed: bool) -> list[Finding]:
    """What stands against another number: lines under the old one. `removed`: `by` says that they were taken out."""
    lost = needs_removal(change_order)
    if lost is None:
        return []
    told = f"It was sent to Spectrum as {lost.number}, and that number belongs to {spectrum_numbers.named(lost.holder)} now."
    if not (by.may_administer and by.may_decide):
        fix = "An administrator with ‘Can Push to Accounting’ accepts it under a new number, after its old lines were removed there."
        return [Finding(17, "removed", told, ADMIN, fix)]
    fix = f"Remove its lines under {lost.number} there, and tick the box."
    return [] if removed else [Finding(17, "removed", told, ADMIN, fix)]


def _was_sent(change_order: ChangeOrder, number: str) -> bool:
    """Whether a line left under the number, or someone else was asked to enter it: under whichever key."""
    exports = Export.select(Export.id).where(Export.change_order == change_order, Export.number == number)
    left = Attempt.outcome.is_null() | (Attempt.outcome != LineOutcome.NOT_SENT)
    if Attempt.select().where(Attempt.export.in_(exports), Attempt.kind.in_(SENDS), left).exists():
        return True
    told = (event for event in events.history(SUBJECT, change_order.id) if event.action in BY_HANDS)
    return any(event.facts["number"] == number for event in told)
