"""The lists people work from, page by page: what is said of each change order, and of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import peewee

from portal import clock
from portal.db import cents, database
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps, side_by_side, taken
from portal.domain import change_orders, events, people, status_totals
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.events import Action, Event
from portal.domain.people import User
from portal.domain.projects import revisions
from portal.domain.projects.revisions import Comparison
from portal.domain.review import actions, filters, paging
from portal.domain.review.actions import Actions
from portal.domain.review.views import VIEWS, View
from portal.domain.rules import attention, checks, contributors, duplicates, four_eyes, spectrum_lists, spectrum_numbers
from portal.domain.rules.duplicates import Likeness
from portal.domain.rules.findings import Finding
from portal.domain.rules.spectrum_lists import Known
from portal.domain.status_totals import Totals

PAGE, PART, MOST_COUNTED = 50, 500, 10_000  # on a page, read at once for a file, counted unasked
ASIDES = (Action.EDITED, Action.LOOKED_UP, Action.AGREES_AGAIN, Action.SAID_DISTINCT)  # say nothing about where it stands
ARRIVALS = (Action.EXPORTED, Action.FOUND, Action.ADOPTED)
SAID = (Action.SAID_PRESENT, Action.SAID_ABSENT)  # what a person answered to an unknown outcome
POLL_STEPS, POLL_RARELY_S = ((timedelta(seconds=20), 2), (timedelta(minutes=1), 5)), 15  # while in flight, by how long already
LOOKUP_S, UNKNOWN_S = 2, 15  # how soon to ask again while the worker looks into Spectrum, and while an outcome is unknown


def _arrivals(*columns: Any) -> Any:
    decided = Event.select(*columns).join(ChangeOrder, on=Event.ref == ChangeOrder.id)
    return decided.join(User, peewee.JOIN.LEFT_OUTER, on=ChangeOrder.decided_by)


ARRIVED = Statement(Shape(Event, "seq", "at"), Shape(ChangeOrder, "id"), Shape(User, "id", "name"), query=_arrivals)


@dataclass(frozen=True)
class Row:
    """A change order as a list or its page shows it to one person.

    known       what Spectrum's lists say of its codes, and
    alike       what it looks like, while the checks matter
    last        who did what to it last; edits do not count, so that a reason stays to be read while it is acted on
    number      its Spectrum number, or an empty text
    why_not     why this person may not decide it, or an empty text
    actions     those available to this person when it is on its way, in trouble, or exported
    since       what changed since accounting sent it back; None when that never happened
    arrival     how it came to be exported, while it is
    resolved_unknown  the unknown outcome that a person has answered, while it stands failed for that
    """

    change_order: ChangeOrder
    known: Known | None
    alike: list[Likeness]
    last: Event | None
    number: str
    why_not: str
    actions: Actions
    since: Comparison | None
    arrival: Event | None
    resolved_unknown: Event | None

    @cached_property
    def findings(self) -> list[Finding]:
        """What the checks say, while that matters: worked out for a row that is rendered, not for one that is known already."""
        return checks.on_review(self.change_order, self.known, self.alike) if self.change_order.is_ready else []

    @property
    def looks(self) -> list[str]:
        """Why it needs a look before it is decided, in words; nothing for a clean one. Asks the database nothing."""
        one = self.change_order
        waits = ["Waits for an answer of the sender"] if one.is_asked else []
        held = [f"On hold until {one.held_until:%m/%d/%Y}"] if one.held_until and one.is_on_hold() else []
        return [*waits, *held, *(reason.label for reason in attention.reasons(one))] if one.is_ready else []

    @property
    def is_clean(self) -> bool:
        """Whether this person may accept it together with others."""
        return self.change_order.is_ready and not self.why_not and not self.looks

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What its last event says."""
        return self.last.facts if self.last else {}

    @property
    def workbook(self) -> str:
        """The workbook in which it was left, if that is what happened last."""
        return str(self.facts.get("workbook", ""))

    @property
    def poll_seconds(self) -> int | None:
        """How soon the screen should ask again, while it may change by itself."""
        if self.change_order.is_in_flight:
            decided = self.change_order.decided_at or clock.present()
            return next((seconds for age, seconds in POLL_STEPS if not clock.is_past(decided + age)), POLL_RARELY_S)
        if self.actions.lookup_running:
            return LOOKUP_S
        return UNKNOWN_S if self.actions.unknown and self.actions.unknown.next_look else None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    after: str  # the cursor of the next page; empty on the last one


@Asks
def page(view: View, viewer: User, after: str = "", size: int = PAGE) -> Steps[Page]:
    """One page of the view, by keyset: as quick on page 1,000 as on page 1. Raises ValueError for a cursor that is none."""
    found = change_orders.listed(*paging.page_condition(view, after, size))
    shown = found[:size]
    rows = yield from rows_with_lines.steps(shown, viewer)
    return Page(rows, paging.cursor(view, shown[-1]) if len(found) > size else "")


