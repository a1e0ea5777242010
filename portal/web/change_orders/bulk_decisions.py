"""Reject or hold what is ticked in the list, with one reason or note: the form that names each, and the decision."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain import companies
from portal.domain.people import NotPermitted
from portal.domain.review import bulk_reject, holds, selection
from portal.domain.rules.findings import Blocked
from portal.web.change_orders.bulk_actions import recorded, seen_key, seen_rows
from portal.web.change_orders.selection import chosen
from portal.web.change_orders.waiting import until
from portal.web.visitors import me

bp = Blueprint("selected", __name__, url_prefix="/change-orders")

ABOUT = "Selected in the list"


@bp.get("/rejections")
def rejection_form() -> ResponseReturnValue:
    """Where the reason is written; `preset` fills in one of the company's."""
    presets = {str(number): reason for number, reason in enumerate(companies.current().reasons, start=1)}
    return opened("rejections", reason=presets.get(request.args.get("preset", ""), ""))


@bp.post("/rejections")
def reject() -> ResponseReturnValue:
    """Back to their senders, with the reason; the record says what became of each."""
    return recorded(bulk_reject.reject(seen_rows(), me(), seen_key(), request.form.get("reason", ""), ABOUT))


@bp.get("/holds")
def hold_form() -> ResponseReturnValue:
    """Where an approver says until when, and why."""
    return opened("holds")


@bp.post("/holds")
def hold() -> ResponseReturnValue:
    """Put them on hold; the record says what became of each."""
    return recorded(holds.hold_many(seen_rows(), me(), seen_key(), until(), request.form.get("note", ""), ABOUT))


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    """The form again, as it was typed."""
    return opened(form_of(), 422, problems=error.findings)


@bp.errorhandler(NotPermitted)
def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    return opened(form_of(), 403, error=str(error))


def form_of() -> str:
    """The form that the request in hand sends."""
    return "rejections" if request.endpoint == "selected.reject" else "holds"


def opened(form: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """The form, with what it is about."""
    typed = {name: request.form.get(name, "") for name in ("reason", "note", "until")}
    company = companies.current()
    page = {"error": me().why_not_decide, "problems": [], "presets": company.reasons, **typed, **shown}
    return make_response(render_template(f"change_orders/{form}.html", chosen=selection.parted(chosen(), company.bulk_cap), **page), status)
