"""The pages: blueprints, and how a request is answered in full or in part."""

from collections.abc import MutableMapping
from typing import Any

import flask.templating
import jinja2
from flask import Flask

from portal.api.change_orders import bp as api
from portal.web import (
    access,
    compression,
    errors,
    formats,
    frame,
    headers,
    health,
    imports,
    links,
    memory,
    metrics,
    origins,
    request_log,
    static_files,
    status,
)
from portal.web.audit import trail
from portal.web.change_orders import (
    bulk_accept,
    bulk_actions,
    bulk_decisions,
    decisions,
    error_help,
    list_files,
    lists,
    resolutions,
    saved_views,
    waiting,
    workbook,
)
from portal.web.form_tokens import csrf
from portal.web.htmx import htmx as htmx_extension
from portal.web.projects import codes, edit, jobs
from portal.web.settings import api_tokens, company, mail, memberships, people, privilege_requests, resend_check, sign_ins
from portal.web.sign_in import oidc, password_links, profile, reauthentication, sessions, unsubscribing
from portal.web.triage import clearing, failures, upkeep


class Environment(flask.templating.Environment):
    """Templates with their globals in one dictionary: Jinja looks through all of them for each fragment that it renders."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


def init_app(app: Flask) -> None:
    """Add everything to do with pages. The order of the guards is the order in which a request meets them."""
    app.jinja_environment = Environment
    app.jinja_options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    compression.init_app(app)  # before all others, and so called when the answer is whole
    before = (request_log, static_files, formats, links, headers, errors, health, memory, sessions, oidc, origins, access)
    for module in (*before, imports, privilege_requests):
        module.init_app(app)
    csrf.init_app(app)
    csrf.exempt(unsubscribing.bp)  # mail programs press its button; the signed address says all that it does
    csrf.exempt(api)  # a browser adds no bearer token by itself, so that nothing can be forged
    reauthentication.init_app(app)
    htmx_extension.init_app(app)  # not by the name of this package's module
    frame.init_app(app)
    register_pages(app)


def register_pages(app: Flask) -> None:
    """The addresses of all pages."""
    pages = (
        health,
        metrics,
        sessions,
        password_links,
        reauthentication,
        oidc,
        frame,
        lists,
        list_files,
        saved_views,
        bulk_accept,
        bulk_decisions,
        decisions,
        resolutions,
        waiting,
        workbook,
        error_help,
        failures,
        clearing,
        upkeep,
        bulk_actions,
        edit,
        jobs,
        codes,
        imports,
        status,
        unsubscribing,
    )
    for module in (*pages, company, people, memberships, sign_ins, privilege_requests, resend_check, mail, api_tokens, trail, profile):
        app.register_blueprint(module.bp)
