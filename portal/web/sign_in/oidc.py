"""Signing in with the company's identity provider: there, and back again."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import flask
import structlog
from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.crypto import Sealer, Unreadable
from portal.domain.accounts import identities
from portal.domain.accounts.identities import Claims
from portal.domain.accounts.sessions import SignInMethod
from portal.domain.people import Level
from portal.web import access
from portal.web.sign_in import reauthentication
from portal.web.sign_in.sessions import begin, destination, form, renew

if TYPE_CHECKING:  # a portal without a provider does not load Authlib: what follows imports it where there is one
    from portal.openid import Provider

bp = Blueprint("oidc", __name__, url_prefix="/login/oidc")
log = structlog.get_logger()
TRIP = "provider_trip"  # in the cookie, sealed: no one reads there what proves the code to be ours
LONGEST_TRIP = timedelta(minutes=10)
CANCELLED = "You did not sign in at the identity provider. Start again whenever you like."
STRANGE = "This sign-in was not begun in this browser, or longer than 10 minutes ago. Start again."
SOMEBODY_ELSE = (
    "The identity provider returned a different person. Nothing was changed. Try again with the account you are signed in with here."
)
NOT_ASKED = "The identity provider did not ask you again who you are. Nothing was changed; tell an administrator."
REFUSED = "The identity provider refused to sign you in. Start again; if it happens again, tell an administrator."


def init_app(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    provider = None
    if settings.OIDC_ISSUER:
        from portal.openid import Provider

        provider = Provider(settings, f"{settings.PORTAL_URL}/login/oidc/return")
    app.extensions["provider"] = provider
    app.jinja_env.globals["provider_label"] = settings.OIDC_LABEL if provider else ""


@bp.get("")
def start() -> ResponseReturnValue:
    """Off to the provider. A link, because the page policy lets no form lead to another site."""
    provider = _provider()
    return redirect(destination(), 303) if current_user.is_authenticated else _off(provider)


@bp.get("/confirm")
def confirm() -> ResponseReturnValue:
    """The same for someone who is signed in: the provider is to ask them again who they are."""
    return _off(_provider(), confirms=True)


def _off(provider: Provider, *, confirms: bool = False) -> ResponseReturnValue:
    from portal.openid import NotVouched

    next = access.own_page(request.args.get("next"))
    try:
        url, trip = provider.begin(anew=confirms)
    except NotVouched as error:
        return _refusal(error, error.reason, 503 if error.away else 403, next)
    kept = asdict(trip) | {"next": next, "at": clock.now().isoformat(), "confirms": confirms}
    flask.session[TRIP] = _sealer().seal(json.dumps(kept))
    return redirect(url, 303)


@bp.get("/return")
def finish() -> ResponseReturnValue:
    """Back from the provider, with a code or with a refusal."""
    from portal.openid import NotVouched, Trip

    provider = _provider()
    kept = _kept(flask.session.pop(TRIP, ""))
    answer = {name: values[0] for name, values in request.args.lists() if len(values) == 1}
    if kept is None or not hmac.compare_digest(answer.get("state", "").encode(), kept["state"].encode()):
        return _refusal(STRANGE, "state", 400)
    next = access.own_page(kept["next"])
    if answer.get("iss", provider.issuer) != provider.issuer:
        return _refusal(STRANGE, "issuer of the answer", 400, next)
    if "error" in answer or not answer.get("code"):
        cancelled = answer.get("error") == "access_denied"
        return _refusal(CANCELLED if cancelled else REFUSED, f"error: {answer.get('error', 'no code')[:100]}", 403, next)
    try:
        claims = provider.finish(answer["code"], Trip(kept["state"], kept["nonce"], kept["verifier"]))
        _confirm(claims, kept) if kept["confirms"] else _let_in(claims)
    except NotVouched as error:
        return _refusal(error, error.reason, 503 if error.away else 403, next)
    except identities.Unwelcome as error:
        return _refusal(error, f"unwelcome: {claims.subject}", 403, next)
    return redirect(next or url_for("frame.home"), 303)


def _let_in(claims: Claims) -> None:
    """Who is known there without having been asked lately has still to confirm before a change of rights or settings."""
    levels = {group: Level(level) for group, level in current_app.config["SETTINGS"].levels_by_group.items()}
    begin(identities.admit(claims, levels), SignInMethod.OPENID, claims.proved_at or clock.EPOCH)


def _confirm(claims: Claims, kept: Mapping[str, str]) -> None:
    """Their session goes on, if it is they, and if they were asked after they left."""
    from portal.openid import SKEW_S

    identity = identities.find(claims.issuer, claims.subject)
    if not current_user.is_authenticated or identity is None or identity.user_id != current_user.id:
        raise identities.Unwelcome(SOMEBODY_ELSE)
    if claims.proved_at is None or claims.proved_at < datetime.fromisoformat(kept["at"]) - timedelta(seconds=SKEW_S):
        raise identities.Unwelcome(NOT_ASKED)
    renew()
    if kept["next"]:
        flask.flash(reauthentication.AGAIN)


def _provider() -> Provider:
    provider: Provider | None = current_app.extensions["provider"]
    if provider is None:
        abort(404)
    return provider


def _kept(sealed: str) -> Mapping[str, str] | None:
    """What was kept of the trip, unless there is none or it is too long ago."""
    try:
        kept: dict[str, str] = json.loads(_sealer().open(sealed) or "null")
    except Unreadable:
        return None
    return kept if kept and clock.now() - datetime.fromisoformat(kept["at"]) < LONGEST_TRIP else None


def _refusal(text: object, reason: str, status: int, next: str | None = None) -> ResponseReturnValue:
    """The page that they came from, with the reason in words; the log has it in detail."""
    log.warning("sign-in with the identity provider refused", reason=reason, address=request.remote_addr)
    page = reauthentication.form if current_user.is_authenticated else form
    return page(error=str(text), next=next), status


def _sealer() -> Sealer:
    return Sealer(*current_app.config["SETTINGS"].keys)
