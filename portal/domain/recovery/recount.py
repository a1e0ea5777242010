"""The nightly recount: do the kept totals of each status say what the change orders themselves add up to?"""

from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import structlog

from portal.db import cents, database, transaction
from portal.domain import events, outbox, schedule
from portal.domain.companies import current
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.status_totals import StatusTotal

NIGHT = time(2, 30)  # in the company's zone
RETRY_IN = timedelta(minutes=5)  # after a worker that died
DIFFERENCES = """
    SELECT company_id, status, SUM(change_orders), SUM(amount) FROM (
        SELECT company_id, status, change_orders, amount FROM status_total
        UNION ALL
        SELECT job.company_id, change_order.status, -1,
               -(CASE WHEN change_order.status IN ('draft', 'rejected', 'retrieved') THEN COALESCE(sent_amount, amount) ELSE amount END)
        FROM change_order JOIN commitment ON commitment.id = change_order.commitment_id JOIN job ON job.id = commitment.job_id
        WHERE sent_at IS NOT NULL
    ) AS both_sides GROUP BY company_id, status HAVING SUM(change_orders) <> 0 OR SUM(amount) <> 0 ORDER BY company_id, status"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the kept total of a status is too high; negative where it is too low."""

    company: int
    status: str
    count: int
    amount: Decimal

    @property
    def text(self) -> str:
        return f"The kept total of {self.status} is off by {self.count} change orders and {self.amount:,.2f}."


def plan() -> None:
    """Promise the recount of the coming night."""
    schedule.plan("recount", current(), NIGHT, Task.RECOUNT)


def differences() -> list[Difference]:
    """Where kept totals and change orders disagree, in one statement, so that no move can come in between."""
    rows: Any = database.execute_sql(DIFFERENCES).fetchall()
    return [Difference(company, status, int(count), cents(amount)) for company, status, count, amount in rows]


def step(dispatch: Dispatch, claim: int) -> None:
    """Recount, and correct what differs: lists show the truth again, and the audit trail says by how much it was off."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        outbox.begin(dispatch, RETRY_IN)
    found = differences()  # outside a transaction: it reads every change order, and no writer waits for it
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)  # a worker that was frozen meanwhile corrects nothing a second time
        _correct(found)
        outbox.finish(dispatch)
        if found:
            log.error("kept totals differ", differences=[one.text for one in found])
            events.record("company", current().id, "totals corrected", text=" ".join(one.text for one in found))


def correct() -> None:
    """Bring the kept totals in line with the change orders, after rows were written past the moves. In the caller's transaction."""
    _correct(differences())


def _correct(found: list[Difference]) -> None:
    for one in found:
        StatusTotal.create(company=one.company, status=one.status, change_orders=-one.count, amount=-one.amount)
