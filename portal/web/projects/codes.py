"""The page on which the codes behind a commitment's change orders are corrected: customer, vendor, subcontract."""

import re

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.commitments import Commitment, Kind
from portal.domain.exporting.outdated import Unconfirmed
from portal.domain.projects import correct_codes, jobs
from portal.domain.projects.correct_codes import Moved
from portal.web.visitors import me

bp = Blueprint("codes", __name__, url_prefix="/commitments/<key:id>/codes")
bp.record(url_ids.register)

ID = re.compile("[1-9][0-9]{0,17}", re.ASCII)


@bp.get("")
def show(id: int) -> ResponseReturnValue:
    """What Spectrum is told of the commitment."""
    return page(jobs.commitment(id, me()))


@bp.post("")
def correct(id: int) -> ResponseReturnValue:
    """Keep one of them."""
    held, what = jobs.commitment(id, me()), request.form.get("what", "")
    try:
        write(held, what)
    except Moved as error:
        return page(jobs.commitment(id, me()), what, str(error)), 409
    except Unconfirmed as error:
        return page(held, what, carriers=error.count), 409
    except ValueError as error:
        return page(held, what, str(error)), 422
    flash("Corrected. What waits under it was checked again, and the administrators are told.")
    return redirect(url_for(".show", id=id), 303)


def write(held: Commitment, what: str) -> None:
    """What the form says. Ends the request where it is none of ours."""
    form = request.form
    seen, known = form.get("seen", ""), url_ids.confirmed()
    if what == "vendor":
        correct_codes.give_vendor(
            held, number(seen), number(form.get("vendor", "")), form.get("name", ""), form.get("code", ""), me(), known
        )
    elif what == "as_subcontract":
        correct_codes.say_subcontract(held, seen == "on", form.get("value") == "on", me())
    elif what == "kind":
        correct_codes.give_kind(held, seen, form.get("value", ""), me())
    elif what in correct_codes.KINDS:
        correct_codes.correct(held, what, seen, form.get("value", ""), me(), known)
    else:
        abort(400)


def number(text: str) -> int | None:
    return int(text) if ID.fullmatch(text) else None


def page(held: Commitment, what: str = "", problem: str = "", carriers: int = 0) -> str:
    """The page; in the form that was refused with what was typed.

    carriers  how many accepted change orders carry the old value of what was typed: to be confirmed first
    """
    return render_template(
        "projects/codes.html",
        held=held,
        vendors=correct_codes.choices(held),
        kinds=list(Kind),
        why_not=correct_codes.why_not(me()),
        what=what,
        problem=problem,
        carriers=carriers,
        typed=request.form if what else {},
    )
