"""Who works on which job: administrators put people on jobs and take them off, on the people page."""

from collections.abc import Callable

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.accounts import rights
from portal.domain.people import NotPermitted
from portal.web.settings.people import find, refused, saved
from portal.web.visitors import me

bp = Blueprint("members", __name__, url_prefix="/settings/people/<key:id>/jobs")
bp.record(url_ids.register)


@bp.post("")
def join(id: int) -> ResponseReturnValue:
    """Put the person on a job."""
    return _changed(id, rights.join)


@bp.post("/removal")
def leave(id: int) -> ResponseReturnValue:
    """Take the person off a job."""
    return _changed(id, rights.leave)


def _changed(id: int, change: Callable[..., object]) -> ResponseReturnValue:
    person = find(id)
    try:
        change(person, request.form.get("job", "").strip(), by=me())
    except rights.Refused as error:
        return refused(id, str(error), 422)
    except NotPermitted as error:
        return refused(id, str(error), 403)
    return saved(person)
