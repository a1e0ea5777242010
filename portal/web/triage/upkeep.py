"""How support looks after a cause: owner, note, archive, and what is pinned to it."""

import re
from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.people import NotPermitted
from portal.domain.triage import upkeep
from portal.web.triage.failures import found, page_of
from portal.web.visitors import me

bp = Blueprint("upkeep", __name__, url_prefix="/failures")
bp.record(url_ids.register)

ID = re.compile("[1-9][0-9]{0,17}", re.ASCII)


@bp.post("/<key:id>/owner")
def assign(id: int) -> ResponseReturnValue:
    """Assign it to a person, or leave it to the rule."""
    owner = request.form.get("owner", "")
    return kept(id, "owner", lambda: upkeep.assign(found(id).cause.id, me(), int(owner) if ID.fullmatch(owner) else None), "Owner saved.")


@bp.post("/<key:id>/note")
def note(id: int) -> ResponseReturnValue:
    """What is known about it."""
    typed, seen = request.form.get("note", ""), request.form.get("seen", "")
    return kept(id, "note", lambda: upkeep.write_note(found(id).cause.id, me(), typed, seen), "Note saved.")


@bp.post("/<key:id>/archive")
def archive(id: int) -> ResponseReturnValue:
    """Archive until it grows."""
    return kept(id, "archive", lambda: upkeep.archive(found(id).cause.id, me()), "Archived until something fails by it again.")


@bp.post("/<key:id>/restore")
def restore(id: int) -> ResponseReturnValue:
    """Out of the archive."""
    return kept(id, "archive", lambda: upkeep.restore(found(id).cause.id, me()), "Taken out of the archive.")


@bp.post("/<key:id>/pin")
def pin(id: int) -> ResponseReturnValue:
    """Pin causes with the same words to it."""
    name, words = request.form.get("name", ""), request.form.get("words", "")
    return kept(id, "pin", lambda: upkeep.pin(found(id).cause.id, me(), name, words), "Pinned." if words.strip() else "Unpinned.")


def kept(id: int, form: str, keep: Callable[[], object], said: str) -> ResponseReturnValue:
    """Back to the page of the cause; or the page with what was typed and why it was not kept."""
    try:
        keep()
    except upkeep.Invalid as error:
        return page_of(found(id), 422, upkeep_problem={form: str(error)}, upkeep_typed=request.form)
    except NotPermitted as error:
        return page_of(found(id), 403, upkeep_problem={form: str(error)}, upkeep_typed=request.form)
    flash(said)
    return redirect(url_for("failures.show", id=id), 303)
