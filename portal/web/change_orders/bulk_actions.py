"""The record of a bulk action: who asked what of how many, what became of each, and why; and Undo while nothing of it was sent."""

import re
import secrets
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.people import NotPermitted
from portal.domain.review import bulk_accept, bulk_actions
from portal.domain.review.bulk_actions import MOST, BulkAction, Chosen, Outcome
from portal.web.visitors import me

bp = Blueprint("bulk_actions", __name__, url_prefix="/bulk-actions")
bp.record(url_ids.register)

ROW = re.compile("([1-9][0-9]{0,17})-([0-9]{1,9})", re.ASCII)
KEY = re.compile("[A-Za-z0-9_-]{16,64}", re.ASCII)
BAD_FORM = "The form does not say what it showed you. Nothing was recorded: reload the page and try again."
NO_SUCH_ACTION = "There is no such bulk action."
TITLES = {"retry": "Retry all", "reject": "Reject all", "accept": "Accept clean", "recall": "Undo"}
WORDS = {  # of one change order, by what was asked
    "retry": {Outcome.DONE: "queued", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not retried", Outcome.OPEN: "not reached"},
    "reject": {Outcome.DONE: "sent back", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not sent back", Outcome.OPEN: "not reached"},
    "accept": {Outcome.DONE: "queued", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not accepted", Outcome.OPEN: "asked"},
    "recall": {Outcome.DONE: "recalled", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not recalled", Outcome.OPEN: "asked"},
}


@bp.record
def register(state: BlueprintSetupState) -> None:
    """Forms of bulk actions draw their keys."""
    state.app.jinja_env.globals.update(form_key=form_key)


@bp.get("/<key:id>")
def show(id: int) -> ResponseReturnValue:
    return page_of(found(id))


@bp.post("/<key:id>/recalls")
def undo(id: int) -> ResponseReturnValue:
    """Recall what of it was not sent yet, as far as it is what the page showed."""
    action = found(id)
    try:
        undone = bulk_accept.undo(action, seen_rows(), me(), seen_key())
    except NotPermitted as error:
        return page_of(action, 403, error=str(error))
    return redirect(url_for(".show", id=undone.id), 303)


def found(id: int) -> BulkAction:
    """The action of this id. Ends the request where there is none."""
    return bulk_actions.load(id) or abort(404, NO_SUCH_ACTION)


def page_of(action: BulkAction, status: int = 200, **shown: Any) -> ResponseReturnValue:
    said = {"title": TITLES[action.what], "words": WORDS[action.what], "sentence": sentence(action)}
    now = {"results": bulk_actions.results(action), "undoable": bulk_accept.undoable(action, me())}
    return make_response(render_template("change_orders/bulk_action.html", action=action, **said, **now, **shown), status)


def sentence(action: BulkAction) -> str:
    """`38 queued, 2 skipped, 1 not retried`."""
    counted = bulk_actions.counts(action)
    parts = [f"{counted[outcome]} {words}" for outcome, words in WORDS[action.what].items() if outcome in counted]
    return ", ".join(parts) or "Nothing was left to do"


def seen_rows() -> list[Chosen]:
    """The change orders that the form showed, in their order."""
    rows = [ROW.fullmatch(row) for row in request.form.getlist("row")]
    if not 1 <= len(rows) <= MOST or not all(rows):
        abort(400, BAD_FORM)
    return [Chosen(int(row[1]), int(row[2])) for row in rows if row]


def seen_key() -> str:
    """The key that was drawn with the form."""
    key = request.form.get("key", "")
    return key if KEY.fullmatch(key) else abort(400, BAD_FORM)


def form_key() -> str:
    """What makes the same form, sent twice, one action."""
    return secrets.token_urlsafe(16)
