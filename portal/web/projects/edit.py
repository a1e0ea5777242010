"""The project side: what a member of a job works on, corrects, and sends to accounting."""

from dataclasses import replace

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain import change_orders, money
from portal.domain.change_orders import ChangeOrder, Overtaken
from portal.domain.projects import confirm_distinct, merge_lines, sending
from portal.domain.projects import jobs as projects_jobs
from portal.domain.projects.merge_lines import Repeat
from portal.domain.review import lists
from portal.domain.rules import duplicates
from portal.domain.rules.findings import Blocked, Finding, blocking
from portal.web import return_to
from portal.web.change_orders import sentences
from portal.web.change_orders.answers import seen_version
from portal.web.projects import draft_form
from portal.web.projects.draft_form import Typed
from portal.web.visitors import me

bp = Blueprint("projects", __name__)
bp.record(url_ids.register)
bp.record(draft_form.register)

NO_REPEATS = "No two lines use the same cost code, cost type and bid item."
EVERY_FIELD = ("number", "title", "description")


@bp.get("/jobs")
def jobs() -> ResponseReturnValue:
    """The change orders that wait for this person: drafts and what came back."""
    return render_template(
        "projects/jobs.html",
        jobs=projects_jobs.jobs_of(me()),
        others=projects_jobs.other_jobs(me()),
        rows=lists.rows_of(projects_jobs.own(me()), me()),
        left=lists.rows_of(projects_jobs.left_behind(me()), me()),
    )


@bp.get("/change-orders/<key:id>/edit")
def edit(id: int) -> ResponseReturnValue:
    """The form, or why there is nothing to write on."""
    change_order = writable(id)
    return form(change_order, draft_form.written(change_order))


@bp.post("/change-orders/<key:id>/edit")
def save(id: int) -> ResponseReturnValue:
    """Keep what was typed, findings and all; or give it back, as it is or with a line more or less."""
    change_order, typed, version = writable(id), as_typed(), seen_version()
    if "add" in request.form:
        typed.add()
        return form(change_order, typed, version=version, focus=f"phase_code-{len(typed.lines)}")
    if "back" in request.form:
        return form(change_order, typed, version=version)
    if "remove" in request.form:
        near = min(typed.remove(request.form["remove"]), len(typed.lines))
        return form(change_order, typed, version=version, focus=f"phase_code-{near}" if near else "add")
    if "combine" in request.form:
        return combine(change_order, typed, version)
    kept(change_order, typed, version)
    flash(f"CCO {typed.number.strip()} saved.")
    return again(id)


def combine(change_order: ChangeOrder, typed: Typed, version: int) -> ResponseReturnValue:
    """First what would become of repeated lines; then, when that was seen, the draft with them combined."""
    draft = typed.draft()
    if typed.problems:
        raise Unreadable(typed)
    found = merge_lines.repeats(draft.lines)
    if not found:
        nothing = draft_form.problem("lines", NO_REPEATS)
        return form(change_order, typed, status=422, problems=[nothing], version=version, heading="Nothing to combine")
    if request.form["combine"] != "now":
        return form(change_order, typed, version=version, repeats=found)
    positions = [repeat.positions for repeat in found]
    sending.edit(change_order.id, me(), version, replace(draft, lines=merge_lines.combined(draft.lines)), combined=positions)
    flash(f"{len(found)} repeated line{'' if len(found) == 1 else 's'} combined. The total is still {money.dollars(draft.total)}.")
    return again(change_order.id)


@bp.post("/change-orders/<key:id>/findings")
def judge(id: int) -> ResponseReturnValue:
    """What stands against sending it, while it is being typed. Keeps nothing."""
    change_order, typed = writable(id), as_typed()
    return render_template(
        "projects/_findings.html", change_order=change_order, findings=typed.judged(id), total=typed.readable().total, live=True
    )


@bp.post("/change-orders/<key:id>/sending")
def send(id: int) -> ResponseReturnValue:
    """To accounting: what was typed is kept first; a form without fields sends what is kept."""
    change_order, version = writable(id), seen_version()
    if any(name in request.form for name in EVERY_FIELD):
        kept(change_order, as_typed(), version)
        version += 1
    try:
        sent = sending.send(id, me(), version)
    except Blocked as error:
        return form(change_orders.load(id), status=422, problems=blocking(error.findings), heading="Saved, but not sent")
    flash(f"CCO {sent.number} sent to accounting. It is now: {sent.label}.")
    return redirect(return_to.led_back(sent, me(), "ready") if return_to.current() else url_for("projects.jobs"), 303)


