"""For whoever runs the portal: does it live, can it work, which version is it; and the database connection of a request."""

from flask import Blueprint, Flask, g, request
from flask.typing import ResponseReturnValue

from portal import VERSION
from portal.db import database, ensure_in_place
from portal.domain import companies

bp = Blueprint("operations", __name__)
WITHOUT_DATABASE = {"operations.alive", "operations.version", "static"}


def init_app(app: Flask) -> None:
    app.before_request(connect)
    app.teardown_request(disconnect)


def connect() -> None:
    """One connection for the request."""
    if request.endpoint not in WITHOUT_DATABASE:
        g.connected = database.connect(reuse_if_open=True)


def disconnect(_: BaseException | None) -> None:
    if g.pop("connected", False):
        database.close()


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process lives."""
    return plain("ok")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers, is migrated, and is the one it was; anything else ends in a 5xx."""
    ensure_in_place()
    companies.current()
    return plain("ready")


@bp.get("/version")
def version() -> ResponseReturnValue:
    return plain(VERSION)


def plain(text: str) -> tuple[str, dict[str, str]]:
    return f"{text}\n", {"Content-Type": "text/plain; charset=utf-8"}
