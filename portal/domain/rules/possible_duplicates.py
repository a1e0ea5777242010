"""Possible duplicates: another change order of the same commitment, sent within 90 days, that asks for the same money again."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from portal.domain import change_orders, keys
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.rules.contracts import APPROVED

WITHIN = timedelta(days=90)
LIVE = (Status.READY, *APPROVED)  # what came back to its project asks for nothing
WORD = re.compile(r"\w+")


def of(shown: Iterable[ChangeOrder]) -> dict[int, list[ChangeOrder]]:
    """The possible duplicates of each sent change order, by its id, oldest first, in two queries. `shown` have their lines."""
    rows = [row for row in shown if row.sent_at]
    if not rows:
        return {}
    of_these = ChangeOrder.commitment.in_({row.commitment_id for row in rows}), ChangeOrder.amount.in_({row.amount for row in rows})
    near = ChangeOrder.sent_at >= min(row.sent_at for row in rows if row.sent_at) - WITHIN
    query = change_orders.complete().where(*of_these, near, ChangeOrder.status.in_(LIVE))
    others = change_orders.with_lines(query.order_by(ChangeOrder.sent_at, ChangeOrder.id))
    found = defaultdict(list)
    for row in rows:
        found[row.id] = [other for other in others if are_alike(row, other)]
    return found


def are_alike(one: ChangeOrder, other: ChangeOrder) -> bool:
    """Whether two change orders ask for the same money: equal lines, or an equal total under much the same title."""
    same = one.commitment_id == other.commitment_id and one.amount == other.amount
    if one.id == other.id or not same or not _are_near(one.sent_at, other.sent_at):
        return False
    return _lines(one) == _lines(other) or _share_most_words(one.title, other.title)


def _are_near(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= WITHIN


def _lines(change_order: ChangeOrder) -> Counter[tuple[object, ...]]:
    """The lines by code and amount, in any order and however they are spelled."""
    return Counter(
        (keys.phase(line.phase_code), keys.cost_type(line.cost_type), keys.bid_item(line.bid_item), line.amount)
        for line in change_order.lines
    )


def _share_most_words(one: str, other: str) -> bool:
    """More than half of the words of the longer title are in the other one."""
    here, there = _words(one), _words(other)
    return 2 * len(here & there) > max(len(here), len(there))


def _words(title: str) -> set[str]:
    return set(WORD.findall(title.casefold()))
