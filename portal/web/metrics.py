"""The door of /metrics: open for who shows the token of METRICS_TOKEN."""

import hmac

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

bp = Blueprint("metrics", __name__)
REFUSED = "Show the token of METRICS_TOKEN: Authorization: Bearer TOKEN.\n"


def admit() -> ResponseReturnValue | None:
    """Nothing where the request shows the token, else the refusal; without METRICS_TOKEN no token is good."""
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    wanted = current_app.config["METRICS_TOKEN"]
    if wanted and kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), wanted.encode()):
        return None
    return REFUSED, 401, {"WWW-Authenticate": "Bearer", "Content-Type": "text/plain; charset=utf-8"}


@bp.get("/metrics")
def show() -> ResponseReturnValue:
    from portal.web import figures  # the library of Prometheus is for those alone who ask

    return figures.text(), {"Content-Type": figures.CONTENT_TYPE}
