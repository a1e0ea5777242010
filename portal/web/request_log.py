"""The id of a request: on every line of the log that it causes, on every error page, and in the header of every answer."""

import secrets

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from portal import clock
from portal.web.origins import SAFE_METHODS

HEADER = "X-Request-ID"
CHANGE_ORDERS = "/change-orders/"

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    """Before every other guard: whatever they say carries the id."""
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    clear_contextvars()  # of the request that this thread served before
    g.request_id, g.began_s = secrets.token_hex(6), clock.steady()
    bind_contextvars(request=g.request_id)
    if request.path.startswith(CHANGE_ORDERS) and "id" in (request.view_args or {}):
        bind_contextvars(change_order=request.view_args["id"])  # type: ignore[index]


def end(response: Response) -> Response:
    """A line for each request that may have changed something or was refused."""
    if "request_id" in g:
        response.headers[HEADER] = g.request_id
        if request.method not in SAFE_METHODS or response.status_code >= 400:
            ms = round((clock.steady() - g.began_s) * 1000)
            log.info("request", method=request.method, path=path(), status=response.status_code, ms=ms)
    return response


def by(user: int) -> None:
    """Who asks, by id."""
    bind_contextvars(user=user)


def path() -> str:
    """The path asked for, as the log may show it: without the token of a link for a password, which may still work."""
    secret = request.url_rule and "token" in (request.view_args or {})
    return str(request.url_rule) if secret else request.path
