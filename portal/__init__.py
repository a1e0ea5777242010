"""The CCO portal: commitment change orders between project teams and Spectrum."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portal.version import INSTALLED, ROOT

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

if INSTALLED:  # before anything imports config: another package may have brought a module of that name
    sys.modules["config"] = importlib.import_module("portal.config")

LARGEST_REQUEST = 1_000_000  # bytes; the longest page of ours, 500 lines, is a tenth of it
MOST_FIELDS = 10_000


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Raises config.ConfigError when a setting is unusable, SECRET_KEY is missing, or others
    could reach a portal that is not fit for it (`portal check` says the same)."""
    from flask import Flask  # here, so that workers and the command line start without the web
    from werkzeug.middleware.proxy_fix import ProxyFix

    import config
    from portal import api, db, failpoints, logs, preflight, web

    settings = settings or config.load()
    if not settings.SECRET_KEY:
        raise config.ConfigError(
            f"SECRET_KEY: is not set, and there is none in {settings.PORTAL_DATA / config.KEY_FILE}. "
            "Set it to at least 32 random characters; `portal up` makes one by itself."
        )
    logs.configure(settings.LOG_FORMAT)
    db.init(settings.DATABASE_URL)
    preflight.ensure_fit(settings)
    failpoints.begin(settings)
    app = Flask("portal", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.from_mapping(settings.model_dump(), SETTINGS=settings)
    app.config.update(_session_cookie(settings), **_keys(settings))
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        MAX_FORM_PARTS=MOST_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as its session
    )
    web.init_app(app)
    api.init_app(app)
    if hops := settings.TRUSTED_PROXIES:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    return app


def _keys(settings: Settings) -> dict[str, object]:
    """Cookies and forms from before SECRET_KEY was changed stay good while the older keys are named."""
    return {
        "SECRET_KEY_FALLBACKS": settings.keys[1:],
        "WTF_CSRF_SECRET_KEY": settings.keys[::-1],  # of several, the last one signs
    }


def _session_cookie(settings: Settings) -> dict[str, object]:
    """Cookies are shared by all ports of a host, so that two copies on one machine need two names."""
    address = urlsplit(settings.PORTAL_URL)
    secure = address.scheme == "https"
    return {
        "SESSION_COOKIE_NAME": "__Host-portal" if secure else f"portal-{address.port or settings.PORTAL_PORT}",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }
