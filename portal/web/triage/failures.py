"""Failed exports in groups, the rows of one group, and those whose outcome is unknown."""

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.rules import spectrum_numbers
from portal.domain.triage import clearing, groups, members, upkeep
from portal.domain.triage.groups import Group
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("failures", __name__, url_prefix="/failures")
bp.record(url_ids.register)

FORMS = ("retries", "rejections")  # and the ids of the buttons that open them
UNKNOWN_SHOWN = 10  # above the groups
NO_SUCH_GROUP = "There is no such group of failures. It may have been put under another one: look in the list."


@bp.get("")
def index() -> ResponseReturnValue:
    """All groups, and above them what may be in Spectrum."""
    band = {"unknown": members.unknown(me(), size=UNKNOWN_SHOWN), "unknown_count": members.count_unknown()}
    overview = groups.overview()
    found = {
        "waiting": groups.waiting(),
        "why_not": clearing.why_not_retry(me()),
        "went_through": 0 if overview.groups else groups.went_through(),
    }
    return render_template("triage/index.html", overview=overview, **band, **found)


@bp.get("/unknown")
def unknown() -> ResponseReturnValue:
    """All of which no one knows whether they are in Spectrum."""
    try:
        page = members.unknown(me(), request.args.get("after", ""))
    except ValueError as error:
        abort(404, str(error))
    return render_template("triage/unknown.html", page=page)


@bp.get("/<key:id>")
def show(id: int) -> ResponseReturnValue:
    """One group with its rows."""
    return page_of(found(id))


@bp.get("/<key:id>/row")
def fragment(id: int) -> ResponseReturnValue:
    """The row of a group as it is now: what Cancel brings back, and what it asks for while the one that was retried first is on its way."""
    if not wants_fragment():
        return redirect(url_for(".show", id=id), 303)
    group, cancelled = found(id), request.args.get("cancelled", "")
    if cancelled in FORMS:
        return answer(group, group_focus=f"#{cancelled}-{id}")
    arrived = group.trial if group.trial and not group.trial.is_in_flight else None
    return answer(group, group_say=f"{spectrum_numbers.named(arrived)} is now: {arrived.label}" if arrived else "")


def found(id: int) -> Group:
    """The group of this id. Ends the request where there is none."""
    return groups.one(id) or abort(404, NO_SUCH_GROUP)


def page_of(group: Group, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """The page of a group; `shown` goes to its row: an open form, an error, what came of it."""
    try:
        page = members.of_group(group, me(), request.args.get("after", ""))
    except ValueError as error:
        abort(404, str(error))
    found = {"group": group, "page": page, "people": upkeep.owners(), "why_not": clearing.why_not_retry(me())}
    return make_response(render_template("triage/show.html", **found, **shown), status)


def refused(group: Group, why: str) -> ResponseReturnValue:
    """The row of the group, and why this person may not do that."""
    return answer(group, 403, group_error=why, group_focus=f"#error-{group.cause.id}")


def answer(group: Group, status: int = 200, template: str = "triage/_group.html", **shown: Any) -> ResponseReturnValue:
    """The row of the group as it is now, or without htmx the page that holds it."""
    if not wants_fragment():
        return page_of(group, status, **shown)
    return make_response(render_template(template, group=group, why_not=clearing.why_not_retry(me()), **shown), status)
