"""Mail to the approver who rejected a change order, when it comes back corrected: for those who asked for it."""

from dataclasses import dataclass

from portal.domain import change_orders, outbox
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.lanes import MAIL
from portal.domain.outbox import NotWanted, Task
from portal.domain.people import User
from portal.domain.projects import revisions
from portal.domain.projects.revisions import Comparison


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """What the mail says: the change order as it is now, and what changed since it was sent back."""

    key: str
    to: User
    change_order: ChangeOrder
    since: Comparison | None


def promise(change_order: ChangeOrder) -> None:
    """Promise the mail before a rejected change order becomes ready again, in the transaction in which it does."""
    by: User | None = change_order.decided_by
    if change_order.state is Status.REJECTED and by and by.wants_resubmitted:
        key = f"resubmitted:{change_order.id}:{change_order.revision + 1}:{by.id}"
        outbox.promise(key, MAIL, Task.RESUBMITTED, change_order.id)


def write(key: str, to: User) -> Resubmitted:
    """The promised mail as things are now. Raises NotWanted."""
    _, id, revision, _ = key.split(":")
    change_order = change_orders.load(int(id))
    if not (to.wants_resubmitted and to.may_decide):
        raise NotWanted("the person wants no such mail, or may not accept change orders")
    if not change_order.is_ready or change_order.revision != int(revision):
        raise NotWanted("it was decided or retrieved meanwhile")
    return Resubmitted(key, to, change_order, revisions.since_rejection([change_order]).get(change_order.id))
