"""Whether htmx asks, and for which part of a page; and the tokens of forms."""

from flask import request
from flask_htmx import HTMX  # type: ignore[import-untyped]
from flask_wtf import CSRFProtect

htmx = HTMX()
csrf = CSRFProtect()


def wants_fragment() -> bool:
    """Whether to answer with a part of the page: asked for by htmx, and not for the whole page by whatever road."""
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request and request.headers.get("HX-Request-Type") != "full"
