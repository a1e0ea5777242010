"""Resolutions: recall, retry, what Spectrum shows, entered by hand, unlink; and the project's retrieve and void."""

from typing import Any

from flask import Blueprint, abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.exporting import readback
from portal.domain.exporting.exports import Export, uncertain_lines, unsent
from portal.domain.people import NotPermitted
from portal.domain.projects import sending
from portal.domain.recovery import leftovers, resolutions, second_review
from portal.domain.review import decisions, lists
from portal.domain.review.lists import Row
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.web import errors, return_to
from portal.web.change_orders import sentences
from portal.web.change_orders.decisions import asked_for, seen_version
from portal.web.change_orders.lists import MOVED, may_see, page_of
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("resolving", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.record(sentences.register)

STATES = {"presence": Status.UNKNOWN, "absence": Status.UNKNOWN, "manual": Status.FAILED, "unlinking": Status.EXPORTED}
STATES |= {"retrying": Status.FAILED, "reviewing": Status.FAILED}
ACTION_OF_FORM = {
    "presence": "resolve",
    "absence": "resolve",
    "manual": "mark_entered_manually",
    "unlinking": "unlink",
    "retrying": "retry",
    "reviewing": "review",
}
ANSWERS = {"present": "presence", "absent": "absence"}
FORMS = {"resolving.enter_by_hand": "manual", "resolving.unlink": "unlinking"}
TICKED = {"resolving.retry": "retrying", "resolving.review_again": "reviewing"}  # buttons, but for what was left as a workbook


@bp.post("/<key:id>/recall")
def recall(id: int) -> ResponseReturnValue:
    """Take an Accept back."""
    return done(decisions.recall(id, me(), seen_version()), "recalled: it is ready to be decided again", "ready")


@bp.get("/<key:id>/retry")
def retry_form(id: int) -> ResponseReturnValue:
    """Where an approver says that no one entered it from the workbook."""
    return opened(id, "retrying")


@bp.post("/<key:id>/retry")
def retry(id: int) -> ResponseReturnValue:
    """Send again what is missing."""
    return done(resolutions.retry(id, me(), seen_version(), not_entered()), "queued again", "failed", next="retry")


@bp.get("/<key:id>/review")
def review_form(id: int) -> ResponseReturnValue:
    """Where an approver says that no one entered it from the workbook."""
    return opened(id, "reviewing")


@bp.post("/<key:id>/review")
def review_again(id: int) -> ResponseReturnValue:
    """Back to the approvers, as it was sent."""
    reviewed = second_review.review_again(id, me(), seen_version(), not_entered())
    return done(reviewed, "is up for review again: it is ready to be decided", "ready")


@bp.post("/<key:id>/look-up")
def look_up(id: int) -> ResponseReturnValue:
    """Look it up in Spectrum: the worker reads, the row says what was found."""
    if not reads_back():
        return explained(403, "Reading back is off: the portal cannot look into Spectrum. An operator sets INFOLINK_SERVER.")
    return done(readback.ask(id, me()), "is being looked up in Spectrum", "failed")


@bp.get("/<key:id>/resolution")
def resolution_form(id: int) -> ResponseReturnValue:
    """Where someone says what Spectrum shows."""
    return opened(id, answered(request.args.get("answer", "")))


@bp.post("/<key:id>/resolution")
def resolve(id: int) -> ResponseReturnValue:
    """It is in Spectrum, or it is not there."""
    form, version, note = request.form, seen_version(), request.form.get("note", "")
    if answered(form.get("answer", "")) == "presence":
        resolved = resolutions.mark_present(id, me(), version, form.get("number", ""), note)
    else:
        resolved = resolutions.mark_absent(id, me(), version, note)
    return done(resolved, f"is now: {resolved.label}", "failed")


@bp.get("/<key:id>/manual-entry")
def manual_form(id: int) -> ResponseReturnValue:
    """Where someone says under which number it was typed into Spectrum."""
    return opened(id, "manual")


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
    return opened(id, "unlinking")


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
    """The form again, with what was typed and all that is wrong with it; without a form the row, and why."""
    row, form = lists.row(asked_for()[0], me()), form_of() or ticked_form(error)
    if not form:
        return explained(422, str(error))
    return answer(row, 422, form=form, fields=fields_of(row), problems=error.findings, focus=f"#problem-{row.change_order.id}")


@bp.errorhandler(NotPermitted)
def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    """The row, and why; to someone who may not even look, only why."""
    return explained(403, str(error))


@bp.errorhandler(Overtaken)
def overtaken(error: Overtaken) -> ResponseReturnValue:
    """The row as it is now, so that the person sees what the other one, or the worker, did."""
    standing = sentences.status_sentence(lists.row(asked_for()[0], me()))
    return explained(409, f"Nothing was recorded. {standing}", unrecorded=request.form.get("note", "").strip())


def explained(status: int, why: str, **shown: Any) -> ResponseReturnValue:
    """The row, and why; to someone who may not see the row, only why."""
    row = lists.row(asked_for()[0], me())
    if not may_see(row):
        return errors.answer(status, why)
    return answer(row, status, error=why, focus=f"#error-{row.change_order.id}", **shown)


def opened(id: int, form: str) -> ResponseReturnValue:
    """The form in its row, or the page that holds it. Raises Overtaken or NotPermitted."""
    row = lists.row(id, me())
    if row.change_order.state is not STATES[form]:
        raise Overtaken(row.change_order)
    if ACTION_OF_FORM[form] not in row.actions.available:
        raise NotPermitted(
            row.actions.why_own if ACTION_OF_FORM[form] in row.actions.own else me().why_not_decide or resolutions.ONLY_ADMIN
        )
    shown: dict[str, Any] = {"form": form, "fields": fields_of(row), "problems": [], "focus": f"#change-order-{id} [autofocus]"}
    return render_template("change_orders/_row.html", row=row, **shown) if wants_fragment() else page_of(row, **shown)


def answer(row: Row, status: int, **shown: Any) -> ResponseReturnValue:
    """What became of it: the row with the counts, or without htmx the page of the change order."""
    if not wants_fragment():
        return page_of(row, status, **shown)
    return make_response(render_template("change_orders/_decided.html", row=row, **shown), status, MOVED)


def done(change_order: ChangeOrder, verb: str, view: str, **shown: str) -> ResponseReturnValue:
    """The row as it is now, or without htmx the list that the person came from."""
    said = f"{spectrum_numbers.named(change_order)} {verb}."
    if not wants_fragment():
        flash(said)
        return redirect(return_to.led_back(change_order, me(), view), 303)
    return answer(lists.row(change_order.id, me()), 200, say=said, focus=f"#cco-{change_order.id}", **shown)


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


def answered(text: str) -> str:
    """The form of the answer. Ends the request where it is none."""
    return ANSWERS.get(text) or abort(400, "Say whether it is in Spectrum or not.")


def form_of() -> str:
    """The form of the request in hand; empty for a button without one."""
    return answered(request.form.get("answer", "")) if request.endpoint == "resolving.resolve" else FORMS.get(request.endpoint or "", "")


def ticked_form(error: Blocked) -> str:
    """The form of a button that wants a tick first, where that is what stands against it."""
    wants = any(finding.field == "not_entered" for finding in error.findings)
    return TICKED.get(request.endpoint or "", "") if wants else ""


def not_entered() -> bool:
    """The tick that no one entered it from the workbook."""
    return request.form.get("not_entered") == "on"
