"""Review again: what failed goes back to the approvers as it was sent, to be accepted once more as things are now."""

from portal.db import transaction
from portal.domain import change_orders, checks, deciding, events, exports, leftovers, outbox, people
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.exports import Export
from portal.domain.people import User

AGAIN = "reviewed again"


def review_again(id: int, by: User, version: int) -> ChangeOrder:
    """Failed -> Ready: same revision, same Spectrum number; the frozen lines stay behind as history.

    Only while no line is, or may be, in Spectrum: a second copy, frozen anew, would stand beside it. Raises NotPermitted,
    Overtaken or Blocked. The same person's repeat changes nothing.
    """
    with transaction():
        by, change_order = people.as_held(by), change_orders.hold(id)
        if deciding.is_repeat(change_order, by, AGAIN, version):
            return change_order
        change_order.expect(Status.FAILED, version)
        deciding.ensure_may_decide(change_order, by)
        checks.require(leftovers.against_review(change_order))
        export, verdict = Export.get_by_id(change_order.export), checks.verdict(checks.at_send(change_order))
        change_order.move(Status.READY, version, decided_by=None, decided_at=None, export=None, checks=verdict)
        outbox.withdraw(exports.key(export.id))
        events.record(SUBJECT, id, AGAIN, by, revision=change_order.revision, seen=version, number=export.number)
        return change_order
