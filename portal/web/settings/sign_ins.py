"""How someone signs in, for administrators: their sessions, a wait after too many tries, and a link for a new password."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.accounts import password_links, rate_limits, session_control, sessions
from portal.web.settings.people import find
from portal.web.visitors import me

bp = Blueprint("sign_ins", __name__, url_prefix="/settings/people/<key:id>/sign-in")
bp.record(url_ids.register)


@bp.get("")
def show(id: int) -> str:
    person = find(id)
    waits = rate_limits.waits_until(person.email)
    return render_template("settings/sign_ins.html", person=person, sessions=sessions.live(person), here=me().token, waits=waits)


@bp.post("/sessions/<key:session>/end")
def end(id: int, session: int) -> ResponseReturnValue:
    person = find(id)
    try:
        session_control.end(person, session, me())
    except session_control.Gone as gone:
        return back(id, str(gone))
    return back(id, f"The session of {person.name} is ended.")


@bp.post("/sessions/end")
def end_all(id: int) -> ResponseReturnValue:
    person = find(id)
    count = session_control.end_all(person, me(), but=me().token if person.id == me().id else "")
    return back(id, f"{count} session{'' if count == 1 else 's'} of {person.name} ended." if count else f"{person.name} had no session.")


@bp.post("/unlock")
def unlock(id: int) -> ResponseReturnValue:
    """End the wait after too many tries."""
    person = find(id)
    unlocked = session_control.unlock(person, me())
    return back(id, f"{person.name} can try again now." if unlocked else f"{person.name} did not have to wait.")


@bp.post("/link")
def send_link(id: int) -> ResponseReturnValue:
    """Mail the person a link to choose a password; no one else ever sees it."""
    person = find(id)
    if not person.active:
        return back(id, f"The account of {person.name} is deactivated. Reactivate it on the people page first.")
    (password_links.reset if person.password else password_links.first_time)(person, me())
    return back(id, f"Mail with a link is on its way to {person.email}. The link works once, for an hour.")


def back(id: int, said: str) -> ResponseReturnValue:
    flash(said)
    return redirect(url_for(".show", id=id), 303)
