"""What the person sees after a decision: the row as it is now, the form again, or why nothing was recorded."""

import re
from collections.abc import Callable
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.change_orders import ChangeOrder, Overtaken
from portal.domain.people import NotPermitted
from portal.domain.review import lists
from portal.domain.review.lists import Row
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.web import errors, return_to
from portal.web.change_orders import forms, sentences
from portal.web.change_orders.forms import FORMS
from portal.web.change_orders.lists import MOVED, may_see, page_of
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

TYPED = ("reason", "question", "note")  # what must not be lost
VERSION = re.compile("[0-9]{1,9}", re.ASCII)
NO_VERSION = "The form does not say which version of the change order you saw. Nothing was recorded: reload the page and decide again."


def seen_version() -> int:
    """The version of the change order that the person was looking at."""
    seen = request.form.getlist("version")
    if len(seen) != 1 or not VERSION.fullmatch(seen[0]):
        abort(400, NO_VERSION)
    return int(seen[0])


def asked_row() -> Row:
    """The row of the request in hand, as it is now."""
    return lists.row((request.view_args or {})["id"], me())


def opened(row: Row, form: str, fields: dict[str, Any]) -> ResponseReturnValue:
    """The form in its row, or the page that holds it."""
    shown: dict[str, Any] = {"form": form, "fields": fields, "problems": [], "focus": f"#change-order-{row.change_order.id} [autofocus]"}
    return render_template("change_orders/_row.html", row=row, **shown) if wants_fragment() else page_of(row, **shown)


def done(change_order: ChangeOrder, verb: str, view: str, more: str = "", **shown: str) -> ResponseReturnValue:
    """The row as it is now, or without htmx the list that the person came from. `more` is said beside the row only."""
    said = f"{spectrum_numbers.named(change_order)} {verb}."
    if not wants_fragment():
        flash(said)
        return redirect(return_to.led_back(change_order, me(), view), 303)
    return answer(lists.row(change_order.id, me()), 200, say=said + more, focus=f"#cco-{change_order.id}", **shown)


def blocked(error: Blocked, fields_of: Callable[[Row], dict[str, Any]]) -> ResponseReturnValue:
    """The form again, with what was typed and all that is wrong with it; for a button without one the row, and why."""
    row, form = asked_row(), forms.sent()
    if row.change_order.version != seen_version():  # the form would carry the version of what no one has seen
        return overtaken(Overtaken(row.change_order))
    tick = FORMS[form].tick if form else ""
    opens = form and row.change_order.state in FORMS[form].states and (not tick or any(one.field == tick for one in error.findings))
    if not opens:
        return explained(422, str(error))
    return answer(row, 422, form=form, fields=fields_of(row), problems=error.findings, focus=f"#problem-{row.change_order.id}")


def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    """The row, and why; to someone who may not even look, only why."""
    return explained(403, str(error))


def overtaken(_: Overtaken) -> ResponseReturnValue:
    """The row as it is now, so that the person sees what someone else, or the worker, did."""
    row, unrecorded = asked_row(), next((request.form[name].strip() for name in TYPED if name in request.form), "")
    return explained(409, f"Nothing was recorded. {sentences.status_sentence(row)}", row, unrecorded=unrecorded)


def explained(status: int, why: str, row: Row | None = None, **shown: Any) -> ResponseReturnValue:
    """The row, and why; to someone who may not see the row, only why."""
    row = row or asked_row()
    if not may_see(row):
        return errors.answer(status, why)
    return answer(row, status, error=why, focus=f"#error-{row.change_order.id}", **shown)


def answer(row: Row, status: int, **shown: Any) -> ResponseReturnValue:
    """The row with the counts, or without htmx the page of the change order."""
    if not wants_fragment():
        return page_of(row, status, **shown)
    return make_response(render_template("change_orders/_decided.html", row=row, **shown), status, MOVED)
