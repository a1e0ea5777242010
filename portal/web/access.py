"""Who may ask for what: one table. What is not in it is refused; what a person may do to a row the domain decides."""

from enum import Enum

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.api import bearer
from portal.domain import people
from portal.domain.accounts.api_tokens import Scope
from portal.web import metrics, request_log
from portal.web.htmx import htmx
from portal.web.origins import SAFE_METHODS


class Who(Enum):
    PUBLIC = "anyone"
    SIGNED_IN = "anyone signed in"
    LOOKS = "level Read Only or higher"
    SUPPORTS = "level Standard or higher"
    ADMINISTERS = "level Admin"
    SCRAPES = "who shows the token of METRICS_TOKEN"
    HAS_ACCESS = "any access token"
    READS = "an access token with the scope read"
    WRITES = "an access token with the scope write"
    SENDS = "an access token with the scope send"


ENDPOINTS = {
    "static": Who.PUBLIC,
    "operations.alive": Who.PUBLIC,
    "operations.ready": Who.PUBLIC,
    "operations.version": Who.PUBLIC,
    "metrics.show": Who.SCRAPES,
    "sessions.new": Who.PUBLIC,
    "sessions.create": Who.PUBLIC,
    "sessions.end": Who.PUBLIC,
    "links.new": Who.PUBLIC,
    "links.create": Who.PUBLIC,
    "links.show": Who.PUBLIC,  # anyone with the link
    "links.use": Who.PUBLIC,
    "unsubscribing.show": Who.PUBLIC,  # anyone with the link
    "unsubscribing.stop": Who.PUBLIC,
    "confirming.new": Who.SIGNED_IN,
    "confirming.create": Who.SIGNED_IN,
    "oidc.start": Who.PUBLIC,
    "oidc.confirm": Who.SIGNED_IN,
    "oidc.finish": Who.PUBLIC,
    "frame.home": Who.SIGNED_IN,
    "frame.summary": Who.LOOKS,
    "frame.resume": Who.SUPPORTS,  # after a restore; the privilege is read in the transaction
    "change_orders.index": Who.LOOKS,
    "list_files.download": Who.LOOKS,
    "saved_views.index": Who.LOOKS,
    "saved_views.save": Who.LOOKS,
    "saved_views.remove": Who.LOOKS,  # one's own: the transaction asks
    "saved_views.share": Who.ADMINISTERS,
    "change_orders.show": Who.SIGNED_IN,  # members of the job too: the view asks
    "change_orders.fragment": Who.LOOKS,
    "deciding.acceptance_form": Who.LOOKS,  # the privilege is read in the transaction of the decision
    "deciding.accept": Who.LOOKS,
    "deciding.preview": Who.LOOKS,
    "deciding.previewed": Who.LOOKS,
    "deciding.rejection_form": Who.LOOKS,
    "deciding.reject": Who.LOOKS,
    "accepting.sheet": Who.LOOKS,
    "accepting.accept": Who.LOOKS,  # the privilege is read in the transaction of each change order
    "selected.rejection_form": Who.LOOKS,
    "selected.reject": Who.LOOKS,
    "selected.hold_form": Who.LOOKS,
    "selected.hold": Who.LOOKS,
    "waiting.question_form": Who.LOOKS,
    "waiting.ask": Who.LOOKS,
    "waiting.answer": Who.SIGNED_IN,  # members of the job: the transaction asks
    "waiting.hold_form": Who.LOOKS,
    "waiting.hold": Who.LOOKS,
    "waiting.release": Who.LOOKS,
    "resolving.recall": Who.LOOKS,  # who accepted, level and privilege are read in the transaction
    "resolving.retry": Who.LOOKS,
    "resolving.retry_form": Who.LOOKS,
    "resolving.review_again": Who.LOOKS,
    "resolving.review_form": Who.LOOKS,
    "resolving.look_up": Who.LOOKS,
    "resolving.resolution_form": Who.LOOKS,
    "resolving.resolve": Who.LOOKS,
    "resolving.manual_form": Who.LOOKS,
    "resolving.enter_by_hand": Who.LOOKS,
    "resolving.unlinking_form": Who.LOOKS,
    "resolving.unlink": Who.LOOKS,
    "resolving.retrieve": Who.SIGNED_IN,  # members of the job too: the transaction asks
    "resolving.void": Who.SIGNED_IN,
    "failures.index": Who.SUPPORTS,
    "failures.unknown": Who.SUPPORTS,
    "failures.show": Who.SUPPORTS,
    "failures.fragment": Who.SUPPORTS,
    "clearing.retry_form": Who.SUPPORTS,  # level and privilege are read in the transaction of each change order
    "clearing.retry": Who.SUPPORTS,
    "clearing.reject_form": Who.SUPPORTS,
    "clearing.reject": Who.SUPPORTS,
    "upkeep.assign": Who.SUPPORTS,
    "upkeep.note": Who.SUPPORTS,
    "upkeep.archive": Who.SUPPORTS,
    "upkeep.restore": Who.SUPPORTS,
    "upkeep.pin": Who.ADMINISTERS,
    "bulk_actions.show": Who.SUPPORTS,
    "bulk_actions.undo": Who.SUPPORTS,  # who accepted, level and privilege are read in the transaction of each change order
    "help.errors": Who.SIGNED_IN,
    "fallback.leave": Who.ADMINISTERS,  # and with the privilege, which is read in the transaction
    "fallback.show": Who.ADMINISTERS,
    "projects.jobs": Who.SIGNED_IN,
    "jobs.show": Who.SIGNED_IN,  # members of the job, and people with a level: the domain asks
    "jobs.commitments": Who.SIGNED_IN,
    "jobs.commitment": Who.SIGNED_IN,
    "jobs.new": Who.SIGNED_IN,
    "jobs.create": Who.SIGNED_IN,
    "codes.show": Who.LOOKS,
    "codes.correct": Who.LOOKS,  # level and privilege are read in the transaction
    "projects.edit": Who.SIGNED_IN,  # membership is read in the transaction of the write
    "projects.save": Who.SIGNED_IN,
    "projects.judge": Who.SIGNED_IN,
    "projects.send": Who.SIGNED_IN,
    "projects.tell_apart": Who.SIGNED_IN,
    "imports.index": Who.SIGNED_IN,
    "imports.create": Who.SIGNED_IN,  # membership and level are read in the transaction, and again when it is imported
    "imports.show": Who.SIGNED_IN,  # one's own, or any for an administrator: the view asks
    "imports.send": Who.SIGNED_IN,  # membership of each job is read in the transaction of each sending
    "imports.progress": Who.SIGNED_IN,
    "imports.confirm": Who.SIGNED_IN,
    "imports.withdraw": Who.SIGNED_IN,
    "imports.csv_template": Who.SIGNED_IN,
    "imports.workbook_template": Who.SIGNED_IN,
    "settings.people": Who.ADMINISTERS,
    "settings.level": Who.ADMINISTERS,
    "settings.privilege": Who.ADMINISTERS,
    "accounts.download": Who.ADMINISTERS,
    "accounts.add": Who.ADMINISTERS,
    "accounts.deactivate": Who.ADMINISTERS,
    "accounts.reactivate": Who.ADMINISTERS,
    "privilege_requests.index": Who.ADMINISTERS,
    "privilege_requests.ask": Who.SIGNED_IN,
    "privilege_requests.answer": Who.ADMINISTERS,  # no one answers their own: the transaction asks
    "members.join": Who.ADMINISTERS,
    "members.leave": Who.ADMINISTERS,
    "sign_ins.show": Who.ADMINISTERS,
    "sign_ins.end": Who.ADMINISTERS,
    "sign_ins.end_all": Who.ADMINISTERS,
    "sign_ins.unlock": Who.ADMINISTERS,
    "sign_ins.send_link": Who.ADMINISTERS,
    "settings.company": Who.ADMINISTERS,
    "settings.save": Who.ADMINISTERS,
    "settings.connect": Who.ADMINISTERS,
    "settings.test_connection": Who.ADMINISTERS,
    "settings.connection_test": Who.ADMINISTERS,
    "settings.refresh": Who.ADMINISTERS,
    "settings.look_ups": Who.ADMINISTERS,
    "settings.pause": Who.ADMINISTERS,
    "settings.resume": Who.ADMINISTERS,
    "resending.send": Who.ADMINISTERS,  # and with the privilege, which is read in the transaction
    "resending.sent": Who.ADMINISTERS,
    "resending.record": Who.ADMINISTERS,
    "tokens.index": Who.ADMINISTERS,
    "tokens.make": Who.ADMINISTERS,
    "tokens.revoke": Who.ADMINISTERS,
    "audit.index": Who.ADMINISTERS,
    "audit.download": Who.ADMINISTERS,
    "audit.verification": Who.ADMINISTERS,
    "audit.short": Who.ADMINISTERS,
    "mails.index": Who.SUPPORTS,
    "mails.previews": Who.ADMINISTERS,
    "mails.preview": Who.ADMINISTERS,
    "mails.preview_html": Who.ADMINISTERS,
    "mails.try_out": Who.ADMINISTERS,
    "mails.send_again": Who.ADMINISTERS,
    "mails.set_aside": Who.ADMINISTERS,
    "status.index": Who.SUPPORTS,
    "status.fragment": Who.SUPPORTS,
    "profile.show": Who.SIGNED_IN,
    "profile.save": Who.SIGNED_IN,
    "profile.use_keys": Who.SIGNED_IN,
    "profile.change_password": Who.SIGNED_IN,
    "profile.end_session": Who.SIGNED_IN,
    "profile.end_others": Who.SIGNED_IN,
    "api.description": Who.HAS_ACCESS,
    "api.index": Who.READS,
    "api.show": Who.READS,
    "api.show_by_number": Who.READS,
    "api.put": Who.WRITES,
    "api.send": Who.SENDS,
    "api.retrieve": Who.SENDS,
}
SCOPES = {Who.HAS_ACCESS: None, Who.READS: Scope.READ, Who.WRITES: Scope.WRITE, Who.SENDS: Scope.SEND}  # no cookie opens these
# Of what administrators do, this changes neither rights nor settings. For the rest they prove again who they are.
WITHOUT_PROOF = {
    "saved_views.share",
    "upkeep.pin",
    "settings.test_connection",
    "settings.refresh",
    "fallback.leave",
    "mails.try_out",
    "mails.send_again",
    "mails.set_aside",
}
WITH_PROOF = {"codes.correct"}  # approvers may do it as well
# Asked for by the page itself: no sign of a person at the screen.
POLLS = {
    "frame.summary",
    "change_orders.fragment",
    "failures.fragment",
    "settings.connection_test",
    "settings.look_ups",
    "resending.sent",
    "imports.progress",
    "status.fragment",
}
# After signing in: a fragment is no page, nor is a download, and home is where one is led anyway.
NOT_LED_TO = POLLS | {
    "confirming.new",
    "oidc.confirm",
    "deciding.preview",
    "frame.home",
    "audit.download",
    "list_files.download",
    "accounts.download",
    "imports.csv_template",
    "imports.workbook_template",
}
NEVER = set("\\ #")  # characters no address of ours has, and some browsers read as another site