def everything(view: View, viewer: User) -> Iterator[tuple[ChangeOrder, str]]:
    """Every change order of the view with its Spectrum number, as this person may read it, from as many pages as it takes."""
    after = ""
    while shown := change_orders.listed(*paging.page_condition(view, after, PART)):
        after = paging.cursor(view, shown[-1])
        _, _, numbers = taken(
            side_by_side(
                change_orders.with_lines.steps(shown), revisions.show_as_sent.steps(shown, viewer), spectrum_numbers.all_kept.steps(shown)
            )
        )
        yield from ((one, numbers.get(one.id, "")) for one in shown)


@Asks
def rows_with_lines(shown: list[ChangeOrder], viewer: User) -> Steps[list[Row]]:
    """The rows of change orders whose lines are not loaded yet."""
    _, rows = yield from side_by_side(change_orders.with_lines.steps(shown), rows_of.steps(shown, viewer))
    return list(rows)


@Asks
def rows_of(shown: list[ChangeOrder], viewer: User) -> Steps[list[Row]]:
    """What to say beside each change order, in two queries; each as this person may read it. Their lines are loaded."""
    ids = [change_order.id for change_order in shown]
    ready = [change_order for change_order in shown if change_order.is_ready]
    exported, failed = ([one.id for one in shown if one.state is state] for state in (Status.EXPORTED, Status.FAILED))
    _, said, kept, contributed, progress, known, alike, since, arrivals, unknown, approvers = yield from side_by_side(
        revisions.show_as_sent.steps(shown, viewer),
        events.latest.steps(change_orders.SUBJECT, ids, besides=ASIDES),
        spectrum_numbers.all_kept.steps(shown),
        contributors.of_all.steps(shown),
        actions.progress.steps(shown),
        spectrum_lists.known.steps(ready),
        duplicates.of.steps(ready),
        revisions.since_rejection.steps(shown),
        events.latest.steps(change_orders.SUBJECT, exported, of=(*ARRIVALS, Action.SAID_PRESENT, Action.ENTERED_BY_HAND)),
        events.latest.steps(change_orders.SUBJECT, failed, of=(Action.OUTCOME_UNKNOWN,)),
        people.approvers.steps(),
    )
    available = actions.of(shown, viewer, progress, said, contributed, lambda: approvers)
    return [
        Row(
            change_order,
            known.get(change_order.id),
            alike.get(change_order.id, []),
            said.get(change_order.id),
            kept.get(change_order.id, ""),
            four_eyes.why_not_decide(change_order, viewer, contributed[change_order.id], lambda: approvers),
            available[change_order.id],
            since.get(change_order.id),
            arrivals.get(change_order.id),
            unknown.get(change_order.id) if change_order.id in said and said[change_order.id].action in SAID else None,
        )
        for change_order in shown
    ]


def row(id: int, viewer: User) -> Row:
    """One change order as it is now. Raises ChangeOrder.DoesNotExist."""
    return rows_of([change_orders.load(id)], viewer)[0]


def latest_exported() -> tuple[datetime, str] | None:
    """When a change order arrived in Spectrum last and who had accepted it, for a list with nothing else to show."""
    last = f"SELECT seq FROM event WHERE subject = {database.param} AND action IN {places(ARRIVALS)} ORDER BY seq DESC LIMIT 1"  # noqa: S608
    for arrival, _, decider in ARRIVED.run(f"WHERE t1.seq = ({last})", [change_orders.SUBJECT, *ARRIVALS]):
        return arrival.at, decider.name if decider else ""
    return None


@Asks
def totals() -> Steps[dict[str, Totals]]:
    """Count, total and oldest of every view; what came back counts as it was sent."""
    by_status = yield from status_totals.read.steps()
    return {view.key: _sum([by_status[status] for status in view.statuses if status in by_status]) for view in VIEWS}


def matching(view: View, most: int | None = MOST_COUNTED) -> Totals:
    """Count, total and oldest of what the view's filter lets through; of more than `most` only so many, and one."""
    found = filters.found(view.condition, view.filter).select(ChangeOrder.sent_at, filters.AMOUNT.alias("amount"))
    shown = found.limit(most + 1).alias("matching") if most else found.alias("matching")
    counted: Any = peewee.Select([shown], [peewee.fn.COUNT(1), peewee.fn.SUM(shown.c.amount), peewee.fn.MIN(shown.c.sent_at)])
    count, total, oldest = counted.bind(database).tuples().get()
    return Totals(count, cents(total or 0), ChangeOrder.sent_at.python_value(oldest))


def _sum(parts: list[Totals]) -> Totals:
    oldest: list[Any] = [part.oldest for part in parts if part.oldest]
    return Totals(sum(part.count for part in parts), sum((part.total for part in parts), Decimal("0.00")), min(oldest, default=None))
