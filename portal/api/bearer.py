"""Who is asking: the bearer token, its scope, and how often it may ask."""

import threading

from flask import Flask, current_app, g, request

from portal import clock
from portal.api.problems import Refused
from portal.domain import tokens
from portal.domain.tokens import Token

REALM = 'Bearer realm="CCO portal"'
NEEDED = "Send the access token an administrator gave you: Authorization: Bearer cco_..."
NOT_VALID = "This access token does not work: it is mistyped, revoked, ended, or the account it acts for is closed. Ask an administrator."


class Pace:
    """How often each token may ask: a bucket of one minute's requests that fills up evenly.

    Kept in the memory of each web process: a count in the database would make a write out of every read.
    """

    def __init__(self, per_minute: int) -> None:
        self.interval, self.lock = 60 / per_minute, threading.Lock()
        self.empty_until: dict[int, float] = {}

    def wait(self, token: int) -> int:
        """0 and one request less in the bucket, or the whole seconds until there is one."""
        with self.lock:
            now = clock.now().timestamp()
            until = max(self.empty_until.get(token, now), now) + self.interval
            if until - now > 60 + self.interval / 2:
                return max(1, round(until - now - 60 + 0.5))
            self.empty_until[token] = until
            return 0


def init_app(app: Flask) -> None:
    app.extensions["api.pace"] = Pace(app.config["API_PER_MINUTE"])


def admit(scope: str | None) -> None:
    """Let through a live token with this scope, at its pace; cookies count for nothing. Raises Refused."""
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Refused(401, "no-token", NEEDED, {"WWW-Authenticate": REALM})
    token = tokens.find(sent.token)
    if token is None:
        raise Refused(401, "token-not-valid", NOT_VALID, {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})
    if seconds := current_app.extensions["api.pace"].wait(token.id):
        text = f"Too many requests with this token: {current_app.config['API_PER_MINUTE']} a minute. Try again in {seconds} s."
        raise Refused(429, "too-many-requests", text, {"Retry-After": str(seconds)})
    if scope and scope not in token.allows:
        told = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
        raise Refused(403, "scope", f"This token may not {scope}: it was made for {', '.join(sorted(token.allows))}.", told)
    g.token = token


def token() -> Token:
    """The token of the request, admitted."""
    found: Token = g.token
    return found
