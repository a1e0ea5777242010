"""Whoever waits is told: what the portal has to keep ready for the users who wait, state by state."""

from portal.domain import outbox
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.exporting import alerts, exports
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import leftovers
from portal.domain.review import decisions
from portal.domain.rules import contributors
from tests.model.model import ensure

OPEN = (Status.QUEUED, Status.EXPORTING, Status.UNKNOWN)
WAITING = (*OPEN, Status.FAILED, Status.REJECTED)


def check(change_order: ChangeOrder) -> None:
    state = change_order.state
    if state in (Status.QUEUED, Status.EXPORTING):
        ensure(_is_open(change_order), f"CCO {change_order.id} is {state}, and nobody is going to send it")
    if state is Status.UNKNOWN:
        ensure(_is_open(change_order) or _has_rung(alerts.UNKNOWN), f"CCO {change_order.id} is unknown, and nobody is told")
    if state is Status.FAILED:
        failure = leftovers.last_failure(change_order)
        ensure(failure and (failure.facts.get("text") or failure.facts.get("note")), f"CCO {change_order.id} failed, and nobody says why")
        said = failure.action != "failed" or _has_rung(failure.facts["cause"])
        ensure(said, f"CCO {change_order.id} failed, and nobody gets mail about it")
    if state is Status.REJECTED:
        promised = outbox.promised(decisions.rejected_key(change_order, person) for person in contributors.authors(change_order))
        ensure(
            len(promised) == len(contributors.authors(change_order)), f"CCO {change_order.id} was sent back, and its authors are not told"
        )


def _is_open(change_order: ChangeOrder) -> bool:
    kept = outbox.promised([exports.key(change_order.export or 0)])
    return any(dispatch.finished_at is None for dispatch in kept.values())


def _has_rung(cause: str) -> bool:
    return Dispatch.select().where(Dispatch.task == Task.FAILED_EXPORTS, Dispatch.key.startswith(f"failed:{cause}:")).exists()
