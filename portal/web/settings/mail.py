"""Mail that failed or is late, for administrators and support."""

from collections.abc import Callable
from email.message import EmailMessage

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import messages, url_ids
from portal.domain.mail import samples, trial_mail, undelivered
from portal.domain.mail.undelivered import Settled, Trouble
from portal.domain.outbox import Task
from portal.domain.people import User
from portal.web.visitors import me

bp = Blueprint("mails", __name__, url_prefix="/settings/mail")
bp.record(url_ids.register)
KINDS = {
    Task.REJECTED: "Sent back",
    Task.QUESTION: "Question",
    Task.RESUBMITTED: "Corrected and back",
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
SLUGS = {task.value.replace(" ", "-"): task for task in samples.SAMPLES}  # in addresses


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


@bp.get("/previews")
def previews() -> ResponseReturnValue:
    """Every mail the portal sends, with its subject."""
    found = [(slug, KINDS[task], sample(slug)["Subject"]) for slug, task in SLUGS.items()]
    return render_template("settings/mail_previews.html", previews=found)


@bp.get("/previews/<kind>")
def preview(kind: str) -> ResponseReturnValue:
    """A sample of one mail: who gets it, its subject, and its text part."""
    message = sample(kind)
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return render_template("settings/mail_preview.html", kind=kind, name=KINDS[SLUGS[kind]], message=message, text=text)


@bp.get("/previews/<kind>/html")
def preview_html(kind: str) -> ResponseReturnValue:
    """Its HTML part, as it is sent."""
    html: str = sample(kind).get_body(("html",)).get_content()  # type: ignore[union-attr]
    return html


def sample(kind: str) -> EmailMessage:
    """The mail as it would be sent to the administrator who looks at it. Ends the request for a kind that is none."""
    task = SLUGS.get(kind) or abort(404, "There is no such mail.")
    return messages.COMPOSE[task](current_app.config["SETTINGS"], samples.of(task, me()))


def answered(do: Callable[[int, User], Trouble], id: int, said: str) -> ResponseReturnValue:
    try:
        flash(said.format(do(id, me()).to.name))
    except Settled as why:
        flash(str(why))
    return redirect(url_for(".index"), 303)
