"""The audit trail, for administrators: who did what when, the whole of it as CSV, and whether it is as it was written."""

from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock
from portal.domain import people
from portal.domain.audit import chain, search, subjects, verify_rights, verify_states
from portal.domain.audit.chain import Verdict
from portal.domain.audit.heads import HEADS, Unreadable, missing, read_heads
from portal.domain.audit.search import Filter, Page
from portal.web import downloads, formats
from portal.web.audit import event_sentences
from portal.web.change_orders import sentences
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("audit", __name__)
WALK_UP_TO = 50_000  # events walked while someone waits: some seconds
FILTERS = ("person", "subject", "ref", "action", "since", "until", "number")
COLUMNS = (
    "Event",
    "Time (UTC)",
    "Who",
    "E-mail",
    "About",
    "What",
    "Remark",
    "Changes",
    "Subject",
    "Id",
    "Action",
    "Data",
    "Previous",
    "Hash",
)


@bp.record
def register(state: object) -> None:
    """The templates use these as filters."""
    for filter in (event_sentences.who, event_sentences.what, event_sentences.changes):
        state.app.add_template_filter(filter)  # type: ignore[attr-defined]


@bp.get("/settings/audit")
def index() -> ResponseReturnValue:
    """One page of the trail, as filtered."""
    return shown()


@bp.get("/settings/audit/verification")
def verification() -> ResponseReturnValue:
    """Walk the trail now, if it is short enough to wait for."""
    count = chain.count()
    found = judged() if count <= WALK_UP_TO else {"too_long": count}
    if wants_fragment():
        return render_template("audit/_verification.html", **found)
    return shown(**found)


@bp.get("/settings/audit.csv")
def download() -> ResponseReturnValue:
    """Everything the filter lets through, with the hashes, so that others can verify it too; without what drafts of others say."""
    try:
        wanted = search.read(request.args)
    except search.Invalid as error:
        abort(404, str(error))
    return csv_of(wanted)


@bp.get("/audit")
def short() -> ResponseReturnValue:
    """An address to remember."""
    return redirect(url_for(".index"), 303)


def csv_of(wanted: Filter) -> Response:
    return downloads.as_csv(f"audit-{clock.now():%Y%m%d-%H%M%S}.csv", COLUMNS, _rows(wanted))


def _rows(wanted: Filter) -> Iterator[tuple[object, ...]]:
    for entry in search.everything(wanted, me()):
        event = entry.event
        changed = "; ".join(
            f"{one.label}: {one.new}" if one.old is None else f"{one.label}: {one.old} → {one.new}"
            for one in event_sentences.changes(entry)
        )
        told = (event_sentences.who(event), event.actor.email if event.actor else "", entry.about, event_sentences.what(event))
        kept = (event.subject, event.ref, event.action, "" if entry.private else event.data, event.previous, event.hash)
        yield (event.seq, formats.iso(event.at), *told, sentences.note(event), changed, *kept)


def judged() -> dict[str, object]:
    """What a walk over the trail finds; or why its heads cannot be read."""
    try:
        file = _heads()
        heads = read_heads(file) if file.exists() else []
    except (OSError, Unreadable) as error:
        return {"unreadable": str(error)}
    verdict: Verdict = chain.verify(heads)
    differences = [*verify_rights.differences(), *verify_states.differences()]
    return {
        "verdict": verdict,
        "differences": differences,
        "lost": "" if verdict.last else missing(file),
        "unvouched": [*verdict.unvouched, *verify_rights.unvouched()],
        "at": clock.now(),
    }


def _heads() -> Path:
    folder: Path = current_app.config["PORTAL_DATA"]
    return folder / HEADS


def shown(**verified: object) -> ResponseReturnValue:
    """The page, with what a verification found, if one was asked for."""
    errors: dict[str, str] = {}
    page, thing = Page([], None), ""
    try:
        wanted = search.read(request.args)
        page, thing = search.page(wanted, me(), request.args.get("after", "")), search.name_of(wanted)
    except search.Invalid as error:
        errors = error.errors
    except ValueError as error:
        abort(404, str(error))
    values = {name: request.args.get(name, "") for name in FILTERS}
    html = render_template(
        "audit/index.html",
        page=page,
        thing=thing,
        actions=event_sentences.ACTIONS,
        errors=errors,
        values=values,
        asked={name: value for name, value in values.items() if value},
        people=[(str(person.id), person.name) for person in people.everybody()],
        subjects=subjects.SUBJECTS,
        **verified,
    )
    return html, 422 if errors else 200
