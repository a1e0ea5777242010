"""The guided check whether Spectrum replaces or adds when a line is sent again; a section of the company settings."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain import companies
from portal.domain.change_orders import Overtaken
from portal.domain.people import NotPermitted
from portal.domain.settings import resend_check
from portal.web import errors
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("resending", __name__, url_prefix="/settings/resending")


@bp.post("/checks")
def send() -> ResponseReturnValue:
    """Send the one line of the chosen change order again."""
    chosen = request.form.get("change_order", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 18):
        return answered("Choose a change order from the list.", 422)
    try:
        resend_check.ask(int(chosen), me(), request.form.get("test_code", ""))
    except ValueError as error:
        return answered(str(error), 422)
    return answered("The line is being sent again.")


@bp.get("/check")
def sent() -> ResponseReturnValue:
    """What became of it."""
    check = resend_check.latest()
    return answered(check.said if check and check.finished_at else "")


@bp.post("")
def record() -> ResponseReturnValue:
    """Keep what someone saw in Spectrum."""
    try:
        resend_check.record(request.form.get("seen", ""), me())
    except ValueError as error:
        return answered(str(error), 422)
    return answered("Recorded.")


@bp.errorhandler(resend_check.NotNow)
def not_now(error: resend_check.NotNow) -> ResponseReturnValue:
    return answered(str(error), 409)


@bp.errorhandler(NotPermitted)
def not_permitted(error: NotPermitted) -> ResponseReturnValue:
    return answered(str(error), 403)


@bp.errorhandler(Overtaken)
def overtaken(error: Overtaken) -> ResponseReturnValue:
    return answered(f"{error}. Choose another.", 409)


def answered(said: str, status: int = 200) -> ResponseReturnValue:
    """The section as it is now, and the sentence; without htmx the page, or for an error its page."""
    if wants_fragment():
        company = companies.current()
        shown: dict[str, Any] = {"check": resend_check.latest(), "candidates": resend_check.candidates(), "resending": company.resending}
        shown |= {"values": {"test_company": company.test_company}, "errors": {}, "test_code": company.code if company.test_company else ""}
        return render_template("settings/_resend_check.html", **shown, said=said, problem=said if status != 200 else ""), status
    if status != 200:
        return errors.answer(status, said)
    if said:
        flash(said)
    return redirect(url_for("settings.company", _anchor="resending"), 303)
