"""Four eyes: the people who shaped a change order do not decide about it."""

from collections.abc import Callable
from typing import Any

from portal.domain import people
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.companies import Company
from portal.domain.people import NotPermitted, User
from portal.domain.rules import contributors
from portal.domain.rules.contributors import Contributors


def ensure_may_decide(change_order: ChangeOrder, by: User) -> None:
    """Rule 21. Raises NotPermitted with the reason that the row also shows."""
    if why := why_not_decide(change_order, by, contributors.of(change_order), people.approvers):
        raise NotPermitted(why)


def why_not_decide(
    change_order: ChangeOrder, by: User, contributed: Contributors, approvers: Callable[[], list[User]] | None = None
) -> str:
    """Why this person may not decide this change order, or an empty text; who of the `approvers` can, where they are wanted.

    `contributed`: its contributors (`contributors.of`).
    """
    return by.why_not_decide or why_not(change_order, by, contributed, approvers)


def waits_for(by: User) -> Any:
    """Ready, and `why_not_decide` is empty for `by`: as a condition of a query over change orders joined to their company."""
    if not by.may_decide:
        return ChangeOrder.id.is_null()
    return (ChangeOrder.status == Status.READY) & (~Company.four_eyes | contributors.without(by))


def why_not(change_order: ChangeOrder, by: User, contributed: Contributors, able: Callable[[], list[User]] | None = None) -> str:
    """Why four eyes keep this person from deciding about it, or an empty text; who else is `able` to, where that is wanted."""
    if not change_order.company.four_eyes or by.id not in contributed:
        return ""
    others = [person.name for person in able() if person.id not in contributed] if able else []
    return f"You {contributed[by.id]}, so another approver has to decide it (four eyes).{_who_can(others) if able else ''}"


def ensure_none_of(change_order: ChangeOrder, by: User, able: Callable[[], list[User]]) -> None:
    """Rule 21 for every decision: raises NotPermitted where four eyes forbid it, naming who is `able`."""
    if why := why_not(change_order, by, contributors.of(change_order), able):
        raise NotPermitted(why)


def _who_can(names: list[str]) -> str:
    return f" Approvers: {', '.join(names)}." if names else " No one else can. Ask an administrator to give someone Can Push to Accounting."
