"""Who is asking: the bearer token, its scope, and how often it may ask."""

import threading
from collections.abc import Hashable

from flask import Flask, current_app, g, request

from portal import clock
from portal.api.problems import Refused
from portal.domain.accounts import api_tokens
from portal.domain.accounts.api_tokens import Token
from portal.domain.accounts.rate_limits import network

REALM = 'Bearer realm="CCO portal"'
NEEDED = "Send the access token an administrator gave you: Authorization: Bearer cco_..."
NOT_VALID = "This access token does not work: it is mistyped, revoked, ended, or the account it acts for is closed. Ask an administrator."
TOO_MANY_WRONG = "Too many access tokens from your address did not work. Try again in {seconds} s, with one that does."
WRONG = 5  # of what a token may ask a minute, this part may be tokens that do not work, from one address
MANY = 10_000  # whom a pace remembers before it forgets those who need not wait


class Pace:
    """How often each one may ask: a bucket of one minute's requests that fills up evenly.

    Kept in the memory of each web process: a count in the database would make a write out of every read. A clock that is set
    changes nothing.
    """

    def __init__(self, per_minute: int) -> None:
        self.interval, self.lock = 60 / per_minute, threading.Lock()
        self.empty_until: dict[Hashable, float] = {}

    def wait(self, who: Hashable) -> int:
        """0 and one request less in the bucket, or the whole seconds until there is one."""
        with self.lock:
            now = clock.steady()
            until = max(self.empty_until.get(who, now), now) + self.interval
            if until - now > 60 + self.interval / 2:
                return max(1, round(until - now - 60 + 0.5))
            if len(self.empty_until) >= MANY:
                self.empty_until = {other: moment for other, moment in self.empty_until.items() if moment > now}
            self.empty_until[who] = until
            return 0


def init_app(app: Flask) -> None:
    app.extensions["api.pace"] = Pace(app.config["API_PER_MINUTE"])
    app.extensions["api.wrong"] = Pace(max(1, app.config["API_PER_MINUTE"] // WRONG))


def admit(scope: str | None) -> None:
    """Let through a live token with this scope, at its pace; cookies count for nothing. Raises Refused."""
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Refused(401, "no-token", NEEDED, {"WWW-Authenticate": REALM})
    token = api_tokens.find(sent.token)
    if token is None:
        raise wrong(sent.token)
    if seconds := current_app.extensions["api.pace"].wait(token.id):
        text = f"Too many requests with this token: {current_app.config['API_PER_MINUTE']} a minute. Try again in {seconds} s."
        raise Refused(429, "too-many-requests", text, {"Retry-After": str(seconds)})
    if scope and scope not in token.allows:
        told = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
        raise Refused(403, "scope", f"This token may not {scope}: it was made for {', '.join(sorted(token.allows))}.", told)
    g.token = token


def wrong(text: str) -> Refused:
    """What a token that does not work is told. Each is logged, without itself, until its address has to wait.

    Looked up before that: a client that shares the address of one that guesses is not locked out.
    """
    address = network(request.remote_addr or "")
    if seconds := current_app.extensions["api.wrong"].wait(address):
        return Refused(429, "too-many-wrong-tokens", TOO_MANY_WRONG.format(seconds=seconds), {"Retry-After": str(seconds)})
    current_app.logger.warning("access token refused: address=%s token=%s", address, api_tokens.standing(text))
    return Refused(401, "token-not-valid", NOT_VALID, {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})


def token() -> Token:
    """The token of the request, admitted."""
    found: Token = g.token
    return found