def init_app(app: Flask) -> None:
    app.before_request(guard)


def guard() -> ResponseReturnValue | None:
    """Let through whom the table lets through; deny by default."""
    if request.endpoint is None:
        return None  # no such page, or not by this method: Flask says so after this
    who = ENDPOINTS.get(request.endpoint)
    if who is Who.PUBLIC:
        return None
    if who is Who.SCRAPES:
        return metrics.admit()
    if who in SCOPES:
        bearer.admit(SCOPES[who])
        return None
    if not current_user.is_authenticated:
        return lead_to("sessions.new")
    request_log.by(current_user.id)
    if who is None:
        abort(403, "This address has no access rule.")
    if who is Who.LOOKS and not current_user.may_look:
        abort(403, f"You need level Read Only or higher to see this. {ask_an_administrator()}")
    if who is Who.SUPPORTS and not current_user.may_support:
        abort(403, f"You need level Standard or higher to see this. {ask_an_administrator()}")
    if who is Who.ADMINISTERS and not current_user.may_administer:
        abort(403, f"Only administrators see and change settings. {ask_an_administrator()}")
    return None


def needs_proof(endpoint: str, method: str) -> bool:
    """Whether the person must have proved lately who they are: for every change an administrator makes, unless the table excepts it."""
    administers = ENDPOINTS.get(endpoint) is Who.ADMINISTERS and endpoint not in WITHOUT_PROOF
    return method not in SAFE_METHODS and (administers or endpoint in WITH_PROOF)


