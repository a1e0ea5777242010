"""Why a change order needs a look before it is decided, by the rules that the company has switched on.

What follows from what was sent, and from the other change orders of its commitment and vendor, is kept on the row (`looks`), so that
a list neither computes nor asks for it; `recheck` judges it again when that changes. An answer and the end of a hold follow from the row.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import peewee

from portal.domain import events, waiting
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.events import Action
from portal.domain.rules import contracts, possible_duplicates


class Reason(StrEnum):
    """The values are stored, in the company's settings and on change orders, and never change."""

    FINDING = "finding"
    CREDIT = "credit"
    LARGE = "large"
    GROWN = "grown"
    DUPLICATE = "duplicate"
    CORRECTED = "corrected"
    ANSWERED = "answered"
    HELD = "held"
    FIRST = "first"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Reason.FINDING: "The checks found something",
    Reason.CREDIT: "Credit",
    Reason.LARGE: "Above the look limit",
    Reason.GROWN: "Contract grown past its limit",
    Reason.DUPLICATE: "Possible duplicate",
    Reason.CORRECTED: "Corrected since a rejection",
    Reason.ANSWERED: "The sender has answered",
    Reason.HELD: "On hold until today",
    Reason.FIRST: "First change order of the vendor",
}
LIVE = (Reason.ANSWERED, Reason.HELD)  # never kept: the row itself says so


def reasons(change_order: ChangeOrder) -> list[Reason]:
    """Why it needs a look today, in the order of the rules; none for a clean one. Asks the database nothing."""
    on = set(change_order.company.look_rules.split())
    kept = set(change_order.looks.split()) | {reason for reason in LIVE if _is_live(change_order, reason)}
    return [reason for reason in Reason if reason in kept & on] if change_order.is_ready else []


def condition(company: Company) -> Any:
    """The ready change orders that need a look, as a condition of a query; the others are clean."""
    on = company.look_rules.split()
    held = ChangeOrder.held_until.is_null(False)  # so that nothing is unknown, and the others can be asked for
    ended = held & (ChangeOrder.held_until <= waiting.today(company)) if Reason.HELD in on else peewee.Value(False)
    answered = ChangeOrder.answered_at.is_null(False) if Reason.ANSWERED in on else peewee.Value(False)
    return (ChangeOrder.looks != "") | ended | answered


def judge(rows: Iterable[ChangeOrder], checks: Mapping[int, str]) -> dict[int, str]:
    """What is to be kept of each, by its id, in a constant number of queries. `rows` have their lines; `checks`: their verdicts."""
    shown = list(rows)
    worth, repeated, known = contracts.of(shown), possible_duplicates.of(shown), _known_vendors(shown)
    returned = events.latest(SUBJECT, [row.id for row in shown], of=(Action.REJECTED,))
    judged = {}
    for row in shown:
        limit = row.company.look_limit
        found = {
            Reason.FINDING: checks[row.id] != "clean",
            Reason.CREDIT: row.amount < 0,
            Reason.LARGE: limit is not None and abs(row.amount) > limit,
            Reason.GROWN: worth[row.id].is_over,
            Reason.DUPLICATE: bool(repeated.get(row.id)),
            Reason.CORRECTED: row.id in returned,
            Reason.FIRST: _vendor(row) is not None and _vendor(row) not in known,
        }
        on = row.company.look_rules.split()
        judged[row.id] = " ".join(reason for reason, holds in found.items() if holds and reason in on)
    return judged


def keep(change_order: ChangeOrder) -> None:
    """Judge it as it is sent, in the transaction in which it is: from its first moment in the list on it is never taken for clean."""
    change_order.looks = judge([change_order], {change_order.id: change_order.checks})[change_order.id]
    ChangeOrder.update(looks=change_order.looks).where(ChangeOrder.id == change_order.id).execute()


def _is_live(change_order: ChangeOrder, reason: Reason) -> bool:
    if reason is Reason.ANSWERED:
        return change_order.is_answered
    return change_order.held_until is not None and not change_order.is_on_hold()


def _vendor(change_order: ChangeOrder) -> int | None:
    vendor: int | None = change_order.commitment.__data__["vendor"]
    return vendor


def _known_vendors(shown: list[ChangeOrder]) -> set[int]:
    """The vendors of these of whom accounting has accepted a change order."""
    theirs = {_vendor(row) for row in shown} - {None}
    accepted: Any = ChangeOrder.select(Commitment.vendor).join(Commitment)
    found = accepted.where(Commitment.vendor.in_(theirs), ChangeOrder.status.in_(contracts.APPROVED)).distinct()
    return {vendor for (vendor,) in found.tuples()}
