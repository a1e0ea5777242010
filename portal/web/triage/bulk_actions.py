"""The record of a bulk action: who asked what of how many, what became of each, and why."""

import secrets

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.review import bulk_actions
from portal.domain.review.bulk_actions import BulkAction, Outcome

bp = Blueprint("bulk_actions", __name__, url_prefix="/bulk-actions")
bp.record(url_ids.register)

NO_SUCH_ACTION = "There is no such bulk action."
TITLES = {"retry": "Retry all", "reject": "Reject all"}
WORDS = {  # of one change order, by what was asked
    "retry": {Outcome.DONE: "queued", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not retried", Outcome.OPEN: "not reached"},
    "reject": {Outcome.DONE: "sent back", Outcome.SKIPPED: "skipped", Outcome.REFUSED: "not sent back", Outcome.OPEN: "not reached"},
}


@bp.get("/<key:id>")
def show(id: int) -> ResponseReturnValue:
    action = bulk_actions.load(id) or abort(404, NO_SUCH_ACTION)
    said = {"title": TITLES[action.what], "words": WORDS[action.what], "sentence": sentence(action)}
    return render_template("triage/bulk_action.html", action=action, results=bulk_actions.results(action), **said)


def sentence(action: BulkAction) -> str:
    """`38 queued, 2 skipped, 1 not retried`."""
    counted = bulk_actions.counts(action)
    parts = [f"{counted[outcome]} {words}" for outcome, words in WORDS[action.what].items() if outcome in counted]
    return ", ".join(parts) or "Nothing was left to do"


def form_key() -> str:
    """What makes the same form, sent twice, one action."""
    return secrets.token_urlsafe(16)
