"""Answer the operator's probes (alive, ready, version), and hold the database connection of a request."""

from flask import Blueprint, Flask, g, request
from flask.typing import ResponseReturnValue

from portal import db
from portal.db.errors import AWAY, ERRORS, UNMIGRATED, Busy, explained
from portal.domain import companies
from portal.domain.recovery import stalled_work
from portal.version import VERSION
from portal.web.errors import RETRY_AFTER

bp = Blueprint("operations", __name__)
WITHOUT_DATABASE = {"operations.alive", "operations.ready", "operations.version", "static"}


def init_app(app: Flask) -> None:
    app.before_request(connect)
    app.teardown_request(disconnect)


def connect() -> None:
    """One connection for the request."""
    if request.endpoint not in WITHOUT_DATABASE:
        g.connected = db.connect()


def disconnect(_: BaseException | None) -> None:
    if g.pop("connected", False):
        db.release()


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process lives."""
    return plain("ok")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """Whether this process can serve: 503 where it cannot, for want of the database or of its migrations, and 200 where it can.

    What else stands still is told as a part that is degraded: another web process would serve no better.
    """
    try:
        with db.connected():
            db.ensure_in_place()
            if db.pending():
                return not_ready(UNMIGRATED)
            companies.current()
            parts = {"database": "ready"} | dict.fromkeys(stalled_work.KINDS, "ready")
            parts |= {one.kind: f"degraded: {one.text}" for one in stalled_work.standstills()}
    except Busy as error:
        return not_ready(str(error))
    except ERRORS as error:
        return not_ready(str(explained(error, sqlite=db.is_sqlite()) or AWAY))
    return {"status": "ready" if set(parts.values()) == {"ready"} else "degraded", "parts": parts}


def not_ready(why: str) -> ResponseReturnValue:
    return {"status": "not ready", "parts": {"database": why}}, 503, {"Retry-After": RETRY_AFTER}


@bp.get("/version")
def version() -> ResponseReturnValue:
    return plain(VERSION)


def plain(text: str) -> tuple[str, dict[str, str]]:
    return f"{text}\n", {"Content-Type": "text/plain; charset=utf-8"}
