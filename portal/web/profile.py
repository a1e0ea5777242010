"""What each person sets for themselves."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock
from portal.domain import alarms, companies, summaries
from portal.web import formats
from portal.web.lists import me

bp = Blueprint("profile", __name__, url_prefix="/profile")


@bp.get("")
def show() -> ResponseReturnValue:
    return render_template("profile/show.html", company=companies.current())


@bp.post("")
def save() -> ResponseReturnValue:
    """Which mail the person wants: each box is ticked, or absent from the form."""
    wanted = summaries.prefer(me(), request.form.get("wants_summary") == "on").wants_summary
    told = alarms.prefer(me(), request.form.get("wants_failures") == "on").wants_failures
    said = "You get the daily summary" if wanted else "You get no daily summary"
    said += ", and mail on failed exports." if told else "."
    flash(f"Saved {formats.at_time(clock.now())}. {said}")
    return redirect(url_for(".show"), 303)
