"""The lists of change orders, one row of them, and the page of one change order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain import change_orders
from portal.domain.projects import jobs, sending
from portal.domain.review import details, lists, paging, views
from portal.domain.review.lists import Page, Row
from portal.domain.review.paging import NoSuchPage
from portal.domain.review.views import View
from portal.domain.status_totals import Totals
from portal.web import errors, formats, frame, list_filters, memory, return_to
from portal.web.change_orders import sentences
from portal.web.change_orders.forms import FORMS
from portal.web.htmx import wants_fragment
from portal.web.list_filters import Invalid
from portal.web.visitors import me

bp = Blueprint("change_orders", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.record(sentences.register)

NO_SUCH_VIEW = "There is no such view. Choose one from the menu."
NO_ERRORS: Mapping[str, str] = {}
MOVED = {"HX-Trigger": "change-order-moved"}  # the page of a change order listens: its history has grown


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a row of a list may ask of the person who looks at it; the rest is said by the row."""

    may_look: bool
    may_decide: bool
    may_administer: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a list under a heading of their own."""

    label: str
    rows: list[Row]


@bp.record
def register(state: Any) -> None:
    """What templates of lists choose from and count."""
    state.app.jinja_env.globals.update(
        filter_choices=list_filters.CHOICES, filter_statuses=list_filters.STATUSES, decided_choices=list_filters.DECIDED
    )
    state.app.jinja_env.globals.update(sort_labels=list_filters.SORT_LABELS, section_choices=list_filters.SECTIONS, sorts=paging.SORTS)
    state.app.jinja_env.globals.update(most_counted=lambda: lists.MOST_COUNTED, matching=matching)


@bp.before_request
def keep_drafts_private() -> ResponseReturnValue | None:
    """For every address of one change order: what was never sent is its job's own business."""
    id = (request.view_args or {}).get("id")
    why_not = jobs.why_not_see(change_orders.load(id), me()) if id else ""
    return errors.answer(403, why_not) if why_not else None


@bp.get("")
def index() -> ResponseReturnValue:
    """One page of one view, as filtered."""
    view = views.BY_KEY.get(request.args.get("view", "ready")) or abort(404, NO_SUCH_VIEW)
    after = request.args.get("after", "")
    if "" in request.args.values():  # fields that were left empty are no part of an address to share
        filled: dict[str, Any] = {name: text for name, text in request.args.items() if text}
        return redirect(url_for(".index", **filled), 303)
    try:
        view = list_filters.narrowed(view, request.args)
        paging.check(view, after)
        return memory.page(lambda: rendered(view, after))
    except Invalid as error:
        return page_with(view, Page([], ""), Totals(), errors=error.errors), 422
    except NoSuchPage as error:
        abort(404, str(error))


def rendered(view: View, after: str) -> str:
    """The page, its rows taken from memory as far as they are what they were."""
    sum = matching(view) if view.is_filtered else frame.totals()[view.key]
    return page_with(view, lists.page(view, me(), after), sum)


def matching(view: View) -> Totals:
    """Count and total of what the filter lets through; of very many only on request."""
    return lists.matching(view, None if request.args.get("count") == "all" else lists.MOST_COUNTED)


def page_with(view: View, page: Page, sum: Totals, errors: Mapping[str, str] = NO_ERRORS) -> str:
    """The page of the list. Totals of more than are counted say so."""
    latest = lists.latest_exported() if view.key == "ready" and not (page.rows or view.is_filtered or errors) else None
    around = return_to.address(), formats.zone().key  # what a row shows beside what it is given
    viewer = Viewer(me().may_look, me().may_decide, me().may_administer)
    typed = list_filters.typed(view, request.args)
    filter = {"values": typed, "asked": {name: text for name, text in typed.items() if text}, "errors": errors}
    parts, clean = parts_of(view, page.rows), count_clean(view, page.rows)
    shown = {"view": view, "page": page, "sum": sum, "latest": latest, "parts": parts, "clean": clean}
    return render_template("change_orders/index.html", viewer=viewer, around=around, **shown, **filter)


def parts_of(view: View, rows: list[Row]) -> list[Part]:
    """What waits, with what needs a look first; other views in one part without a name."""
    if view.key != "ready" or not view.sections:
        return [Part("", rows)]
    parts = (Part("Needs a look", [row for row in rows if row.looks]), Part("Clean", [row for row in rows if not row.looks]))
    return [part for part in parts if part.rows]


def count_clean(view: View, rows: list[Row]) -> int:
    """How many of these this person may accept together."""
    return sum(row.is_clean for row in rows) if view.key == "ready" else 0


@bp.get("/<key:id>")
def show(id: int) -> ResponseReturnValue:
    """The change order with everything known about it."""
    return page_of(lists.row(id, me()))


@bp.get("/<key:id>/row")
def fragment(id: int) -> ResponseReturnValue:
    """The row as it is now: what a row in flight asks for, and what Cancel brings back."""
    if not wants_fragment():
        return redirect(url_for(".show", id=id), 303)
    row = lists.row(id, me())
    cancelled = FORMS.get(request.args.get("cancelled", ""))
    focus = f"#{cancelled.opener}-{id}" if cancelled else None
    if cancelled or row.change_order.is_ready or row.poll_seconds:
        return render_template("change_orders/_row.html", row=row, focus=focus)
    return make_response(render_template("change_orders/_decided.html", row=row, focus=focus), 200, MOVED)


def page_of(row: Row, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """The page of a change order; `shown` goes to its row: an open form, an error."""
    shown["project_actions"], shown["member"] = sending.available_actions(row.change_order, me()), me().is_member_of(row.change_order.job)
    return make_response(render_template("change_orders/show.html", dossier=details.of(row, me()), row=row, **shown), status)


def may_see(row: Row) -> bool:
    """Whether the person may look at it at all."""
    return not jobs.why_not_see(row.change_order, me())
