"""Review again: what failed goes back to the approvers as it was sent, to be accepted once more as things are now."""

from portal.db import transaction
from portal.domain import outbox, transitions
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.events import Action
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Export
from portal.domain.people import User
from portal.domain.recovery import leftovers
from portal.domain.rules import checks, findings, four_eyes, recheck
from portal.domain.rules.findings import require


@recheck.beside
def review_again(id: int, by: User, version: int, not_entered: bool = False) -> ChangeOrder:
    """Failed -> Ready: same revision, same Spectrum number; the frozen lines stay behind as history.

    Only while no line is, or may be, in Spectrum: a second frozen copy would stand beside it. `not_entered`: as in
    resolutions.retry. Raises NotPermitted, Overtaken or Blocked. The same person's repeat changes nothing.
    """
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.REVIEWED_AGAIN, version, Status.FAILED)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        workbook = leftovers.workbook_of(leftovers.last_failure(change_order))
        unsure = leftovers.against_second_entry(workbook, not_entered=not_entered)
        require([*unsure, *leftovers.against_review(change_order)])
        export, verdict = Export.get_by_id(change_order.export), findings.verdict(checks.at_send(change_order))
        change_order.move(Status.READY, version, decided_by=None, decided_at=None, export=None, checks=verdict)
        outbox.withdraw(exports.key(export.id))
        facts = {"number": export.number, **leftovers.said_of(workbook)}
        transitions.record(change_order, Action.REVIEWED_AGAIN, by, version, **facts)
        return change_order
