"""What each person sets for themselves."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock
from portal.domain import companies, summaries
from portal.web import formats
from portal.web.lists import me

bp = Blueprint("profile", __name__, url_prefix="/profile")


@bp.get("")
def show() -> ResponseReturnValue:
    return render_template("profile/show.html", company=companies.current())


@bp.post("")
def save() -> ResponseReturnValue:
    """Whether the person wants the daily summary: the box is ticked, or absent from the form."""
    wanted = summaries.prefer(me(), request.form.get("wants_summary") == "on").wants_summary
    said = "You get the daily summary." if wanted else "You get no daily summary."
    flash(f"Saved {formats.at_time(clock.now())}. {said}")
    return redirect(url_for(".show"), 303)
