"""Accept and Reject: the forms, the decisions, and what a refusal looks like."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.exporting import payload
from portal.domain.people import NotPermitted
from portal.domain.recovery import leftovers, renumber
from portal.domain.review import context, decisions, lists, previews, signature
from portal.domain.review.lists import Row
from portal.domain.review.previews import Preview
from portal.domain.review.signature import Changed, Marks
from portal.domain.rules import checks, spectrum_numbers
from portal.domain.rules.findings import ACCOUNTING, Blocked, Finding
from portal.domain.transitions import LONGEST_REASON
from portal.domain.wording import Wording
from portal.web import frame
from portal.web.change_orders import answers, forms, sentences
from portal.web.change_orders.answers import opened, seen_version
from portal.web.change_orders.forms import FORMS
from portal.web.change_orders.lists import keep_drafts_private
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("deciding", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.before_request(keep_drafts_private)
bp.register_error_handler(NotPermitted, answers.not_permitted)
bp.register_error_handler(Overtaken, answers.overtaken)

NO_MARKS = "The form does not say what it showed you. Nothing was recorded: reload the page and decide again."


@bp.get("/<key:id>/acceptance")
def acceptance_form(id: int) -> ResponseReturnValue:
    """What Spectrum will get, as far as the approver may choose it."""
    row = decidable(id, "acceptance")
    return opened(row, "acceptance", fields_of(row))


@bp.post("/<key:id>/acceptance")
def accept(id: int) -> ResponseReturnValue:
    """Export."""
    version, seen, removed = seen_version(), seen_marks(), request.form.get("removed") == "on"
    accepted = decisions.accept(id, me(), version, seen, worded(request.form), removed)
    return decided(accepted, "accepted and queued")


@bp.get("/<key:id>/preview")
def preview(id: int) -> ResponseReturnValue:
    """What Spectrum would receive, while number and words are being typed."""
    if not wants_fragment():
        return redirect(url_for("change_orders.show", id=id), 303)
    row = lists.row(id, me())
    if not row.change_order.is_ready or row.why_not:
        return render_template("change_orders/_preview.html", id=id, overtaken=row.why_not or sentences.status_sentence(row))
    return render_template("change_orders/_preview.html", id=id, preview=preview_of(row.change_order, request.args))


@bp.post("/<key:id>/preview")
def previewed(id: int) -> ResponseReturnValue:
    """The same without JavaScript: the form again, as it was typed, with the preview open. Records nothing."""
    row, version = decidable(id, "acceptance"), seen_version()
    if row.change_order.version != version:
        raise Overtaken(row.change_order)
    return opened(row, "acceptance", fields_of(row) | {"previewed": True})


@bp.get("/<key:id>/rejection")
def rejection_form(id: int) -> ResponseReturnValue:
    """Where the reason is written; `preset` fills in one of the company's."""
    row = decidable(id, "rejection")
    presets = {str(number): reason for number, reason in enumerate(row.change_order.company.reasons, start=1)}
    preset = presets.get(request.args.get("preset", ""))
    return opened(row, "rejection", fields_of(row) | ({"reason": preset, "picked": True} if preset else {}))


@bp.post("/<key:id>/rejection")
def reject(id: int) -> ResponseReturnValue:
    """Back to its sender, with the reason."""
    removed, not_entered = (request.form.get(name) == "on" for name in ("removed", "not_entered"))
    rejected = decisions.reject(id, me(), seen_version(), request.form.get("reason", ""), removed, not_entered)
    return decided(rejected, f"sent back to {rejected.sent_by.name}" if rejected.sent_by else "sent back")


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    return answers.blocked(error, fields_of)


@bp.errorhandler(Changed)
def changed(error: Changed) -> ResponseReturnValue:
    """The form as it is now, with what was typed and each value that the approver had seen otherwise."""
    row, form = answers.asked_row(), forms.sent()
    form = form if row.change_order.state in FORMS[form].states else ""
    fields, focus = fields_of(row) | marks_of(row), f"#changed-{row.change_order.id}"
    return answers.answer(row, 409, form=form, problems=[], changes=error.changes, fields=fields, focus=focus)


def decidable(id: int, form: str) -> Row:
    """The row, if this person may decide it now. Raises Overtaken or NotPermitted."""
    row = lists.row(id, me())
    if row.change_order.state not in FORMS[form].states:
        raise Overtaken(row.change_order)
    if row.why_not:
        raise NotPermitted(row.why_not)
    return row


def seen_marks() -> Marks:
    """The marks of all that the form showed."""
    seen = request.form.getlist("seen")
    try:
        return signature.read(seen[0] if len(seen) == 1 else "")
    except ValueError:
        abort(400, NO_MARKS)


def decided(change_order: ChangeOrder, verb: str) -> ResponseReturnValue:
    """The row, with how many are left to decide; the next one gets the focus."""
    left = frame.totals()["ready"].count if wants_fragment() else 0
    return answers.done(change_order, verb, "ready", f" {left or 'Nothing'} left.", next="accept" if left else "")


def fields_of(row: Row) -> dict[str, Any]:
    """What the forms show: what was typed, else what is proposed."""
    change_order, typed = row.change_order, request.form
    if change_order.state is Status.FAILED:
        workbook = leftovers.workbook_of(row.last)
        return {"reason": typed.get("reason", prefilled(row)), "left": leftovers.of(change_order), "workbook": workbook}
    if not change_order.is_ready:
        return {}
    proposed = row.number or spectrum_numbers.propose(change_order)
    company = change_order.company
    fixed = "It keeps this number in Spectrum." if row.number else "" if company.edit_number else "The company settings fix the number."
    return {
        "number": typed.get("number", proposed),
        "fixed": fixed,
        "title": typed.get("title", change_order.title),
        "description": typed.get("description", change_order.description),
        "accounting_date": typed.get("accounting_date", ""),
        "today": payload.today(company),
        "reason": typed.get("reason", ""),
        "left": leftovers.of(change_order),
        "findings": [
            *leftovers.against_accept(change_order),
            *checks.at_accept(change_order, Wording(proposed)),
            *renumber.findings(change_order, me(), removed=False),
        ],
        "context": context.of(change_order, me()),
        "lost": renumber.needs_removal(change_order) if me().may_administer else None,
        "preview": preview_of(change_order, typed),
        "previewed": False,
        **({"seen": typed["seen"]} if "seen" in typed else marks_of(row)),  # what they saw at first, until they are told what changed
    }


def marks_of(row: Row) -> dict[str, str]:
    """What the form shows now, as it carries it."""
    return {"seen": signature.carried(signature.marks(row.change_order))}


def prefilled(row: Row) -> str:
    """The failure in plain words, as a reason to send back."""
    return sentences.note(row.last)[:LONGEST_REASON] if row.last else ""


def preview_of(change_order: ChangeOrder, typed: Mapping[str, str]) -> Preview:
    """What would be sent in the wording that was typed."""
    try:
        wording = worded(typed)
    except Blocked as error:
        return Preview(None, error.findings)
    return previews.of(change_order, replace(wording, number=spectrum_numbers.chosen(change_order, wording.number)))


def worded(typed: Mapping[str, str]) -> Wording:
    """The wording that was typed. Raises Blocked for an accounting date that is none."""
    try:
        day = payload.accounting_day(typed.get("accounting_date", ""))
    except ValueError as error:
        raise Blocked([Finding(19, "accounting_date", str(error), ACCOUNTING)]) from None
    return Wording(typed.get("number", ""), typed.get("title"), typed.get("description"), day)
