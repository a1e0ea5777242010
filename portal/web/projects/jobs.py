"""A job with its change orders and commitments, a commitment with its change orders, and the beginning of a new one."""

import re

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.commitments import Commitment
from portal.domain.projects import jobs, sending
from portal.domain.projects.jobs import Page
from portal.domain.review import lists, paging
from portal.domain.rules.findings import Blocked, Finding, blocking
from portal.web.projects.draft_form import Typed
from portal.web.visitors import me

bp = Blueprint("jobs", __name__)
bp.record(url_ids.register)

CURSOR = re.compile("[1-9][0-9]{0,17}", re.ASCII)


@bp.get("/jobs/<key:id>")
def show(id: int) -> ResponseReturnValue:
    """The job's Change Orders tab."""
    job = jobs.job(id, me())
    listed = shown(jobs.of_job(job, me(), cursor()), f"Change orders of job {job.number}")
    listed["drafts"] = jobs.closed_drafts(job, me())
    return render_template("projects/job.html", job=job, worths=None, member=me().is_member_of(job), here=url_for(".show", id=id), **listed)


@bp.get("/jobs/<key:id>/commitments")
def commitments(id: int) -> ResponseReturnValue:
    """The job's commitments and what they are worth."""
    job = jobs.job(id, me())
    return render_template("projects/job.html", job=job, worths=jobs.worths(job), member=me().is_member_of(job))


@bp.get("/commitments/<key:id>")
def commitment(id: int) -> ResponseReturnValue:
    """The commitment: original value, approved changes, revised value, and its Change Orders subtab."""
    held = jobs.commitment(id, me())
    listed = shown(jobs.of_commitment(held, me(), cursor()), f"Change orders of {held.number}")
    member, here = me().is_member_of(held.job), url_for(".commitment", id=id)
    return render_template("projects/commitment.html", worth=jobs.worth(held), member=member, here=here, **listed)


@bp.get("/commitments/<key:id>/change-orders/new")
def new(id: int) -> ResponseReturnValue:
    """Number and title of a new change order; its lines are written on its own page."""
    held = jobs.commitment(id, me())
    sending.ensure_member(held.job, me())
    return form(held, Typed(jobs.next_number(held), "", "", []))


@bp.post("/commitments/<key:id>/change-orders/new")
def create(id: int) -> ResponseReturnValue:
    """Keep it as a draft."""
    held = jobs.commitment(id, me())
    typed = Typed(request.form.get("number", ""), request.form.get("title", ""), "", [])
    draft = typed.draft()
    if typed.problems:
        return form(held, typed, typed.problems), 422
    try:
        made = sending.begin(held, me(), draft)
    except Blocked as error:
        return form(held, typed, blocking(error.findings)), 422
    flash(f"CCO {made.number} is kept as a draft. Write its lines, then send it.")
    return redirect(url_for("projects.edit", id=made.id), 303)


def form(held: Commitment, typed: Typed, problems: list[Finding] | None = None) -> str:
    return render_template("projects/new.html", commitment=held, typed=typed, problems=problems or [])


def shown(page: Page, caption: str) -> dict[str, object]:
    return {"page": page, "rows": lists.rows_of(page.change_orders, me()), "caption": caption}


def cursor() -> int | None:
    """The id the page comes after, if any. Ends the request where it is none."""
    after = request.args.get("after", "")
    if after and not CURSOR.fullmatch(after):
        abort(404, paging.NO_SUCH_PAGE)
    return int(after) if after else None
