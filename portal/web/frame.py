"""What surrounds every page: where `/` leads, the Views menu with its counts, and the notices everyone must see."""

from datetime import timedelta

from flask import Blueprint, Flask, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.local import LocalProxy

from portal import clock
from portal.domain import companies, heartbeats, lanes
from portal.domain.audit import heads
from portal.domain.exporting import pausing
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import Lane
from portal.domain.mail import refusals, undelivered
from portal.domain.recovery import stalled_work
from portal.domain.recovery.stalled_work import Standstill
from portal.domain.review import lists
from portal.domain.status_totals import Totals
from portal.web import formats, memory, return_to

bp = Blueprint("frame", __name__)
SILENT, MINUTE = timedelta(minutes=2), timedelta(minutes=1)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(views=lists.VIEWS, totals=LocalProxy(totals), pause=pause, silent_minutes=silent_minutes)
    app.jinja_env.globals.update(came_from=return_to.current, audit_doubts=audit_doubts)
    app.jinja_env.globals.update(mail_troubles=mail_troubles, mail_refused=mail_refused, standstills=standstills)
    app.jinja_env.globals.update(may_resume=pausing.may_resume)


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


def totals() -> dict[str, Totals]:
    """Counts and sums of all views, by key: asked for once per answer, and only where a template shows them."""
    if "totals" not in g:
        g.totals = memory.remembered("totals", lists.totals)
    found: dict[str, Totals] = g.totals
    return found


def pause() -> Lane | None:
    """The company's exports lane while it is paused."""
    return memory.remembered("pause", lambda: lanes.paused(formats.company().lane))


def mail_troubles() -> int:
    """How many mails failed or are late."""
    return memory.remembered("mail troubles", undelivered.count)


def mail_refused() -> Lane | None:
    """The lane of mail while the server refuses the portal."""
    return memory.remembered("mail refused", refusals.now)


def standstills() -> list[Standstill]:
    """The lanes that stand still."""
    return stalled_work.standstills(oldest=lambda: memory.remembered("oldest due", stalled_work.oldest_due))


def silent_minutes() -> int:
    """For how many minutes nothing was heard of the keeper; 0 while all is well, before it ever ran, and just after a start."""
    last = signs().get("keeper")
    if last is None or not clock.is_past(last.at + SILENT) or not clock.has_been_up(SILENT):
        return 0
    silence: timedelta = clock.present() - last.at
    clock.changes_at(last.at + (silence // MINUTE + 1) * MINUTE)
    return silence // MINUTE


def audit_doubts() -> list[Heartbeat]:
    """What is wrong with the audit trail or its files of heads; for administrators, who can see to it."""
    return heads.in_doubt(signs().values()) if current_user.may_administer else []


def signs() -> dict[str, Heartbeat]:
    """The signs of life: asked for once per answer."""
    if "signs" not in g:
        g.signs = memory.remembered("signs", heartbeats.signs)
    found: dict[str, Heartbeat] = g.signs
    return found
