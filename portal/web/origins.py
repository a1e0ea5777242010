"""From where a request comes: under our own name, and its form from our own pages. Asked before who is asking."""

import re
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEALTH = {"operations.alive", "operations.ready", "operations.version", "metrics.show"}  # load balancers and Prometheus ask by address
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
HERE = {"localhost", "127.0.0.1", "[::1]"}


def init_app(app: Flask) -> None:
    app.extensions["origins.names"] = HERE | {name_of(urlsplit(app.config["PORTAL_URL"]).netloc)}
    app.before_request(refuse_foreign_names)
    app.before_request(refuse_foreign_writes)


def refuse_foreign_names() -> ResponseReturnValue | None:
    """A name of someone else's that leads to this server: its pages would count as that site's own in the browser.

    Plain text, because under a name that is none there is no address to put into a page.
    """
    if request.endpoint not in HEALTH and name_of(request.host) not in current_app.extensions["origins.names"]:
        return f"The portal is at {current_app.config['PORTAL_URL']}. It does not answer under other names.\n", 400, PLAIN
    return None


def refuse_foreign_writes() -> None:
    """A form of another site, sent by a browser that has our cookie."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    ours = {request.host_url.rstrip("/"), f"https://{request.host}"}  # behind a proxy the request itself may be plain
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (origin and origin not in ours):
        abort(403, "This form did not come from the portal.")


def name_of(host: str) -> str:
    """A host without its port."""
    return re.sub(r":[0-9]+$", "", host).lower()