def lead_to(endpoint: str) -> ResponseReturnValue:
    """To the page that asks who they are, and back: a page by redirect, a part of one by the header that makes htmx leave the page."""
    if htmx:
        return "", 401, {"HX-Redirect": url_for(endpoint, next=page_before())}
    return redirect(url_for(endpoint, next=page_before()), 303)


def page_before() -> str | None:
    """The page from which this was asked, to go back to."""
    if htmx:
        return own_page(path_of(htmx.current_url))
    asked = request.full_path if request.query_string else request.path
    return own_page(asked if request.method == "GET" else path_of(request.referrer))


def ask_an_administrator() -> str:
    names = ", ".join(person.name for person in people.administrators()[:3])
    return f"Ask an administrator: {names}." if names else "Ask an administrator."


def path_of(address: str | None) -> str:
    """Path and query of an address on this host, else an empty text. Read by hand: urlsplit has an opinion on what it cannot parse."""
    _, here, path = (address or "").partition(f"://{request.host}/")
    return f"/{path.partition('#')[0]}" if here else ""


def own_page(path: str | None) -> str | None:
    """The path, query included, if it is a page of ours that GET shows, else None. Nothing else is ever redirected to."""
    endpoint = endpoint_at(path, "GET")
    return None if endpoint in NOT_LED_TO or ENDPOINTS.get(endpoint or "", Who.PUBLIC) is Who.PUBLIC else path


def endpoint_at(path: str | None, method: str) -> str | None:
    """What of ours answers there, if the path is one that every browser reads as ours."""
    if not path or not path.startswith("/") or path.startswith("//") or not path.isascii() or set(path) & NEVER or not path.isprintable():
        return None
    try:
        found: tuple[str, object] = current_app.create_url_adapter(request).match(path.partition("?")[0], method=method)  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return None
    return found[0]
