"""What an approver does with a change order that waits: accept it for export, send it back, or think better of an Accept."""

from dataclasses import replace
from datetime import timedelta

from portal import clock, failpoints
from portal.db import transaction
from portal.domain import outbox, transitions
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.events import Action
from portal.domain.exporting import exports
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import NotPermitted, User
from portal.domain.recovery import leftovers, renumber
from portal.domain.review import signature
from portal.domain.rules import checks, contributors, four_eyes, recheck, spectrum_numbers, text_rules
from portal.domain.rules.findings import ACCOUNTING, Blocked, Finding, require
from portal.domain.wording import PROPOSED, Wording

REJECTABLE = (Status.READY, Status.FAILED)


@recheck.beside
def accept(
    id: int,
    by: User,
    version: int,
    seen: signature.Marks,
    wording: Wording = PROPOSED,
    removed: bool = False,
) -> ChangeOrder:
    """Ready -> Queued: reserve the Spectrum number, freeze what Spectrum will get, and promise the export.

    `version` and `seen` are what the approver saw: without either no one knows what they signed. `removed`: the lines sent
    under a number that another one has now were taken out (renumbering). Raises NotPermitted, Overtaken, Changed or Blocked,
    and then nothing is recorded. The same person's repeat of the same decision changes nothing.
    """
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.ACCEPTED, version, Status.READY, hold=signature.hold)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        signature.require(change_order, seen)  # before the rules: what they say now is about what the approver has not seen
        wording = replace(wording, number=spectrum_numbers.chosen(change_order, wording.number))
        lost = spectrum_numbers.lost(change_order)
        found = checks.at_accept(change_order, wording)
        require([*found, *leftovers.against_accept(change_order), *renumber.findings(change_order, by, removed=removed)])
        _reserve(change_order, wording.number)
        _queue(change_order, by, version, _freeze(change_order, wording))
        instead = {"instead_of": lost.number, "removed": removed} if lost else {}
        facts = {"number": wording.number, "title": wording.title, "total": str(change_order.amount), **instead}
        transitions.record(change_order, Action.ACCEPTED, by, version, **facts)
        failpoints.hit("accept.before_commit")
    failpoints.hit("accept.after_commit")
    return change_order


@recheck.beside
def reject(id: int, by: User, version: int, reason: str, removed: bool = False, not_entered: bool = False) -> ChangeOrder:
    """Ready or Failed -> Rejected: back to the project, with the reason by mail to sender and creator.

    `removed`: the approver says that the lines which are in Spectrum were taken out there; wanted where there are any.
    `not_entered`: that no one entered it from the workbook in which it was left.
    """
    reason = reason.strip()
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.REJECTED, version, *REJECTABLE)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        left, workbook = leftovers.of(change_order), leftovers.workbook_of(leftovers.last_failure(change_order))
        unsure = leftovers.against_second_entry(workbook, not_entered=not_entered)
        require([*reason_findings(reason), *(leftovers.against_reject(left) if not removed else []), *unsure])
        change_order.move(Status.REJECTED, version, decided_by=by, decided_at=clock.now(), export=None)
        for person in contributors.authors(change_order):
            outbox.promise(rejected_key(change_order, person), MAIL, Task.REJECTED, change_order.id)
        facts = {**({"removed": left} if left else {}), **leftovers.said_of(workbook)}
        transitions.record(change_order, Action.REJECTED, by, version, reason=reason, **facts)
        return change_order


@recheck.beside
def recall(id: int, by: User, version: int) -> ChangeOrder:
    """Queued -> Ready: the Accept is taken back while nothing was tried. The Spectrum number stays with the change order.

    Raises NotPermitted or Overtaken, the latter also when the worker was quicker.
    """
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.RECALLED, version, Status.QUEUED)
        if is_repeat:
            return change_order
        if why := why_not_recall(change_order, by):
            raise NotPermitted(why)
        export = exports.Export.get_by_id(change_order.export)
        if exports.attempted([export.id]):
            raise Overtaken(change_order)
        change_order.move(Status.READY, version, decided_by=None, decided_at=None, export=None)
        outbox.withdraw(export.key)
        transitions.record(change_order, Action.RECALLED, by, version, number=export.number)
        return change_order


def why_not_recall(change_order: ChangeOrder, by: User) -> str:
    """Why this person may not take this Accept back, or an empty text."""
    if by.may_administer or (by.may_decide and by.id == change_order.decided_by_id):
        return ""
    return "Only the approver who accepted it, or an administrator, can recall it."


def reason_findings(reason: str) -> list[Finding]:
    """The project team reads it."""
    return text_rules.remark(4, "reason", reason, "Give the project team a reason.", fix="Say what has to change.")


def _reserve(change_order: ChangeOrder, number: str) -> None:
    try:
        spectrum_numbers.reserve(change_order, number)
    except spectrum_numbers.Taken as taken:
        text = f"The number {taken.number} was taken by {spectrum_numbers.named(taken.holder)} this very moment."
        raise Blocked([Finding(17, "number", text, ACCOUNTING, "Pick another.")]) from None


def _queue(change_order: ChangeOrder, by: User, version: int, export: exports.Export) -> None:
    """Ready -> Queued, with the promise to send the Export after the company's delay."""
    company = change_order.company
    change_order.move(Status.QUEUED, version, decided_by=by, decided_at=clock.now(), export=export.id)
    contributors.settle_codes(change_order, by)
    outbox.promise(export.key, company.lane, Task.EXPORT, export.id, timedelta(seconds=company.export_delay))


def _freeze(change_order: ChangeOrder, wording: Wording) -> exports.Export:
    try:
        return exports.freeze(change_order, wording)
    except ValueError as error:  # the record knows Spectrum's widths and masks better than any rule here
        raise Blocked([Finding(10, "lines", str(error), ACCOUNTING)]) from None


def rejected_key(change_order: ChangeOrder, person: int) -> str:
    return f"rejected:{change_order.id}:{change_order.revision}:{person}"
