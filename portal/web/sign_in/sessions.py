"""Signing in and out."""

from datetime import datetime

import flask
from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user

from portal.domain.accounts import sessions
from portal.domain.accounts.rate_limits import TooMany
from portal.domain.accounts.session_ends import MOST
from portal.domain.accounts.sessions import SignInMethod
from portal.domain.people import User
from portal.hashing import Crowded
from portal.web import access, errors, formats, visitors

bp = Blueprint("sessions", __name__)
manager = LoginManager()
SESSION_KEY = "_user_id"  # where Flask-Login keeps what get_id() gave
NO_MATCH = "That e-mail and password don’t match."


def init_app(app: Flask) -> None:
    manager.session_protection = None  # it would compare the address and the browser's name; our table decides
    manager.user_loader(person_of)
    manager.init_app(app, add_context_processor=True)
    app.register_error_handler(Crowded, lambda error: errors.answer(503, str(error), [("Retry-After", "10")]))


def person_of(token: str) -> User | None:
    """The person behind the cookie's token, while the session lives."""
    session = sessions.find(token, by_person=request.endpoint not in access.POLLS)
    if session is None:
        return None
    person: User = session.user
    person.token, person.is_proved = token, session.is_proved
    return person


@bp.get("/login")
def new() -> ResponseReturnValue:
    """The sign-in page; says so when a session has just ended by itself."""
    if current_user.is_authenticated:
        return redirect(destination(), 303)
    token = flask.session.get(SESSION_KEY)
    return form(note=sessions.end_message(token) if token else "")


@bp.post("/login")
def create() -> ResponseReturnValue:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        person = sessions.prove(email, password, visitors.address())
    except TooMany as wait:
        return form(email=email, error=str(wait)), 429, {"Retry-After": str(wait.seconds)}
    if person is None:
        return form(email=email, error=NO_MATCH), 422
    begin(person, SignInMethod.PASSWORD)
    return redirect(destination(), 303)


def begin(person: User, method: SignInMethod, proved_at: datetime | None = None) -> None:
    """Sign in, at this browser, someone who has proved who they are. Every method ends here."""
    started = sessions.start(person, method, visitors.place(), instead_of=flask.session.get(SESSION_KEY, ""), proved_at=proved_at)
    flask.session.clear()  # with it the CSRF secret: nothing from before the sign-in counts after it
    login_user(person_of(started.token))
    for one in started.ended:
        where = f"{one.browser}, since {formats.at_time(one.started_at)}" if one.browser else f"since {formats.at_time(one.started_at)}"
        flask.flash(f"You were signed in at {MOST} other places. The oldest session ended: {where}. Your profile lists them.")


def renew() -> None:
    """The person at this browser has proved again who they are: their session goes on, under a new token."""
    flask.session[SESSION_KEY] = sessions.confirm(flask.session[SESSION_KEY])


@bp.post("/logout")
def end() -> ResponseReturnValue:
    if token := flask.session.get(SESSION_KEY):
        sessions.sign_out(token)
    flask.session.clear()
    flask.flash("You are signed out.")
    return redirect(url_for(".new"), 303)


def form(email: str = "", error: str = "", note: str = "", next: str | None = None) -> str:
    next = access.own_page(next or request.values.get("next"))
    return render_template("sign_in/new.html", email=email[:254], error=error, note=note, next=next)


def destination() -> str:
    return access.own_page(request.values.get("next")) or url_for("frame.home")
