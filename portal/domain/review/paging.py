"""Pages of a list by keyset: as quick on page 1,000 as on page 1."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import peewee

from portal import clock
from portal.db import database, is_sqlite
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Vendor
from portal.domain.review import filters
from portal.domain.review.views import View
from portal.domain.statuses import SENT_IN

NO_SUCH_PAGE = "This page address is not one of ours. Start from the first page."


class NoSuchPage(ValueError):
    """The address of the page is not one that a list of ours has."""

    def __init__(self) -> None:
        super().__init__(NO_SUCH_PAGE)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of a list; equal ones follow by id.

    value  what is compared; `outer`: the same in the statement that loads the page
    by_time  an index of the view has this order
    """

    label: str
    value: Any
    outer: str
    descending: bool = False
    by_time: bool = False


SENT_AMOUNT = "CASE WHEN t1.status IN ('draft', 'rejected', 'retrieved') THEN COALESCE(t1.sent_amount, t1.amount) ELSE t1.amount END"
SORTS = {
    "oldest": Sort("oldest first", ChangeOrder.sent_at, "t1.sent_at", by_time=True),
    "newest": Sort("newest first", ChangeOrder.sent_at, "t1.sent_at", descending=True, by_time=True),
    "amount": Sort("largest amount first", filters.AMOUNT, SENT_AMOUNT, descending=True),
    "vendor": Sort("by vendor", peewee.fn.LOWER(peewee.fn.COALESCE(Vendor.name, "")), "LOWER(COALESCE(t5.name, ''))"),
    "commitment": Sort("by commitment number", Commitment.key, "t2.key"),
}


def page_condition(view: View, after: str, size: int) -> tuple[str, list[Any]]:
    """The change orders of the page, and one more if there is more, as a condition with its parameters; an index gives the usual order."""
    sort = SORTS[view.order]
    ids, parameters = (_arranged if view.is_filtered or not sort.by_time else _whole)(view, sort, after, size + 1)
    which = f"IN ({ids})" if is_sqlite() else f"= ANY(ARRAY({ids}))"  # as a join, PostgreSQL might leave it for last
    way = "DESC" if sort.descending else "ASC"
    return f"WHERE t1.id {which} ORDER BY {sort.outer} {way}, t1.id {way}", parameters


def _whole(view: View, sort: Sort, after: str, size: int) -> tuple[str, list[Any]]:
    """The ids of the view, by a statement whose text is made at once."""
    mark, way, than = (database.param, "DESC", "<") if sort.descending else (database.param, "ASC", ">")
    begins, parameters = "", []
    if after:
        at, id = parse_cursor(after)
        begins, parameters = f"AND (sent_at, id) {than} ({mark}, {mark})", [ChangeOrder.sent_at.db_value(at), id]
    # SQLite would take the index that begins with the status, and sort all that it finds there.
    by = f"INDEXED BY change_order_listed_{view.key}" if is_sqlite() and view.key in SENT_IN else ""
    ids = f"SELECT id FROM change_order {by} WHERE {view.condition} {begins} ORDER BY sent_at {way}, id {way} LIMIT {mark}"  # noqa: S608
    return ids, [*parameters, size]


def _arranged(view: View, sort: Sort, after: str, size: int) -> tuple[str, list[Any]]:
    """The ids of the view, filtered and sorted; the database chooses between the view's index and one of the filter's."""
    query = filters.found(view.condition, view.filter)
    query = query if sort.by_time else _with_vendor(query)
    if after:
        place, begin = peewee.Tuple(sort.value, ChangeOrder.id), peewee.Tuple(*_begin(sort, after))
        query = query.where(place < begin if sort.descending else place > begin)
    order = [part.desc() if sort.descending else part.asc() for part in (sort.value, ChangeOrder.id)]
    text, parameters = query.order_by(*order).limit(size).sql()
    return str(text), list(parameters)


def _begin(sort: Sort, after: str) -> tuple[Any, int]:
    """What a page begins behind: in an order by time the cursor says it, else the change order that it names."""
    if sort.by_time:
        at, id = parse_cursor(after)
        return ChangeOrder.sent_at.db_value(at), id
    id = parse_id(after)
    for (value,) in _with_vendor(ChangeOrder.select(sort.value.alias("begins")).where(ChangeOrder.id == id)).tuples():
        return value, id
    raise NoSuchPage


def _with_vendor(query: Any) -> Any:
    return query.join(Commitment).join(Vendor, peewee.JOIN.LEFT_OUTER)


def cursor(view: View, change_order: ChangeOrder) -> str:
    if not SORTS[view.order].by_time:
        return str(change_order.id)
    return f"{int((change_order.sent_at or clock.EPOCH).timestamp() * 1_000_000)}-{change_order.id}"


def check(view: View, after: str) -> None:
    """Raises NoSuchPage for a cursor that is none."""
    if after:
        (parse_cursor if SORTS[view.order].by_time else parse_id)(after)


def parse_id(text: str) -> int:
    """The change order that a page begins behind. Raises NoSuchPage for a cursor that is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise NoSuchPage
    return int(text)


def parse_cursor(text: str) -> tuple[datetime, int]:
    """Where a page begins. Raises NoSuchPage for a cursor that is none."""
    at, _, id = text.partition("-")
    if not (at.isascii() and at.isdigit() and id.isascii() and id.isdigit()) or len(at) > 17 or len(id) > 18:
        raise NoSuchPage
    return datetime.fromtimestamp(int(at) // 1_000_000, UTC).replace(microsecond=int(at) % 1_000_000), int(id)
