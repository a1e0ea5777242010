"""Requests for *Can Push to Accounting*: asked from where the buttons are missing, answered on the people page."""

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import url_ids
from portal.db.steps import side_by_side, taken
from portal.domain import people
from portal.domain.accounts import privilege_requests, request_privilege
from portal.domain.accounts.privilege_requests import PrivilegeRequest
from portal.domain.accounts.request_privilege import Answered
from portal.domain.accounts.rights import Refused
from portal.domain.people import NotPermitted, User
from portal.web import access, errors, memory
from portal.web.change_orders import sentences
from portal.web.htmx import wants_fragment
from portal.web.settings import people as settings_people
from portal.web.sign_in import profile
from portal.web.visitors import me

bp = Blueprint("privilege_requests", __name__, url_prefix="/settings/privilege-requests")
bp.record(url_ids.register)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(own_request=own_request, who_answers=who_answers)


@bp.get("")
def index() -> ResponseReturnValue:
    """Where they are answered."""
    return redirect(url_for("settings.people", _anchor="requests"), 303)


@bp.post("")
def ask() -> ResponseReturnValue:
    """One's own request."""
    try:
        asked = request_privilege.ask(me(), request.form.get("note", ""))
    except Refused as error:
        return not_asked(str(error))
    said = f"You asked {sentences.when(asked.asked_at)}. {who_answers()}"
    if wants_fragment():
        return render_template("settings/_request_privilege.html", said=said)
    flash(said)
    return redirect(access.own_page(access.path_of(request.referrer)) or url_for("frame.home"), 303)


@bp.post("/<key:id>/answer")
def answer(id: int) -> ResponseReturnValue:
    """Granted or declined by an administrator."""
    try:
        if request.form.get("answer") == "granted":
            answered = request_privilege.grant(
                id, me(), request.form.get("note", ""), raise_level=request.form.get("level") == people.Level.STANDARD
            )
        elif request.form.get("answer") == "declined":
            answered = request_privilege.decline(id, me(), request.form.get("note", ""))
        else:
            abort(400, "The form does not say whether the request is granted or declined. Nothing was recorded.")
    except PrivilegeRequest.DoesNotExist:  # type: ignore[attr-defined]
        abort(404, "There is no such request.")
    except Answered as overtaken:
        return settings_people.people_page(None, f"Nothing was recorded. {outcome(overtaken.request)}"), 409
    except Refused as error:
        return settings_people.people_page(None, str(error)), 422
    except NotPermitted as error:
        return settings_people.people_page(None, str(error)), 403
    flash(f"{outcome(answered)} {answered.person.name} and the administrators get mail.")
    return redirect(url_for("settings.people", _anchor=f"person-{answered.person_id}"), 303)


def not_asked(why: str) -> ResponseReturnValue:
    """The form again, with the reason; who has the privilege already has no form."""
    if not current_user.why_not_decide:
        return errors.answer(422, why)
    if wants_fragment():
        return render_template("settings/_request_privilege.html", problem=why), 422
    return profile.page({"asking-note": why}), 422


def own_request() -> PrivilegeRequest | None:
    """The last request of the person at the browser."""
    request, _ = asked_and_answering()
    return request


def asked_and_answering() -> tuple[PrivilegeRequest | None, list[User]]:
    """The last request of the person at the browser, and who answers requests."""
    works = side_by_side(privilege_requests.latest_of.steps(me()), people.administrators.steps())
    request, administrators = memory.remembered(("own request", me().id), lambda: taken(works))
    return request, administrators


def who_answers() -> str:
    """Who can grant what the person at the browser asks for: no one answers their own request."""
    _, administrators = asked_and_answering()
    others = [admin.name for admin in administrators if admin.id != current_user.id]
    return f"{', '.join(others)} can grant it; you get mail." if others else "No one can grant it yet: there is no other administrator."


def outcome(answered: PrivilegeRequest) -> str:
    """Who answered it how, when."""
    by = answered.answered_by.name if answered.answered_by else "An administrator at the command line"
    verb = "granted" if answered.granted else "declined"
    return f"{by} {verb} the request of {answered.person.name} {sentences.when(answered.answered_at or answered.asked_at)}."
