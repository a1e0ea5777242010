"""What surrounds every page: where `/` leads, the Views menu with its counts, and the notices everyone must see."""

from datetime import timedelta

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.local import LocalProxy

from portal import clock
from portal.domain import companies
from portal.domain.audit import heads
from portal.domain.exporting import pausing
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import MAIL, Lane
from portal.domain.recovery import stalled_work
from portal.domain.recovery.stalled_work import Standstill
from portal.domain.review import lists, views
from portal.domain.status_totals import Totals
from portal.version import VERSION
from portal.web import formats, return_to, surroundings
from portal.web.htmx import wants_fragment

bp = Blueprint("frame", __name__)
SILENT, MINUTE = timedelta(minutes=2), timedelta(minutes=1)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(views=views.VIEWS, totals=LocalProxy(totals), pause=pause, silent_minutes=silent_minutes)
    app.jinja_env.globals.update(came_from=return_to.current, audit_doubts=audit_doubts)
    app.jinja_env.globals.update(mail_troubles=mail_troubles, mail_refused=mail_refused, standstills=standstills)
    app.jinja_env.globals.update(may_resume=pausing.may_resume, open_requests=open_requests)


@bp.get("/")
def home() -> ResponseReturnValue:
    """The Ready list; for people without a level, their jobs."""
    page = url_for("change_orders.index", view="ready") if current_user.may_look else url_for("projects.jobs")
    return redirect(page, 303)


@bp.post("/exports/resumption")
def resume() -> ResponseReturnValue:
    """Someone has looked in Spectrum after a restore: let exports go on."""
    goes_on = pausing.resume_restored(companies.current().lane, by=current_user)
    flash("Exports resumed." if goes_on else "Your look in Spectrum is recorded. Exports stay paused until an administrator resumes them.")
    return redirect(url_for(".home"), 303)


@bp.get("/live/summary")
def summary() -> ResponseReturnValue:
    """The counts as they are now; 304 for a page that shows them already."""
    if not wants_fragment():
        return redirect(url_for(".home"), 303)
    found = lists.totals()
    tag = "-".join([VERSION, *(str(found[view.key].count) for view in views.VIEWS)])
    same = request.if_none_match.contains_weak(tag)
    answer = Response(status=304) if same else make_response(render_template("_summary.html", totals=found))
    answer.set_etag(tag, weak=True)
    return answer


def totals() -> dict[str, Totals]:
    """Counts and sums of all views, by key."""
    return surroundings.now().totals


def pause() -> Lane | None:
    """The company's exports lane while it is paused."""
    lane = surroundings.now().stopped.get(formats.company().lane)
    return lane if lane and lane.paused_at else None


def mail_refused() -> Lane | None:
    """The lane of mail while the server refuses the portal."""
    lane = surroundings.now().stopped.get(MAIL)
    return lane if lane and lane.refused_at else None


def mail_troubles() -> int:
    return surroundings.now().troubles


def open_requests() -> int:
    return surroundings.now().requests


def standstills() -> list[Standstill]:
    """The lanes that stand still."""
    return stalled_work.standstills(due=surroundings.now().due)


def silent_minutes() -> int:
    """For how many minutes nothing was heard of the keeper; 0 while all is well, before it ever ran, and just after a start."""
    last = surroundings.now().signs.get("keeper")
    if last is None or not clock.is_past(last.at + SILENT) or not clock.has_been_up(SILENT):
        return 0
    silence: timedelta = clock.present() - last.at
    clock.changes_at(last.at + (silence // MINUTE + 1) * MINUTE)
    return silence // MINUTE


def audit_doubts() -> list[Heartbeat]:
    """What is wrong with the audit trail or its files of heads; for administrators, who can see to it."""
    return heads.in_doubt(surroundings.now().signs.values()) if current_user.may_administer else []