@bp.post("/change-orders/<key:id>/distinctions")
def tell_apart(id: int) -> ResponseReturnValue:
    """It is another one than what it looks like."""
    other = request.form.get("other", "")
    if not url_ids.ID.fullmatch(other):
        abort(400)
    found = confirm_distinct.tell_apart(id, me(), request.form.get("kind", ""), int(other))
    flash(f"Recorded: {found.kind} {found.number} is another one than {found.other}.")
    return again(id)


def again(id: int) -> ResponseReturnValue:
    """The edit page, which still leads back to the list it came from."""
    return redirect(url_for(".edit", id=id, place=return_to.address()), 303)


class Unreadable(Exception):
    """Something typed cannot be kept as it is."""

    def __init__(self, typed: Typed) -> None:
        self.typed = typed


@bp.errorhandler(Unreadable)
def unreadable(error: Unreadable) -> ResponseReturnValue:
    """The form again, with all that is wrong; nothing was kept."""
    return form(writable(asked_for()), error.typed, status=422, problems=error.typed.problems, version=seen_version())


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    """The number is taken: nothing was kept."""
    return form(writable(asked_for()), as_typed(), status=422, problems=blocking(error.findings), version=seen_version())


@bp.errorhandler(Overtaken)
def overtaken(error: Overtaken) -> ResponseReturnValue:
    """Someone else wrote or sent it meanwhile: what was typed is shown, and nothing of it kept."""
    change_order = writable(asked_for())
    row = lists.rows_of([change_order], me())[0]
    typed = as_typed() if any(name in request.form for name in EVERY_FIELD) else None
    text = f"Nothing was recorded: the change order is no longer what you saw. {sentences.status_sentence(row)}"
    return form(change_order, typed, status=409, problems=[draft_form.problem("version", text, still_there(change_order) if typed else "")])


def still_there(change_order: ChangeOrder) -> str:
    """What the user can do with typed words that were not recorded."""
    if change_order.is_editable:
        return "Below is what you typed. Save again to put it in place of what is recorded now."
    return "Below is what you typed, not what is recorded. This tab keeps it and offers it again when the change order can be corrected."


def form(
    change_order: ChangeOrder,
    typed: Typed | None = None,
    *,
    status: int = 200,
    problems: list[Finding] | None = None,
    version: int | None = None,
    heading: str = "There is a problem",
    focus: str = "",
    repeats: list[Repeat] | None = None,
) -> ResponseReturnValue:
    """The edit page. `problems` stop the step that was asked for; the findings of what is kept are always shown."""
    typed = typed or draft_form.written(change_order)
    page = render_template(
        "projects/edit.html",
        change_order=change_order,
        row=lists.rows_of([change_order], me())[0],
        project_actions=sending.available_actions(change_order, me()),
        likenesses=duplicates.of_one(change_orders.load(change_order.id)),
        why_not=projects_jobs.why_not(change_order, me()),
        phases=projects_jobs.known_phases(change_order.job) if change_order.is_editable else {},
        typed=typed,
        total=typed.readable().total,
        repeats=repeats or [],
        version=change_order.version if version is None else version,
        findings=typed.judged(change_order.id) if change_order.is_editable else [],
        problems=problems or [],
        heading=heading,
        focus=focus,
    )
    return make_response(page, status)


def writable(id: int) -> ChangeOrder:
    """The change order, for a member of its job. Raises NotPermitted for others."""
    change_order = change_orders.load(id)
    sending.ensure_may_write(change_order, me())
    return change_order


def as_typed() -> Typed:
    try:
        return draft_form.typed(request.form)
    except ValueError as error:
        abort(400, str(error))


def kept(change_order: ChangeOrder, typed: Typed, version: int) -> None:
    """Write the draft down. Raises Unreadable, Overtaken or Blocked."""
    draft = typed.draft()
    if typed.problems:
        raise Unreadable(typed)
    sending.edit(change_order.id, me(), version, draft)


def asked_for() -> int:
    id: int = (request.view_args or {})["id"]
    return id
