"""Accept and Reject: the forms, the decisions, and what a refusal looks like."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
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
from portal.web import return_to
from portal.web.change_orders import sentences
from portal.web.change_orders.lists import MOVED, keep_drafts_private, page_of
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("deciding", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.before_request(keep_drafts_private)

VERSION = re.compile("[0-9]{1,9}", re.ASCII)
NO_VERSION = "The form does not say which version of the change order you saw. Nothing was recorded: reload the page and decide again."
NO_MARKS = "The form does not say what it showed you. Nothing was recorded: reload the page and decide again."
FORMS = {"deciding.accept": "acceptance", "deciding.reject": "rejection", "deciding.previewed": "acceptance"}
WAITS = {"acceptance": (Status.READY,), "rejection": decisions.REJECTABLE, "": ()}  # the states in which each form makes sense


@bp.get("/<key:id>/acceptance")
def acceptance_form(id: int) -> ResponseReturnValue:
    """What Spectrum will get, as far as the approver may choose it."""
    return opened(decidable(id), "acceptance")


@bp.post("/<key:id>/acceptance")
def accept(id: int) -> ResponseReturnValue:
    """Export."""
    form, version, seen, day = request.form, seen_version(), seen_marks(), accounting_day(request.form)
    typed = form.get("number", ""), form.get("title"), form.get("description"), day
    accepted = decisions.accept(id, me(), version, seen, *typed, removed=form.get("removed") == "on")
    return done(accepted, "accepted and queued")


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
    row, version = decidable(id), seen_version()
    if row.change_order.version != version:
        raise Overtaken(row.change_order)
    return opened(row, "acceptance", previewed=True)


@bp.get("/<key:id>/rejection")
def rejection_form(id: int) -> ResponseReturnValue:
    """Where the reason is written; `preset` fills in one of the company's."""
    row = decidable(id, decisions.REJECTABLE)
    presets = {str(number): reason for number, reason in enumerate(row.change_order.company.reasons, start=1)}
    preset = presets.get(request.args.get("preset", ""))
    return opened(row, "rejection", **({"reason": preset} if preset else {}))


@bp.post("/<key:id>/rejection")
def reject(id: int) -> ResponseReturnValue:
    """Back to its sender, with the reason."""
    removed, not_entered = (request.form.get(name) == "on" for name in ("removed", "not_entered"))
    rejected = decisions.reject(id, me(), seen_version(), request.form.get("reason", ""), removed, not_entered)
    return done(rejected, f"sent back to {rejected.sent_by.name}" if rejected.sent_by else "sent back")


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    """The form again, with what was typed and all that is wrong with it."""
    id, form = asked_for()
    row = lists.row(id, me())
    if row.change_order.version != seen_version():  # the form would carry the version of what no one has seen
        return overtaken(Overtaken(row.change_order))
    return answer(row, 422, form=form if row.change_order.state in WAITS[form] else "", problems=error.findings, focus=f"#problem-{id}")


@bp.errorhandler(NotPermitted)
def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    """The row without buttons, and why."""
    id, _ = asked_for()
    return answer(lists.row(id, me()), 403, error=str(error), focus=f"#error-{id}")


@bp.errorhandler(Changed)
def changed(error: Changed) -> ResponseReturnValue:
    """The form as it is now, with what was typed and each value that the approver had seen otherwise."""
    id, form = asked_for()
    row = lists.row(id, me())
    form = form if row.change_order.state in WAITS[form] else ""
    return answer(row, 409, form=form, problems=[], changes=error.changes, fields=fields_of(row) | marks_of(row), focus=f"#changed-{id}")


@bp.errorhandler(Overtaken)
def overtaken(error: Overtaken) -> ResponseReturnValue:
    """The row as it is now, so that the approver sees what the other one decided."""
    id, _ = asked_for()
    row = lists.row(id, me())
    unrecorded = request.form.get("reason", "").strip()
    return answer(row, 409, error=f"Nothing was recorded. {sentences.status_sentence(row)}", unrecorded=unrecorded, focus=f"#error-{id}")


def decidable(id: int, states: tuple[Status, ...] = (Status.READY,)) -> Row:
    """The row, if this person may decide it now. Raises Overtaken or NotPermitted."""
    row = lists.row(id, me())
    if row.change_order.state not in states:
        raise Overtaken(row.change_order)
    if row.why_not:
        raise NotPermitted(row.why_not)
    return row


def seen_version() -> int:
    """The version of the change order that the approver was looking at."""
    seen = request.form.getlist("version")
    if len(seen) != 1 or not VERSION.fullmatch(seen[0]):
        abort(400, NO_VERSION)
    return int(seen[0])


def seen_marks() -> Marks:
    """The marks of all that the form showed."""
    seen = request.form.getlist("seen")
    try:
        return signature.read(seen[0] if len(seen) == 1 else "")
    except ValueError:
        abort(400, NO_MARKS)


def asked_for() -> tuple[int, str]:
    """The id and the form of the request in hand."""
    return (request.view_args or {})["id"], FORMS.get(request.endpoint or "", "")


def opened(row: Row, form: str, **filled_in: Any) -> ResponseReturnValue:
    """The form, with some of its fields filled in otherwise than proposed."""
    id = row.change_order.id
    shown: dict[str, Any] = {"form": form, "fields": fields_of(row) | filled_in, "problems": [], "focus": f"#change-order-{id} [autofocus]"}
    return render_template("change_orders/_row.html", row=row, **shown) if wants_fragment() else page_of(row, **shown)


def answer(row: Row, status: int, **shown: Any) -> ResponseReturnValue:
    """What became of a decision: the row with the counts, or without htmx the page of the change order."""
    shown = {"fields": fields_of(row)} | shown
    if not wants_fragment():
        return page_of(row, status, **shown)
    return make_response(render_template("change_orders/_decided.html", row=row, **shown), status, MOVED)


def done(change_order: ChangeOrder, verb: str) -> ResponseReturnValue:
    if not wants_fragment():
        flash(f"{spectrum_numbers.named(change_order)} {verb}.")
        return redirect(return_to.led_back(change_order, me(), "ready"), 303)
    left = lists.totals()["ready"].count
    said = f"{spectrum_numbers.named(change_order)} {verb}. {left or 'Nothing'} left."
    return answer(lists.row(change_order.id, me()), 200, say=said, focus=f"#cco-{change_order.id}", next="accept" if left else "")


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
            *checks.at_accept(change_order, proposed, None, None),
            *renumber.findings(change_order, me(), removed=False),
        ],
        "context": context.of(change_order),
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
    """What number, words and date as typed would become."""
    number = spectrum_numbers.chosen(change_order, typed.get("number", ""))
    try:
        return previews.of(change_order, number, typed.get("title"), typed.get("description"), accounting_day(typed))
    except Blocked as error:
        return Preview(None, error.findings)


def accounting_day(typed: Mapping[str, str]) -> date | None:
    """The accounting date that was chosen, if any. Raises Blocked for what is no date."""
    try:
        return payload.accounting_day(typed.get("accounting_date", ""))
    except ValueError as error:
        raise Blocked([Finding(19, "accounting_date", str(error), ACCOUNTING)]) from None
