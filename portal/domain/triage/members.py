"""What is in a group, or has an unknown outcome: its rows, page by page, each with its attempts and who looks after it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.exporting.exports import Attempt
from portal.domain.exporting.failure_causes import HAS_FAILED, ids_of_group
from portal.domain.people import User
from portal.domain.review import lists, paging
from portal.domain.review.lists import Row
from portal.domain.triage.groups import Group
from portal.domain.triage.owners import SENDER

PAGE = 50
LAST = 12  # attempts shown of one change order
LONGEST_CURSOR = 18


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the list with its last attempts, oldest first; `earlier` counts those before them."""

    row: Row
    attempts: list[Attempt]
    earlier: int
    owner: str


@dataclass(frozen=True, slots=True)
class Page:
    """`after` leads to the next page; empty on the last one."""

    members: list[Member]
    after: str


def of_group(group: Group, viewer: User, after: str = "", size: int = PAGE) -> Page:
    """In the order in which they were accepted. Raises ValueError for a cursor that is none."""
    query = change_orders.complete().where(HAS_FAILED, ChangeOrder.cause.in_(ids_of_group(group.cause.id)))
    return _page(query, viewer, after, size, group)


def unknown(viewer: User, after: str = "", size: int = PAGE) -> Page:
    """Those of which no one knows whether they are in Spectrum. Raises ValueError for a cursor that is none."""
    return _page(change_orders.complete().where(ChangeOrder.status == Status.UNKNOWN), viewer, after, size)


def count_unknown() -> int:
    return int(ChangeOrder.select().where(ChangeOrder.status == Status.UNKNOWN).count())


def _page(query: Any, viewer: User, after: str, size: int, group: Group | None = None) -> Page:
    """By keyset over the Export, which is made at Accept."""
    if after:
        query = query.where(ChangeOrder.export > _cursor(after))
    found = list(query.order_by(ChangeOrder.export).limit(size + 1))
    rows = lists.rows_with_lines(found[:size], viewer)
    tried = _attempts(row.change_order.export for row in rows)
    members = [_member(row, tried.get(row.change_order.export or 0, []), group) for row in rows]
    return Page(members, str(rows[-1].change_order.export) if len(found) > size else "")


def _member(row: Row, attempts: list[Attempt], group: Group | None) -> Member:
    return Member(row, attempts[-LAST:], max(0, len(attempts) - LAST), _owner(row.change_order, group))


def _owner(change_order: ChangeOrder, group: Group | None) -> str:
    """Of an unknown outcome who accepted it: only they know what they have seen since."""
    if group is None:
        return change_order.decided_by.name if change_order.decided_by else ""
    if group.owner.group == SENDER:
        return change_order.sent_by.name if change_order.sent_by else ""
    return ", ".join(group.owner.names)


def _attempts(ids: Iterable[int | None]) -> dict[int, list[Attempt]]:
    """By Export, oldest first, without what Spectrum answered."""
    shown = (Attempt.id, Attempt.export, Attempt.line, Attempt.kind, Attempt.started_at, Attempt.ended_at, Attempt.outcome)
    found: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.select(*shown).where(Attempt.export.in_([id for id in ids if id])).order_by(Attempt.id):
        found[attempt.export_id].append(attempt)
    return found


def _cursor(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_CURSOR:
        raise ValueError(paging.NO_SUCH_PAGE)
    return int(text)
