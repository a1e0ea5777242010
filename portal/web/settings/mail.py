"""Mail that failed or is late, for administrators and support."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.mail import trial_mail, undelivered
from portal.domain.mail.undelivered import Settled, Trouble
from portal.domain.outbox import Task
from portal.domain.people import User
from portal.web.visitors import me

bp = Blueprint("mails", __name__, url_prefix="/settings/mail")
bp.record(url_ids.register)
KINDS = {
    Task.REJECTED: "Sent back",
    Task.REMINDER: "Client secret ends",
    Task.DAILY: "Daily summary",
    Task.FAILED_EXPORTS: "Failed exports",
    Task.LINK: "Link for a password",
    Task.PRIVILEGE: "Can Push to Accounting",
    Task.FOUR_EYES: "Four eyes switched off",
    Task.CODE: "Spectrum code corrected",
    Task.TRIAL: "Test mail",
    Task.STANDSTILL: "Work stands still",
    Task.CLOCK: "A clock ran ahead",
    Task.AUDIT: "Audit trail in doubt",
}


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template(
        "settings/mail.html", troubles=undelivered.oldest(), count=undelivered.count(), kinds=KINDS, late=undelivered.LATE
    )


@bp.post("/trial")
def try_out() -> ResponseReturnValue:
    """A test mail to the administrator who asks."""
    trial_mail.ask(me())
    flash(f"A test mail to {me().email} goes out within a minute.")
    return redirect(url_for("settings.company", _anchor="mail"), 303)


@bp.post("/<key:id>/promise")
def send_again(id: int) -> ResponseReturnValue:
    """Try the mail again."""
    return answered(undelivered.send_again, id, "The mail to {} goes out again within a minute.")


@bp.post("/<key:id>/rest")
def set_aside(id: int) -> ResponseReturnValue:
    """Leave the mail unsent, and off the list."""
    return answered(undelivered.set_aside, id, "The mail to {} stays unsent and is off this list.")


def answered(do: Callable[[int, User], Trouble], id: int, said: str) -> ResponseReturnValue:
    try:
        flash(said.format(do(id, me()).to.name))
    except Settled as why:
        flash(str(why))
    return redirect(url_for(".index"), 303)
