"""The change orders that a person ticked in a list, as they are now: which of them can go, and why the others can't."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from portal.db.rows import places
from portal.domain import change_orders
from portal.domain.people import User
from portal.domain.review import bulk_actions, lists
from portal.domain.review.lists import Row
from portal.domain.rules.contracts import NOTHING


@dataclass(frozen=True, slots=True)
class Staying:
    """One that can't go, and why."""

    row: Row
    why_not: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Those that can be decided, and the others with the reason; both oldest first."""

    going: list[Row]
    staying: list[Staying]

    @property
    def total(self) -> Decimal:
        return sum((row.change_order.amount for row in self.going), NOTHING)


def rows(ids: Collection[int], viewer: User) -> list[Row]:
    """Oldest first, as in the list, in a constant number of queries. What was never sent is its job's own business, and left out."""
    if not ids:
        return []
    found = change_orders.listed(f"WHERE t1.id IN {places(ids)} AND t1.sent_at IS NOT NULL ORDER BY t1.sent_at, t1.id", ids)
    return lists.rows_with_lines(found, viewer)


def parted(chosen: list[Row], most: int) -> Selection:
    """At most `most` can go at once."""
    found = Selection([], [])
    for row in chosen:
        if why := why_not(row) or bulk_actions.not_among(len(found.going), most):
            found.staying.append(Staying(row, why))
        else:
            found.going.append(row)
    return found


def why_not(row: Row) -> str:
    """Why the person can't decide it, or an empty text."""
    return row.why_not if row.change_order.is_ready else f"It is now: {row.change_order.label}."
