"""What people do with a whole group: retry it, one first if they like, or send all of it back."""

from datetime import timedelta

from portal.domain.change_orders import ChangeOrder
from portal.domain.companies import current
from portal.domain.exporting.failure_causes import HAS_FAILED, ids_of_group
from portal.domain.people import User
from portal.domain.recovery import resolutions
from portal.domain.review import bulk_actions, bulk_reject
from portal.domain.review.bulk_actions import MOST, Asked, BulkAction, Chosen, What
from portal.domain.transitions import LONGEST_REASON
from portal.domain.triage.groups import Group
from portal.domain.triage.owners import BY_RULE

BETWEEN = timedelta(seconds=2)  # two that are retried at once, so that what is newly accepted finds its turn too


def why_not_retry(by: User) -> dict[str, str]:
    """By class of failure, why this person may not retry it, or an empty text; four eyes are read at each row."""
    company = current()
    return {kind: resolutions.why_not_retry_kind(company, by, kind) for kind in BY_RULE}


def first(group: Group, count: int = MOST) -> list[ChangeOrder]:
    """The first of the group, in the order in which they were accepted: what one press retries or sends back."""
    query = ChangeOrder.select(ChangeOrder.id, ChangeOrder.version, ChangeOrder.amount)
    of_group = query.where(HAS_FAILED, ChangeOrder.cause.in_(ids_of_group(group.cause.id)))
    return list(of_group.order_by(ChangeOrder.export).limit(count))


def retry(group: Group, chosen: list[Chosen], by: User, key: str) -> BulkAction:
    """Failed -> Queued for each, spread out in the order given. Raises NotPermitted."""

    def act(one: Chosen, by: User, place: int) -> object:
        return resolutions.retry(one.id, by, one.version, due_in=place * BETWEEN)

    return bulk_actions.carry_out(Asked(What.RETRY, group.cause.title, chosen, group.cause.id), by, key, act)


def reject(group: Group, chosen: list[Chosen], by: User, key: str, reason: str) -> BulkAction:
    """Failed -> Rejected for each, with one reason. Raises NotPermitted, or Blocked for a reason that no mail can carry."""
    return bulk_reject.reject(chosen, by, key, reason, group.cause.title, group.cause.id)


def proposed_reason(group: Group) -> str:
    """The cause in plain words, as the project team has to read it."""
    said = f"Spectrum said: “{group.cause.said}”" if group.cause.said else ""
    return " ".join(part for part in (group.cause.title, said) if part)[:LONGEST_REASON]
