"""A whole group at once: count and money first, then the record of what became of each."""

from typing import Any

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.people import NotPermitted
from portal.domain.review.bulk_actions import MOST, BulkAction, Chosen
from portal.domain.rules.findings import Blocked
from portal.domain.triage import clearing
from portal.domain.triage.groups import Group
from portal.web.change_orders import bulk_actions
from portal.web.change_orders.bulk_actions import seen_key, seen_rows
from portal.web.htmx import wants_fragment
from portal.web.triage.failures import answer, found, refused
from portal.web.visitors import me

bp = Blueprint("clearing", __name__, url_prefix="/failures")
bp.record(url_ids.register)

CLEARED = {"HX-Trigger": "group-cleared"}  # the pages of failures listen: their sums and rows have changed


@bp.get("/<key:id>/retries")
def retry_form(id: int) -> ResponseReturnValue:
    """How many, how much, in which order."""
    if why := clearing.why_not_retry(me())[found(id).cause.kind]:
        return refused(found(id), why)
    return opened(found(id), "retries")


@bp.post("/<key:id>/retries")
def retry(id: int) -> ResponseReturnValue:
    """Retry what the form showed; or only the first of the group, to see whether it goes."""
    group = found(id)
    rows = [Chosen(one.id, one.version) for one in clearing.first(group, 1)] if request.form.get("first") else seen_rows()
    return done(id, clearing.retry(group, rows, me(), seen_key()))


@bp.get("/<key:id>/rejections")
def reject_form(id: int) -> ResponseReturnValue:
    """The reason, for all of them."""
    if not me().may_decide:
        return refused(found(id), me().why_not_decide)
    return opened(found(id), "rejections")


@bp.post("/<key:id>/rejections")
def reject(id: int) -> ResponseReturnValue:
    """Back to their senders, with the reason."""
    return done(id, clearing.reject(found(id), seen_rows(), me(), seen_key(), request.form.get("reason", "")))


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    """The form again, with the reason as it was typed."""
    return opened(found((request.view_args or {})["id"]), "rejections", 422, problems=error.findings)


@bp.errorhandler(NotPermitted)
def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    return refused(found((request.view_args or {})["id"]), str(error))


def opened(group: Group, form: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """The form in the row of the group, with what it is about."""
    rows = clearing.first(group)
    reason = request.form.get("reason", clearing.proposed_reason(group))
    between = clearing.BETWEEN.total_seconds()
    fields = {"rows": rows, "total": sum(row.amount for row in rows), "most": MOST, "between": int(between), "reason": reason}
    focus = f"#failure-{group.cause.id} [autofocus]"
    return answer(group, status, group_form=form, group_fields=fields, group_focus=focus, **({"problems": []} | shown))


def done(id: int, action: BulkAction) -> ResponseReturnValue:
    """The group as it is now with what became of it, or without htmx the record."""
    if not wants_fragment():
        return redirect(url_for("bulk_actions.show", id=action.id), 303)
    said = bulk_actions.sentence(action)
    focus = f"#record-{id}"
    html = answer(found(id), template="triage/_cleared.html", group_done=action, group_say=said, group_said=said, group_focus=focus)
    return make_response(html, CLEARED)
