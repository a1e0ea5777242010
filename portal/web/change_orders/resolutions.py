"""Resolutions: recall, retry, what Spectrum shows, entered by hand, unlink; and the project's retrieve and void."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.change_orders import Overtaken, Status
from portal.domain.exporting import readback
from portal.domain.exporting.exports import Export, uncertain_lines, unsent
from portal.domain.people import NotPermitted
from portal.domain.projects import sending
from portal.domain.recovery import leftovers, resolutions, second_review
from portal.domain.review import decisions, lists
from portal.domain.review.lists import Row
from portal.domain.rules.findings import Blocked
from portal.web import return_to
from portal.web.change_orders import answers, forms, sentences
from portal.web.change_orders.answers import done, opened, seen_version
from portal.web.change_orders.forms import FORMS
from portal.web.visitors import me

bp = Blueprint("resolving", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.record(sentences.register)
bp.register_error_handler(NotPermitted, answers.not_permitted)
bp.register_error_handler(Overtaken, answers.overtaken)


@bp.post("/<key:id>/recall")
def recall(id: int) -> ResponseReturnValue:
    """Take an Accept back."""
    return done(decisions.recall(id, me(), seen_version()), "recalled: it is ready to be decided again", "ready")


@bp.get("/<key:id>/retry")
def retry_form(id: int) -> ResponseReturnValue:
    """Where an approver says that no one entered it from the workbook."""
    return form_of(id, "retrying")


@bp.post("/<key:id>/retry")
def retry(id: int) -> ResponseReturnValue:
    """Send again what is missing."""
    return done(resolutions.retry(id, me(), seen_version(), not_entered()), "queued again", "failed", next="retry")


@bp.get("/<key:id>/review")
def review_form(id: int) -> ResponseReturnValue:
    """Where an approver says that no one entered it from the workbook."""
    return form_of(id, "reviewing")


@bp.post("/<key:id>/review")
def review_again(id: int) -> ResponseReturnValue:
    """Back to the approvers, as it was sent."""
    reviewed = second_review.review_again(id, me(), seen_version(), not_entered())
    return done(reviewed, "is up for review again: it is ready to be decided", "ready")


@bp.post("/<key:id>/look-up")
def look_up(id: int) -> ResponseReturnValue:
    """Look it up in Spectrum: the worker reads, the row says what was found."""
    if not reads_back():
        return answers.explained(403, "Reading back is off: the portal cannot look into Spectrum. An operator sets INFOLINK_SERVER.")
    return done(readback.ask(id, me()), "is being looked up in Spectrum", "failed")


@bp.get("/<key:id>/resolution")
def resolution_form(id: int) -> ResponseReturnValue:
    """Where someone says what Spectrum shows."""
    return form_of(id, forms.answered(request.args.get("answer", "")))


@bp.post("/<key:id>/resolution")
def resolve(id: int) -> ResponseReturnValue:
    """It is in Spectrum, or it is not there."""
    form, version, note = request.form, seen_version(), request.form.get("note", "")
    if forms.answered(form.get("answer", "")) == "presence":
        resolved = resolutions.mark_present(id, me(), version, form.get("number", ""), note)
    else:
        resolved = resolutions.mark_absent(id, me(), version, note)
    return done(resolved, f"is now: {resolved.label}", "failed")


@bp.get("/<key:id>/manual-entry")
def manual_form(id: int) -> ResponseReturnValue:
    """Where someone says under which number it was typed into Spectrum."""
    return form_of(id, "manual")


@bp.post("/<key:id>/manual-entry")
def enter_by_hand(id: int) -> ResponseReturnValue:
    """Mark as entered by hand."""
    form = request.form
    return done(
        resolutions.mark_entered_manually(id, me(), seen_version(), form.get("number", ""), form.get("note", "")),
        "marked as entered by hand",
        "failed",
    )


@bp.get("/<key:id>/unlinking")
def unlinking_form(id: int) -> ResponseReturnValue:
    """Where the number is typed once more."""
    return form_of(id, "unlinking")


@bp.post("/<key:id>/unlinking")
def unlink(id: int) -> ResponseReturnValue:
    """Back to the project, after it was removed in Spectrum."""
    return done(resolutions.unlink(id, me(), seen_version(), request.form.get("number", ""), reads_back()), "unlinked", "exported")


@bp.post("/<key:id>/retrieval")
def retrieve(id: int) -> ResponseReturnValue:
    """Retrieve from ERP."""
    retrieved = sending.retrieve(id, me(), seen_version())
    flash(f"CCO {retrieved.number} retrieved. Accounting does not see it as ready any more.")
    page = "projects.edit" if me().is_member_of(retrieved.job) else "change_orders.show"
    return redirect(url_for(page, id=id, place=return_to.address()), 303)


@bp.post("/<key:id>/void")
def void(id: int) -> ResponseReturnValue:
    """Void."""
    voided = sending.void(id, me(), seen_version())
    flash(f"CCO {voided.number} is void.")
    if return_to.current():
        return redirect(return_to.led_back(voided, me(), "ready"), 303)
    if me().may_look and not me().is_member_of(voided.job):
        return redirect(url_for("jobs.show", id=voided.job.id), 303)
    return redirect(url_for("projects.jobs"), 303)


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    return answers.blocked(error, fields_of)


def form_of(id: int, name: str) -> ResponseReturnValue:
    """The form, if this person may send it now. Raises Overtaken or NotPermitted."""
    row, form = lists.row(id, me()), FORMS[name]
    if row.change_order.state not in form.states:
        raise Overtaken(row.change_order)
    if form.action not in row.actions.available:
        raise NotPermitted(row.actions.why_own if form.action in row.actions.own else me().why_not_decide or resolutions.ONLY_ADMIN)
    return opened(row, name, fields_of(row))


def fields_of(row: Row) -> dict[str, Any]:
    """What the forms show: what was typed, else nothing but for the number that a hand is likely to have used."""
    change_order, typed = row.change_order, request.form
    proposed = row.number if change_order.state is Status.FAILED else ""
    fields = {"number": typed.get("number", proposed), "note": typed.get("note", ""), "workbook": leftovers.workbook_of(row.last)}
    if change_order.state is not Status.UNKNOWN:
        return fields
    export = Export.get_by_id(change_order.export)
    uncertain = uncertain_lines(export)
    return fields | {"uncertain": uncertain, "missing": [line for line in unsent(export) if line not in uncertain]}


def reads_back() -> bool:
    return bool(current_app.config["INFOLINK_SERVER"])


def not_entered() -> bool:
    """The tick that no one entered it from the workbook."""
    return request.form.get("not_entered") == "on"
