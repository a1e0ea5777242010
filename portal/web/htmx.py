"""Whether htmx asks, and for which part of a page."""

from flask import request
from flask_htmx import HTMX  # type: ignore[import-untyped]

htmx = HTMX()


def wants_fragment() -> bool:
    """Whether to answer with a part of the page: asked for by htmx, and not for the whole page by whatever road."""
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request and request.headers.get("HX-Request-Type") != "full"
