"""What a change order says, frozen at every writing and sending; and what changed since accounting sent it back, line by line."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.db import database
from portal.db.rows import Shape, Statement, places, read
from portal.db.steps import Asks, Steps, side_by_side
from portal.domain import change_orders, events, money
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.events import Action, Event
from portal.domain.people import Membership, User

TOLD = Statement(Shape(Event, "seq", "ref", "action", "data"), query=Event.select)
Line = dict[str, Any]  # of a snapshot, with its position
WORDS = {
    "number": "CCO number",
    "title": "Title",
    "description": "Description",
    "date": "Date",
    "amount": "Total",
    "tax": "Tax",
    "currency": "Currency",
}
YOUNGER = {"date": None, "tax": "0.00", "currency": "USD"}  # what older snapshots, which do not have them, stand for
MONEY = ("amount", "tax")
COLUMNS = {
    "phase_code": "cost code",
    "cost_type": "cost type",
    "bid_item": "bid item",
    "description": "description",
    "quantity": "quantity",
    "unit": "unit",
    "amount": "amount",
}
# By what two lines are taken for the same one, the surest first; what is left was added or removed.
LIKENESSES: tuple[Callable[[Line], object], ...] = (
    lambda line: tuple(line[name] for name in COLUMNS),
    lambda line: (line["phase_code"], line["cost_type"], line["bid_item"]),
    lambda line: line["phase_code"],
    lambda line: (line["cost_type"], line["amount"]),
    lambda line: line["position"],
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that reads otherwise now. `was` is None for a line that was added, `now` for one that was removed."""

    about: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The revision that was sent back, the one that came after it, and what differs; empty when it came back as it was."""

    returned: int
    sent: int
    differences: list[Difference]


def snapshot(change_order: ChangeOrder) -> dict[str, Any]:
    """The revision as it was sent, for the audit trail and for telling what changed."""
    return {
        "number": change_order.number,
        "title": change_order.title,
        "description": change_order.description,
        "amount": f"{change_order.amount:.2f}",
        "tax": f"{change_order.tax:.2f}",
        "currency": change_order.currency,
        "date": change_order.dated.isoformat() if change_order.dated else None,
        "lines": [
            {
                "phase_code": line.phase_code,
                "cost_type": line.cost_type,
                "bid_item": line.bid_item,
                "description": line.description,
                "quantity": None if line.quantity is None else f"{line.quantity:f}",
                "unit": line.unit,
                "amount": None if line.amount is None else f"{line.amount:.2f}",
            }
            for line in change_order.lines
        ],
    }


@Asks
def show_as_sent(shown: Iterable[ChangeOrder], viewer: User) -> Steps[None]:
    """Who does not work on the job reads what came back as it was sent, and not what its project makes of it: in memory only.

    Their lines are loaded. In one query, or none when nothing came back.
    """
    back = {one.id: one for one in shown if one.is_editable and one.sent_at and one.created_by_id != viewer.id}
    if not back:
        return
    jobs, sent = yield from side_by_side(_jobs_of(viewer), events.latest.steps(change_orders.SUBJECT, back, of=(Action.SENT,)))
    for id, event in sent.items():
        if back[id].job.id not in jobs:
            _put_back(back[id], whole(event.facts["snapshot"]))


def _jobs_of(viewer: User) -> Steps[set[int]]:
    (jobs,) = yield [read(Membership.select(Membership.job).where(Membership.user == viewer.id))]
    return {id for (id,) in jobs}


def whole(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with all that a present one has."""
    return YOUNGER | snapshot


@Asks
def since_rejection(shown: Iterable[ChangeOrder]) -> Steps[dict[int, Comparison]]:
    """Of each that came back after a rejection, by its id: what changed since. In one query, or none when none came back."""
    again = {one.id: one.revision for one in shown if one.revision > 1 and not one.is_editable}
    if not again:
        return {}
    actions = Action.SENT, Action.REJECTED
    told = f"subject = {database.param} AND ref IN {places(again)} AND action IN {places(actions)}"
    (found,) = yield [TOLD.where(told, [change_orders.SUBJECT, *again, *actions])]
    returned: dict[int, int] = {}
    snapshots: dict[int, dict[int, dict[str, Any]]] = {id: {} for id in again}
    for (event,) in sorted(found, key=lambda row: row[0].seq):
        facts = event.facts
        if event.action == Action.REJECTED:
            returned[event.ref] = facts["revision"]
        else:
            snapshots[event.ref][facts["revision"]] = facts["snapshot"]
    return {
        id: Comparison(returned[id], sent, compare(snapshots[id][returned[id]], snapshots[id][sent]))
        for id, sent in again.items()
        if id in returned and returned[id] < sent
    }


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What differs between two snapshots: the words first, then the lines in their present order, then those that are gone."""
    before, after = whole(before), whole(after)
    words = ((name, label) for name, label in WORDS.items() if before[name] != after[name])
    heads = [Difference(label, _said(name, before[name]), _said(name, after[name])) for name, label in words]
    return [*heads, *_lines(_numbered(before), _numbered(after))]


def _put_back(change_order: ChangeOrder, sent: dict[str, Any]) -> None:
    change_order.as_sent = True
    change_order.is_reworked = bool(compare(sent, snapshot(change_order)))  # before its working copy is gone from memory
    change_order.number, change_order.title, change_order.description = sent["number"], sent["title"], sent["description"]
    change_order.amount, change_order.tax, change_order.currency = Decimal(sent["amount"]), Decimal(sent["tax"]), sent["currency"]
    change_order.dated = date.fromisoformat(sent["date"]) if sent["date"] else None
    change_order.lines = [_line_of(change_order, line) for line in _numbered(sent)]


def _line_of(change_order: ChangeOrder, line: Line) -> LineItem:
    figures = {name: None if line[name] is None else Decimal(line[name]) for name in ("quantity", "amount")}
    return LineItem(change_order=change_order, **line | figures)


def _lines(before: list[Line], after: list[Line]) -> Iterator[Difference]:
    pairs = _paired(before, after)
    for line in after:
        old = pairs.get(line["position"])
        if old is None:
            yield Difference(f"Line {line['position']}", None, _whole(line))
            continue
        moved = "" if old["position"] == line["position"] else f" (was line {old['position']})"
        for name, label in COLUMNS.items():
            if old[name] != line[name]:
                yield Difference(f"Line {line['position']}{moved}, {label}", _said(name, old[name]), _said(name, line[name]))
    kept = {old["position"] for old in pairs.values()}
    yield from (Difference(f"Line {old['position']}", _whole(old), None) for old in before if old["position"] not in kept)


def _paired(before: list[Line], after: list[Line]) -> dict[int, Line]:
    """The old line of each present one, by the present one's position."""
    pairs: dict[int, Line] = {}
    left = {line["position"]: line for line in before}
    for likeness in LIKENESSES:
        alike: dict[object, deque[Line]] = defaultdict(deque)
        for old in left.values():
            alike[likeness(old)].append(old)
        for line in after:
            if line["position"] not in pairs and alike[likeness(line)]:
                pairs[line["position"]] = left.pop(alike[likeness(line)].popleft()["position"])
    return pairs


def _numbered(snapshot: dict[str, Any]) -> list[Line]:
    return [line | {"position": position} for position, line in enumerate(snapshot["lines"], 1)]


def _whole(line: Line) -> str:
    return ", ".join(said for name in COLUMNS if (said := _said(name, line[name])))


def _said(name: str, value: str | None) -> str:
    return money.dollars(Decimal(value)) if value and name in MONEY else value or ""
