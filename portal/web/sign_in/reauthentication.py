"""Ask for the password again before a change of rights or settings, so that a screen left unattended changes neither.

What was pressed is carried through: the page that asks has its fields as hidden ones, and a proof leads the browser on to
the address that was pressed, with the same fields. Nothing of it is kept on the server, and a form with secrets is not carried.
"""

from functools import partial

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import identities, sessions
from portal.domain.accounts.rate_limits import TooMany
from portal.web import access, visitors
from portal.web.htmx import htmx
from portal.web.sign_in import sessions as signing_in
from portal.web.visitors import me

bp = Blueprint("confirming", __name__, url_prefix="/confirm")
NO_MATCH = "That is not your password. Nothing was changed; try again."
AGAIN = "Thank you. Your change is not saved yet: make it again."
OWN = ("password", "next", "pressed")  # fields of the page that asks
# Their forms have secrets in them, which are not put into another page: after the proof they are typed once more.
WITH_SECRETS = {"settings.connect"}
CSRF = "csrf_token"
MOST_CARRIED = 100_000  # characters; nothing an administrator presses is nearly as long
IN_PLACE = {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"}


def init_app(app: Flask) -> None:
    """After the guard against forged forms: what another site made the browser press is never asked about."""
    app.before_request(ask)


def ask() -> ResponseReturnValue | None:
    """Whether it is they, before a change that needs it; the page that asks carries what was pressed."""
    if request.endpoint is None or not access.needs_proof(request.endpoint, request.method) or current_user.is_proved:
        return None
    fields = [(name, text) for name, text in request.form.items(multi=True) if name != CSRF]
    too_much = sum(len(name) + len(text) for name, text in fields) > MOST_CARRIED
    if request.files or too_much or {name for name, _ in fields} & set(OWN) or not may_be_carried(request.path):
        return access.lead_to("confirming.new")
    asked = form(next=access.page_before(), pressed=request.path, fields=fields)
    return asked, 401, IN_PLACE if htmx else {}


@bp.get("")
def new() -> ResponseReturnValue:
    """Show the page that asks for the password; redirect a person who has just given it."""
    return redirect(destination(), 303) if me().is_proved else form()


@bp.post("")
def create() -> ResponseReturnValue:
    pressed = request.form.get("pressed", "")
    carried = may_be_carried(pressed)
    fields = [(name, text) for name, text in request.form.items(multi=True) if name not in (*OWN, CSRF)] if carried else []
    again = partial(form, pressed=pressed if carried else "", fields=fields)
    try:
        person = sessions.prove(me().email, request.form.get("password", ""), visitors.address())
    except TooMany as wait:
        return again(error=str(wait)), 429, {"Retry-After": str(wait.seconds)}
    if person is None:
        return again(error=NO_MATCH), 422
    if not carried:
        return proved()
    signing_in.renew()
    return redirect(pressed, 307)  # the browser sends the same fields there


def may_be_carried(path: str) -> bool:
    """Whether the path is one of ours where a press waits for the proof, and nothing of its form is secret."""
    endpoint = access.endpoint_at(path, "POST")
    return endpoint is not None and access.needs_proof(endpoint, "POST") and endpoint not in WITH_SECRETS


def proved() -> ResponseReturnValue:
    """By whatever road: the session goes on, and the person is led back to make the change."""
    signing_in.renew()
    if request.values.get("next"):
        flash(AGAIN)
    return redirect(destination(), 303)


def form(error: str = "", next: str | None = None, pressed: str = "", fields: list[tuple[str, str]] | None = None) -> str:
    """`pressed` and `fields`: where the proof leads, and with what."""
    next = next or access.own_page(request.values.get("next"))
    minutes, linked = sessions.PROOF.seconds // 60, identities.of(me()) is not None
    shown = {"error": error, "minutes": minutes, "linked": linked, "next": next, "pressed": pressed, "fields": fields or []}
    return render_template("sign_in/reauthentication.html", **shown)


def destination() -> str:
    return access.own_page(request.values.get("next")) or url_for("frame.home")
