"""How many change orders stand in each status, and for how much money: kept by the moves that change it, so that no page counts.

Each move appends what it takes from one status and gives to another, in its own transaction; the totals are the sums of these
rows. Appending locks nothing, so that no two moves wait for each other; `fold` keeps the rows few.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import peewee

from portal.db import Model, MoneyField, UtcField, cents, transaction
from portal.db.steps import Asks, Read, Steps
from portal.domain.companies import Company

FOLDED_FROM = 100  # rows: fewer are quick to add up
FOLDED_AT_ONCE = 5_000
OLDEST = (
    "(SELECT sent_at FROM change_order WHERE change_order.status = status_total.status AND sent_at IS NOT NULL"
    " ORDER BY sent_at, id LIMIT 1)"
)
TOTALS = Read(f"status, SUM(change_orders), SUM(amount), {OLDEST}", "FROM status_total GROUP BY status", ())


class StatusTotal(Model):
    """A part of the total of one status in one company; negative for what left it. Only what was sent at least once counts.

    change_orders  how many
    amount         their sum; of what is with its project, as it was sent
    """

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    company_id: int
    status = peewee.CharField(max_length=20)
    change_orders = peewee.IntegerField()
    amount = MoneyField()


@dataclass(frozen=True, slots=True)
class Totals:
    """Count, sum in US dollars, and the send time of the oldest."""

    count: int = 0
    total: Decimal = Decimal("0.00")
    oldest: datetime | None = None


def post(company: int, left: tuple[str, Decimal] | None, entered: tuple[str, Decimal] | None) -> None:
    """Record which status a change order left with which amount, and which it entered. In the transaction of its move."""
    sides = [(*side, sign) for side, sign in ((left, -1), (entered, 1)) if side]
    if sides:
        StatusTotal.insert_many([_row(company, status, sign, amount * sign) for status, amount, sign in sides]).execute()


@Asks
def read() -> Steps[dict[str, Totals]]:
    """The totals of each status, in one query that reads no change order but the oldest of each."""
    (rows,) = yield [TOTALS]
    moment = UtcField()
    return {
        status: Totals(int(count), cents(amount), moment.python_value(oldest) if count else None) for status, count, amount, oldest in rows
    }


def fold() -> None:
    """Replace many rows by one for each company and status. Any number of processes may do it at the same time."""
    if StatusTotal.select().count() < FOLDED_FROM:
        return
    with transaction():
        oldest = StatusTotal.select(StatusTotal.id).order_by(StatusTotal.id).limit(FOLDED_AT_ONCE)
        taken = StatusTotal.delete().where(StatusTotal.id.in_(oldest)).returning(StatusTotal)  # exactly what is added up below
        sums: dict[tuple[int, str], tuple[int, Decimal]] = {}
        for row in taken.execute():
            count, amount = sums.get((row.company_id, row.status), (0, Decimal("0.00")))
            sums[row.company_id, row.status] = count + row.change_orders, amount + row.amount
        if sums:  # else another process was first
            StatusTotal.insert_many([_row(*key, *total) for key, total in sums.items()]).execute()


def _row(company: int, status: str, change_orders: int, amount: Decimal) -> dict[str, Any]:
    return {"company": company, "status": status, "change_orders": change_orders, "amount": amount}
