"""What each person sets for themselves: mail, their password, and where they are signed in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock, url_ids
from portal.domain import companies
from portal.domain.accounts import passwords, preferences, session_control, sessions
from portal.domain.accounts.preferences import Kind
from portal.domain.accounts.rate_limits import TooMany
from portal.web import formats, visitors
from portal.web.sign_in import sessions as signing_in
from portal.web.visitors import me

bp = Blueprint("profile", __name__, url_prefix="/profile")
bp.record(url_ids.register)
NOT_THE_OLD = "That is not your old password."
NOT_TWICE_THE_SAME = "The two new passwords are not the same."


@bp.get("")
def show() -> ResponseReturnValue:
    return page()


@bp.post("")
def save() -> ResponseReturnValue:
    """Which mail the person wants: each box is ticked, or absent from the form."""
    wanted = [kind for kind in Kind if request.form.get(kind.column) == "on"]
    for kind in Kind:
        preferences.prefer(me(), kind, kind in wanted)
    others = "".join(f", and {kind.label}" for kind in wanted if kind is not Kind.SUMMARY)
    flash(f"Saved {formats.at_time(clock.now())}. You get {'the' if Kind.SUMMARY in wanted else 'no'} daily summary{others}.")
    return redirect(url_for(".show"), 303)


@bp.post("/keys")
def use_keys() -> ResponseReturnValue:
    """Whether keys press buttons."""
    wanted = preferences.use_keys(me(), request.form.get("uses_keys") == "on").uses_keys
    flash(f"Saved {formats.at_time(clock.now())}. Keys are {'on' if wanted else 'off'}.")
    return redirect(url_for(".show", _anchor="keys"), 303)


@bp.post("/password")
def change_password() -> ResponseReturnValue:
    """A new password, by the old one. All other sessions end; this one goes on under a new token."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    if new != request.form.get("repeated", ""):
        return page({"repeated": NOT_TWICE_THE_SAME}), 422
    try:
        person = sessions.prove(me().email, old, visitors.address())
        if person is None:
            return page({"old": NOT_THE_OLD}), 422
        passwords.change(person, new, me().token)
    except TooMany as wait:
        return page({"old": str(wait)}), 429, {"Retry-After": str(wait.seconds)}
    except passwords.Weak as why:
        return page({"new": str(why)}), 422
    signing_in.renew()
    flash("Your password is changed. Your other sessions ended.")
    return redirect(url_for(".show", _anchor="sessions"), 303)


@bp.post("/sessions/<key:id>/end")
def end_session(id: int) -> ResponseReturnValue:
    try:
        ended = session_control.end(me(), id, me())
    except session_control.Gone as gone:
        flash(str(gone))
    else:
        flash(f"The session with {ended.browser or 'an unnamed browser'} is ended.")
    return redirect(url_for(".show", _anchor="sessions"), 303)


@bp.post("/sessions/end")
def end_others() -> ResponseReturnValue:
    count = session_control.end_all(me(), me(), but=me().token)
    flash(f"{count} other session{'' if count == 1 else 's'} ended." if count else "There was no other session.")
    return redirect(url_for(".show", _anchor="sessions"), 303)


def page(errors: dict[str, str] | None = None) -> str:
    mine = sessions.live(me())
    return render_template("sign_in/profile.html", company=companies.current(), sessions=mine, here=me().token, errors=errors or {})
