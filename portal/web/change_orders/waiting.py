"""A question to the sender and its answer, and holding: the forms, and what becomes of them."""

import re
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain import days
from portal.domain.change_orders import ChangeOrder, Overtaken
from portal.domain.people import NotPermitted
from portal.domain.review import holds, lists, questions
from portal.domain.review.lists import Row
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import Blocked, blocking
from portal.web.change_orders import answers
from portal.web.change_orders.answers import opened, seen_version
from portal.web.change_orders.decisions import decidable
from portal.web.change_orders.lists import keep_drafts_private, page_of
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("waiting", __name__, url_prefix="/change-orders")
bp.record(url_ids.register)
bp.before_request(keep_drafts_private)
bp.register_error_handler(NotPermitted, answers.not_permitted)
bp.register_error_handler(Overtaken, answers.overtaken)

SEQ = re.compile("[0-9]{1,18}", re.ASCII)
TOO_LATE = "This question has been answered, or the change order was decided meanwhile. Nothing was recorded."


@bp.get("/<key:id>/question")
def question_form(id: int) -> ResponseReturnValue:
    """Where an approver writes a question to the sender."""
    row = decidable(id, "asking")
    return opened(row, "asking", fields_of(row))


@bp.post("/<key:id>/question")
def ask(id: int) -> ResponseReturnValue:
    """Ask the sender."""
    return done(questions.ask(id, me(), seen_version(), request.form.get("question", "")), "waits for an answer of the sender")


@bp.post("/<key:id>/answer")
def answer(id: int) -> ResponseReturnValue:
    """Answer the question that is open."""
    typed, question = request.form.get("answer", ""), request.form.get("asked", "")
    try:
        given = questions.answer(id, me(), int(question) if SEQ.fullmatch(question) else 0, typed)
    except Blocked as error:
        return page_of(lists.row(id, me()), 422, answer=typed, answer_problem=str(blocking(error.findings)[0]))
    except Overtaken:
        return page_of(lists.row(id, me()), 409, answer=typed, answer_problem=TOO_LATE)
    flash(f"{spectrum_numbers.named(given)}: answer sent to accounting.")
    return redirect(url_for("change_orders.show", id=id, _anchor="waiting"), 303)


@bp.get("/<key:id>/hold")
def hold_form(id: int) -> ResponseReturnValue:
    """Where an approver says until when, and why."""
    row = decidable(id, "holding")
    return opened(row, "holding", fields_of(row))


@bp.post("/<key:id>/hold")
def hold(id: int) -> ResponseReturnValue:
    """Put it on hold."""
    return done(holds.hold(id, me(), seen_version(), until(), request.form.get("note", "")), "is on hold")


@bp.post("/<key:id>/hold/release")
def release(id: int) -> ResponseReturnValue:
    """Take it off hold."""
    return done(holds.release(id, me(), seen_version()), "is off hold")


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    return answers.blocked(error, fields_of)


def done(change_order: ChangeOrder, verb: str) -> ResponseReturnValue:
    """The row as it is now, or without htmx its page: what was asked or noted stands there."""
    if wants_fragment():
        return answers.done(change_order, verb, "ready")
    flash(f"{spectrum_numbers.named(change_order)} {verb}.")
    return redirect(url_for("change_orders.show", id=change_order.id, _anchor="waiting"), 303)


def fields_of(_: Row) -> dict[str, Any]:
    """What the forms show: what was typed."""
    return {name: request.form.get(name, "") for name in ("question", "note", "until")}


def until() -> date | None:
    """The day that was chosen, if it is one."""
    try:
        return days.read(request.form.get("until", ""))
    except ValueError:
        return None
