"""The link in a mail that stops this kind of mail. It needs no sign-in and does only that (RFC 8058).

Its form has no token, the one exemption: mail programs press the button for their reader, without having seen the page.
The signed address says what is stopped for whom, so that a forged form could stop nothing.
"""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.domain.accounts import preferences
from portal.domain.accounts.preferences import Kind
from portal.web import errors

bp = Blueprint("unsubscribing", __name__, url_prefix="/unsubscribe")
NOT_OURS = "This link is not complete, or not one of ours. To change which mail you get, sign in and open your profile."


@bp.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Say what the button stops. Looking changes nothing: mail programs look before people do."""
    found = meant(token)
    return page(found[1], token) if found else errors.answer(404, NOT_OURS)


@bp.post("/<token>")
def stop(token: str) -> ResponseReturnValue:
    """Stop it."""
    found = meant(token)
    if not found:
        return errors.answer(404, NOT_OURS)
    preferences.stop(*found)
    return page(found[1], "")


def meant(token: str) -> tuple[int, Kind] | None:
    return preferences.read(current_app.config["SETTINGS"].keys, token)


def page(kind: Kind, token: str) -> str:
    """The page; without a token it is done."""
    return render_template("sign_in/unsubscribe.html", kind=kind, token=token)
