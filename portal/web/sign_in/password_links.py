"""Choosing a password by a link: asking for one, and using it. Public, since who comes here cannot sign in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.accounts import password_links, passwords
from portal.domain.accounts.rate_limits import TooMany
from portal.web import errors, visitors

bp = Blueprint("links", __name__, url_prefix="/password")
PROMISED = "If there is an account with this address, mail with a link is on its way. The link works once, for an hour."
NOT_TWICE_THE_SAME = "The two passwords are not the same."


@bp.get("")
def new() -> str:
    return render_template("sign_in/forgotten_password.html", email="", error="")


@bp.post("")
def create() -> ResponseReturnValue:
    """Ask for a link by mail. The answer is the same whether there is such an account or not."""
    email = request.form.get("email", "")
    try:
        password_links.forgotten(email, visitors.address())
    except TooMany as wait:
        return (
            render_template("sign_in/forgotten_password.html", email=email[:254], error=str(wait)),
            429,
            {"Retry-After": str(wait.seconds)},
        )
    flash(PROMISED)
    return redirect(url_for(".new"), 303)


@bp.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Where a link leads. Looking uses nothing up: mail programs look before people do."""
    return form(token)


@bp.post("/<token>")
def use(token: str) -> ResponseReturnValue:
    password = request.form.get("password", "")
    if password != request.form.get("repeated", ""):
        return form(token, {"repeated": NOT_TWICE_THE_SAME}, 422)
    try:
        password_links.use(token, password)
    except password_links.Over as over:
        return errors.answer(410, str(over))
    except passwords.Weak as why:
        return form(token, {"password": str(why)}, 422)
    flash("Your new password is set, and all your sessions ended. Sign in with it.")
    return redirect(url_for("sessions.new"), 303)


def form(token: str, problems: dict[str, str] | None = None, code: int = 200) -> ResponseReturnValue:
    link = password_links.find(token)
    if link is None:
        return errors.answer(410, password_links.OVER)
    return render_template("sign_in/choose_password.html", link=link, token=token, errors=problems or {}), code
