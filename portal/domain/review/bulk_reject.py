"""Reject many change orders at once, with one reason: each by its own Reject."""

from portal.domain import companies
from portal.domain.people import User
from portal.domain.review import bulk_actions, decisions
from portal.domain.review.bulk_actions import MOST, Asked, BulkAction, Chosen, What
from portal.domain.rules.findings import require


def reject(chosen: list[Chosen], by: User, key: str, reason: str, about: str, group: int | None = None) -> BulkAction:
    """Back to their senders; `about` and `group` as the record has them. Raises NotPermitted, or Blocked for a reason no mail can carry."""
    reason = reason.strip()
    require(decisions.reason_findings(reason))

    def act(one: Chosen, by: User, place: int) -> object:
        return decisions.reject(one.id, by, one.version, reason)

    most = MOST if group else companies.current().bulk_cap
    return bulk_actions.carry_out(Asked(What.REJECT, about, chosen, group, reason, most), by, key, act)
