"""Refusals and faults as answers: a page, or for htmx an alert, in the same plain words."""

from typing import Any

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal import db
from portal.api import problems
from portal.db.errors import AWAY, ERRORS, Away, Busy, explained
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job
from portal.domain.people import NotPermitted
from portal.web import request_log
from portal.web.htmx import wants_fragment
from portal.web.origins import SAFE_METHODS

WORDS = {
    400: (
        "This could not be read",
        "Something in the form or the address was missing or malformed. Go back, reload the page and try again.",
    ),
    403: ("You may not do this", "Ask an administrator."),
    404: ("There is no such page", "The address may be mistyped, or what it showed is not there. Start again from the Change Orders tab."),
    405: ("This address does not do that", "Use the buttons of the page it belongs to."),
    410: ("This link does not work", "Ask for a new one on the sign-in page."),
    413: ("This is too much at once", "A form may carry at most 1 MB. Nothing was recorded; go back and shorten it."),
    500: (
        "Something went wrong on our side",
        "Look at what is recorded before you try again. If it happens again, tell support the reference.",
    ),
    503: ("Not now", "The portal is busy. Nothing was recorded; try again in a moment."),
}
RETRY_AFTER = "10"  # seconds: for clients that retry by themselves, and load balancers
STALE_FORM = "The form was opened too long ago or in another session. Nothing was recorded: press Back, reload the page, and send it again."
NO_CHANGE_ORDER = "There is no such change order. It may have been given to you with a wrong address."


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(InternalServerError, broken)
    app.register_error_handler(CSRFError, lambda _: answer(400, STALE_FORM))
    app.register_error_handler(NotPermitted, lambda error: answer(403, str(error)))
    app.register_error_handler(ChangeOrder.DoesNotExist, lambda _: answer(404, NO_CHANGE_ORDER))  # type: ignore[attr-defined]
    for thing in (Job, Commitment):
        app.register_error_handler(thing.DoesNotExist, lambda _: answer(404))  # type: ignore[union-attr]
    app.register_error_handler(Busy, unavailable)
    for kind in ERRORS:
        app.register_error_handler(kind, lost)
    app.log_exception = log_fault  # type: ignore[method-assign]


def refused(error: HTTPException) -> ResponseReturnValue:
    """What Flask or a view refused. A redirect is no refusal; a text of the view's own wins over the general one."""
    code = error.code or 500
    if code < 400:
        return error.get_response()
    own_words = error.description if error.description != type(error).description else None
    return answer(code, own_words, error.get_headers())


def broken(error: InternalServerError) -> ResponseReturnValue:
    """A fault of ours. The trace is in the log, under the reference that the person reads."""
    return answer(500)


def unavailable(error: Busy) -> ResponseReturnValue:
    """Answer 503 while the database cannot be used; a GET is not told that nothing was recorded."""
    return answer(503, AWAY if isinstance(error, Away) and request.method in SAFE_METHODS else str(error))


def lost(error: Exception) -> ResponseReturnValue:
    """What the database says in its own way, in the middle of the work. What is a fault of ours goes on to be one."""
    told = explained(error, sqlite=db.is_sqlite())
    if told is None:
        raise error
    return unavailable(told)


def log_fault(exc_info: Any) -> None:
    """In place of Flask's own line, which names the path as it came, be there a secret or a line break in it."""
    current_app.logger.error("fault: method=%s path=%r", request.method, request_log.path(), exc_info=exc_info)


def answer(code: int, text: str | None = None, headers: list[tuple[str, str]] | None = None) -> ResponseReturnValue:
    """Every error page carries the id of its request, under which the log has it."""
    reference = g.get("request_id", "")
    title, general = WORDS.get(code, WORDS[500 if code >= 500 else 400])
    words = {"title": title, "text": text or general, "reference": reference}
    kept = {"Retry-After": RETRY_AFTER} if code == 503 else {}
    kept |= {name: value for name, value in headers or () if name in ("Allow", "Retry-After")}
    if problems.asked():
        said = text or title
        return problems.answer(code, f"{said.rstrip('.')}. Reference: {reference}." if code >= 500 else said, headers=kept)
    if htmx_asked():
        retargeted = {"HX-Retarget": "#alert", "HX-Reswap": "innerHTML", "HX-Reselect": ".alert"}
        return rendered("errors/_alert.html", code, words), code, kept | retargeted
    return rendered("errors/page.html", code, words), code, kept


def rendered(template: str, code: int, words: dict[str, str]) -> str:
    """The words, with nothing that asks the database where that may be what is wrong: neither the person's menu nor who they are."""
    if code < 500:
        try:
            return render_template(template, **words, frame="layout.html")
        except (Busy, *ERRORS) as error:
            current_app.logger.warning("database not available for the frame of an answer: %s", error)
    return current_app.jinja_env.get_template(template).render(**words, frame="skeleton.html")


def htmx_asked() -> bool:
    """Whole pages too: htmx would cut the part it wants out of an error page, and find nothing."""
    return wants_fragment() or request.headers.get("HX-Request-Type") == "full"
