"""Saved views: the page that lists them, and its buttons."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain import keys
from portal.domain.people import NotPermitted
from portal.domain.review import saved_views, views
from portal.domain.review.saved_views import SavedView, Unsaved
from portal.web import errors, list_filters
from portal.web.list_filters import Invalid
from portal.web.visitors import me

bp = Blueprint("saved_views", __name__, url_prefix="/saved-views")
bp.record(url_ids.register)

NO_LIST = "This is not the address of a list. Filter a list, then save it."


@bp.get("")
def index() -> ResponseReturnValue:
    """One's own and what is shared, each a link to its list; a list that was left for here can be saved."""
    return page()


@bp.post("")
def save() -> ResponseReturnValue:
    """Keep the list under a name."""
    query = canonical(request.form.get("query", ""))
    try:
        kept = saved_views.save(me(), keys.name(request.form.get("name", "")), query)
    except Unsaved as error:
        return page(422, query, str(error))
    flash(f"Saved as “{kept.name}”.")
    return redirect(url_for(".index"), 303)


@bp.post("/<key:id>/removal")
def remove(id: int) -> ResponseReturnValue:
    """Remove one's own."""
    return done(lambda: saved_views.remove(id, me()), "Removed.")


@bp.post("/<key:id>/sharing")
def share(id: int) -> ResponseReturnValue:
    """Show it to everyone who may look, or no longer."""
    shared = request.form.get("shared") == "yes"
    return done(lambda: saved_views.share(id, me(), shared=shared), "Shared." if shared else "No longer shared.")


def page(status: int = 200, query: str = "", error: str = "") -> ResponseReturnValue:
    query = query or (canonical(request.args["query"]) if request.args.get("query") else "")
    shown = {"kept": saved_views.seen_by(me()), "query": query, "error": error, "name": request.form.get("name", "")}
    return render_template("change_orders/saved_views.html", longest=saved_views.LONGEST_NAME, **shown), status


def done(act: Callable[[], None], said: str) -> ResponseReturnValue:
    """Back to the page, or why not."""
    try:
        act()
    except SavedView.DoesNotExist:  # type: ignore[attr-defined]
        abort(404, "There is no such view any more.")
    except NotPermitted as error:
        return errors.answer(403, str(error))
    flash(said)
    return redirect(url_for(".index"), 303)


def canonical(query: str) -> str:
    """What of it makes a list of ours. 404 for anything else."""
    asked = dict(parse_qsl(query))
    view = views.BY_KEY.get(asked.get("view", "ready")) or abort(404, NO_LIST)
    try:
        list_filters.narrowed(view, asked)
    except Invalid:
        abort(404, NO_LIST)
    return urlencode({"view": view.key} | {name: text for name, text in list_filters.typed(view, asked).items() if text})
