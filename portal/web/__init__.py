"""The pages: blueprints, and how a request is answered in full or in part."""

import jinja2
from flask import Flask

from portal.api.change_orders import bp as api
from portal.web.htmx import csrf
from portal.web.htmx import htmx as htmx_extension


def init_app(app: Flask) -> None:
    """Add everything to do with pages. The order of the guards is the order in which a request meets them."""
    from portal.web import (
        access,
        confirming,
        errors,
        formats,
        frame,
        headers,
        imports,
        oidc,
        operations,
        origins,
        privilege_requests,
        sessions,
        static,
    )

    app.jinja_options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    for module in (static, formats, headers, errors, operations, sessions, oidc, origins, access, imports, privilege_requests):
        module.init_app(app)
    csrf.init_app(app)
    csrf.exempt(api)  # a browser adds no bearer token by itself, so that nothing can be forged
    confirming.init_app(app)
    htmx_extension.init_app(app)  # not by the name of this package's module
    frame.init_app(app)
    register_pages(app)


def register_pages(app: Flask) -> None:
    """The addresses of all pages."""
    from portal.web import (
        accounts,
        audit,
        codes,
        confirming,
        deciding,
        fallback,
        frame,
        help,
        imports,
        jobs,
        links,
        lists,
        mails,
        members,
        oidc,
        operations,
        privilege_requests,
        profile,
        projects,
        resending,
        resolving,
        sessions,
        settings,
        sign_ins,
        tokens,
    )

    pages = (
        operations,
        sessions,
        links,
        confirming,
        oidc,
        frame,
        lists,
        deciding,
        resolving,
        fallback,
        help,
        projects,
        jobs,
        codes,
        imports,
    )
    for module in (*pages, settings, accounts, members, sign_ins, privilege_requests, resending, mails, tokens, audit, profile):
        app.register_blueprint(module.bp)
