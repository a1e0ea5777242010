"""Proving again who one is, before a change of rights or settings: whoever finds a screen unattended changes neither."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain import identities, sessions
from portal.domain.throttling import TooMany
from portal.web import access, visitors
from portal.web import sessions as signing_in
from portal.web.lists import me

bp = Blueprint("confirming", __name__, url_prefix="/confirm")
NO_MATCH = "That is not your password. Nothing was changed; try again."
AGAIN = "Thank you. Your change is not saved yet: make it again."


@bp.get("")
def new() -> ResponseReturnValue:
    """The page that asks for the password; whoever has just given it is led on."""
    return redirect(destination(), 303) if me().is_proved else form()


@bp.post("")
def create() -> ResponseReturnValue:
    try:
        person = sessions.prove(me().email, request.form.get("password", ""), visitors.address())
    except TooMany as wait:
        return form(error=str(wait)), 429, {"Retry-After": str(wait.seconds)}
    if person is None:
        return form(error=NO_MATCH), 422
    return proved()


def proved() -> ResponseReturnValue:
    """By whatever road: the session goes on, and the person is led back to make the change."""
    signing_in.renew()
    if request.values.get("next"):
        flash(AGAIN)
    return redirect(destination(), 303)


def form(error: str = "", next: str | None = None) -> str:
    next = next or access.own_page(request.values.get("next"))
    minutes, linked = sessions.PROOF.seconds // 60, identities.of(me()) is not None
    return render_template("sessions/confirm.html", error=error, minutes=minutes, linked=linked, next=next)


def destination() -> str:
    return access.own_page(request.values.get("next")) or url_for("frame.home")
