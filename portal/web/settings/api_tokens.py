"""Access tokens of upstream systems, for administrators: make one, see who uses which, revoke."""

import re

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain import people
from portal.domain.accounts import api_tokens
from portal.domain.accounts.api_tokens import Scope, Token
from portal.web.visitors import me

bp = Blueprint("tokens", __name__, url_prefix="/settings/tokens")
bp.record(url_ids.register)
SCOPES = (
    (Scope.READ, "read: list and show change orders"),
    (Scope.WRITE, "write: create and replace them while they are drafts or came back"),
    (Scope.SEND, "send: send them to accounting and retrieve them"),
)
EMPTY = {"name": "", "person": "", "scopes": "", "days": "365"}
DAYS = re.compile(r"[0-9]{1,6}", re.ASCII)
NO_NUMBER = -1  # of days: refused like one that is too small


@bp.get("")
def index() -> str:
    return page()


@bp.post("")
def make() -> ResponseReturnValue:
    """Make a token. The answer is the only page that ever shows it, so it is no redirect to one that could be asked for again."""
    scopes, days = set(request.form.getlist("scopes")), request.form.get("days", "").strip()
    person = request.form.get("person", "")
    try:
        token, text = api_tokens.make(
            request.form.get("name", ""),
            int(person) if re.fullmatch(r"[0-9]{1,18}", person, re.ASCII) else None,
            scopes,
            (int(days) if DAYS.fullmatch(days) else NO_NUMBER) if days else None,
            me(),
        )
    except api_tokens.Invalid as error:
        return page(error.errors, {name: request.form.get(name, "") for name in EMPTY} | {"scopes": " ".join(sorted(scopes))}), 422
    return page(made=token, text=text), 201


@bp.post("/<key:id>/revocation")
def revoke(id: int) -> ResponseReturnValue:
    """End a token at once."""
    try:
        token = api_tokens.revoke(id, me())
    except Token.DoesNotExist:  # type: ignore[attr-defined]
        abort(404, "There is no such access token.")
    flash(f"The token {token.name} is revoked: nothing can use it any more.")
    return redirect(url_for(".index"), 303)


def page(errors: dict[str, str] | None = None, values: dict[str, str] | None = None, made: Token | None = None, text: str = "") -> str:
    return render_template(
        "settings/api_tokens.html",
        tokens=api_tokens.everything(),
        people=[("", "Choose a person"), *((str(one.id), f"{one.name}, {one.email}") for one in people.everybody() if one.active)],
        scopes=SCOPES,
        errors=errors or {},
        values=values or EMPTY,
        made=made,
        text=text,
    )
