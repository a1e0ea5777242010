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
from portal.domain.review.bulk_actions import MOST, BulkAction, BulkOutcome, Chosen, What
from portal.web import return_to
from portal.web.visitors import me

bp = Blueprint("bulk_actions", __name__, url_prefix="/bulk-actions")
bp.record(url_ids.register)

ROW = re.compile("([1-9][0-9]{0,17})-([0-9]{1,9})", re.ASCII)
KEY = re.compile("[A-Za-z0-9_-]{16,64}", re.ASCII)
BAD_FORM = "The form does not say what it showed you. Nothing was recorded: reload the page and try again."
NO_SUCH_ACTION = "There is no such bulk action."
TITLES = {What.RETRY: "Retry all", What.REJECT: "Reject all", What.ACCEPT: "Accept clean", What.HOLD: "Hold", What.RECALL: "Undo"}
DONE = {What.RETRY: "queued", What.REJECT: "sent back", What.ACCEPT: "queued", What.HOLD: "on hold", What.RECALL: "recalled"}
REFUSED = {
    What.RETRY: "not retried",
    What.REJECT: "not sent back",
    What.ACCEPT: "not accepted",
    What.HOLD: "not held",
    What.RECALL: "not recalled",
}
NOT_REACHED = "The database was busy, or the portal stopped. Nothing of these was recorded: start again with what is left in the list."


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
    return recorded(undone)


def recorded(action: BulkAction) -> ResponseReturnValue:
    """To the record, and from there back to the list that the person works from."""
    return redirect(url_for("bulk_actions.show", id=action.id, place=return_to.address()), 303)


def found(id: int) -> BulkAction:
    """The action of this id. Ends the request where there is none."""
    return bulk_actions.load(id) or abort(404, NO_SUCH_ACTION)


def page_of(action: BulkAction, status: int = 200, **shown: Any) -> ResponseReturnValue:
    said = {"title": TITLES[What(action.what)], "words": words(action), "sentence": sentence(action), "not_reached": NOT_REACHED}
    said |= {"tab": "failures" if action.group else "change_orders"}
    now = {"results": bulk_actions.results(action), "undoable": bulk_accept.undoable(action, me())}
    return make_response(render_template("change_orders/bulk_action.html", action=action, **said, **now, **shown), status)


def sentence(action: BulkAction) -> str:
    """`38 queued, 2 skipped, 1 not retried`."""
    counted = bulk_actions.counts(action)
    parts = [f"{counted[outcome]} {word}" for outcome, word in words(action).items() if outcome in counted]
    return ", ".join(parts) or "Nothing was left to do"


def words(action: BulkAction) -> dict[BulkOutcome, str]:
    """What became of one change order of it, in words."""
    what = What(action.what)
    return {
        BulkOutcome.DONE: DONE[what],
        BulkOutcome.SKIPPED: "skipped",
        BulkOutcome.REFUSED: REFUSED[what],
        BulkOutcome.OPEN: "not reached",
    }


def seen_rows() -> list[Chosen]:
    """The change orders that the form showed, in their order."""
    return [Chosen(int(row[1]), int(row[2])) for row in matched_rows(ROW, MOST)]


def matched_rows(pattern: re.Pattern[str], most: int) -> list[re.Match[str]]:
    """The rows that the form carries. Ends the request where one is not of the pattern, or there are none or more than `most`."""
    rows = [pattern.fullmatch(row) for row in request.form.getlist("row")]
    found = [row for row in rows if row]
    return found if 1 <= len(rows) <= most and len(found) == len(rows) else abort(400, BAD_FORM)


def seen_key() -> str:
    """The key that was drawn with the form."""
    key = request.form.get("key", "")
    return key if KEY.fullmatch(key) else abort(400, BAD_FORM)


def form_key() -> str:
    """What makes the same form, sent twice, one action."""
    return secrets.token_urlsafe(16)
