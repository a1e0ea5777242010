"""What a change order does to its contract: the original value, what is approved so far, and how far it has grown."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import peewee

from portal.db import cents
from portal.domain.change_orders import ChangeOrder, Status

APPROVED = (Status.QUEUED, Status.EXPORTING, Status.EXPORTED, Status.FAILED, Status.UNKNOWN)  # accepted, and not sent back since
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Contract:
    """A commitment before and after one change order, US dollars.

    original   null while no file has named it
    approved   its other change orders that accounting has accepted, exported or not
    limit      growth in percent of the original above which the company wants to look; None for none
    """

    original: Decimal | None
    approved: Decimal
    amount: Decimal
    limit: int | None

    @property
    def after(self) -> Decimal | None:
        return None if self.original is None else self.original + self.approved + self.amount

    @property
    def growth(self) -> Decimal | None:
        """What all changes together come to, in percent of the original; None where there is nothing to compare with."""
        if not self.original:
            return None
        return ((self.approved + self.amount) * 100 / self.original).quantize(Decimal("0.1"), ROUND_HALF_UP)

    @property
    def is_over(self) -> bool:
        """Whether it has grown past the limit: exactly, not as rounded."""
        if not self.original or self.limit is None:
            return False
        return (self.approved + self.amount) * 100 > self.limit * self.original


def of(shown: Iterable[ChangeOrder]) -> dict[int, Contract]:
    """The contract of each change order, by its id, in one query."""
    rows = list(shown)
    approved = _approved({row.commitment_id for row in rows})
    return {row.id: _contract(row, approved.get(row.commitment_id, NOTHING)) for row in rows}


def _contract(row: ChangeOrder, approved: Decimal) -> Contract:
    others = approved - row.amount if row.state in APPROVED else approved
    return Contract(row.commitment.original_amount, others, row.amount, row.company.growth_limit)


def _approved(commitments: set[int]) -> dict[int, Decimal]:
    total = peewee.fn.SUM(ChangeOrder.amount).coerce(False)
    sums: Any = ChangeOrder.select(ChangeOrder.commitment, total).where(
        ChangeOrder.commitment.in_(commitments), ChangeOrder.status.in_(APPROVED)
    )
    return {id: cents(sum) for id, sum in sums.group_by(ChangeOrder.commitment).tuples()}
