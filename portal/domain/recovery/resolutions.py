"""What people do with an export that went wrong or has to be undone: retry it, say what Spectrum shows, enter it by hand, unlink it."""

from datetime import timedelta
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import events, keys, outbox, people, transitions
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.companies import Company
from portal.domain.events import Action
from portal.domain.exporting import exports, failure_causes, outdated, quiet_window
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.people import NotPermitted, User
from portal.domain.recovery import leftovers
from portal.domain.rules import checks, four_eyes, recheck, spectrum_numbers, text_rules
from portal.domain.rules.findings import ACCOUNTING, Blocked, Finding, require
from portal.spectrum import records

ABSENT = "Its outcome was unknown, and someone saw that it is not in Spectrum."
ONLY_ADMIN = "Only an administrator with ‘Can Push to Accounting’ does this."


def retry(id: int, by: User, version: int, not_entered: bool = False, due_in: timedelta = timedelta(0)) -> ChangeOrder:
    """Failed -> Queued: the same frozen lines under the same number; only those that are not in Spectrum go again.

    `not_entered`: an approver says that no one entered it from the workbook in which it was left; wanted where it was.
    `due_in`: when it is sent, of many that are retried at once. Raises NotPermitted, Overtaken, or Blocked when a rule forbids it now.
    """
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.RETRIED, version, Status.FAILED)
        if is_repeat:
            return change_order
        failure = leftovers.last_failure(change_order)
        if why := why_not_retry(change_order, by, failure):
            raise NotPermitted(why)
        four_eyes.ensure_none_of(change_order, by, people.approvers)
        export = Export.get_by_id(change_order.export)
        workbook = leftovers.workbook_of(failure)
        unsure = leftovers.against_second_entry(workbook, not_entered=not_entered)
        require([*unsure, *_uncertain_findings(export), *checks.before_send(change_order), *outdated.findings(change_order, export)])
        change_order.move(Status.QUEUED, version)
        again = [line for line, attempt in exports.outcomes(export).items() if attempt.outcome not in exports.STORED]
        exports.record_outcome(export, again, LineOutcome.AGAIN)
        outbox.reopen(export.key, due_in)
        facts = {"number": export.number, "stored": exports.stored(export), **leftovers.said_of(workbook)}
        transitions.record(change_order, Action.RETRIED, by, version, **facts)
        return change_order


def mark_present(id: int, by: User, version: int, number: str, note: str) -> ChangeOrder:
    """Unknown -> Exported: a person looked, and the uncertain lines are in Spectrum under `number`.

    Lines that were never sent are not there, whatever anyone says: with such lines it becomes Failed, and Retry sends
    just these. Raises NotPermitted, Overtaken or Blocked.
    """
    note = note.strip()
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.SAID_PRESENT, version, Status.UNKNOWN)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        export = Export.get_by_id(change_order.export)
        require([*same_number(number, export.number, 12), *note_findings(note)])
        exports.record_outcome(export, exports.uncertain_lines(export), LineOutcome.PRESENT)
        missing = exports.unsent(export)
        half = _half(export, missing) if missing else {}
        why = failure_causes.columns(change_order, half["cause"], half["text"]) if half else {}
        change_order.move(Status.FAILED if missing else Status.EXPORTED, version, **why)
        transitions.record(change_order, Action.SAID_PRESENT, by, version, number=export.number, note=note, **half)
        return change_order


def mark_absent(id: int, by: User, version: int, note: str) -> ChangeOrder:
    """Unknown -> Failed: a person looked after the quiet window, and the uncertain lines are not in Spectrum.

    Raises NotPermitted, Overtaken or Blocked.
    """
    note = note.strip()
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.SAID_ABSENT, version, Status.UNKNOWN)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        export = Export.get_by_id(change_order.export)
        quiet_window.notice(Attempt.export == export)
        require([*_too_early(export), *note_findings(note)])
        exports.record_outcome(export, exports.uncertain_lines(export), LineOutcome.ABSENT)
        facts = {"cause": "temporary", "who": ACCOUNTING, "sent": exports.stored(export)}
        change_order.move(Status.FAILED, version, **failure_causes.columns(change_order, "temporary", ABSENT, who=ACCOUNTING))
        transitions.record(change_order, Action.SAID_ABSENT, by, version, note=note, **facts)
        return change_order


def mark_entered_manually(id: int, by: User, version: int, number: str, note: str) -> ChangeOrder:
    """Failed -> Exported: someone typed it into Spectrum, as `number`. Raises NotPermitted, Overtaken or Blocked."""
    number, note = keys.plain(number).upper(), note.strip()
    try:
        with transaction():
            by, change_order, is_repeat = transitions.begin(id, by, Action.ENTERED_BY_HAND, version, Status.FAILED)
            if is_repeat:
                return change_order
            _ensure_may_undo(change_order, by)
            require([*_usable(change_order, number), *note_findings(note)])
            spectrum_numbers.reserve(change_order, number)
            change_order.move(Status.EXPORTED, version, manual=True)
            transitions.record(change_order, Action.ENTERED_BY_HAND, by, version, number=number, note=note)
            return change_order
    except spectrum_numbers.Taken as taken:
        raise Blocked([_taken(number, taken.holder)]) from None


@recheck.beside
def unlink(id: int, by: User, version: int, number: str, reads_back: bool = False) -> ChangeOrder:
    """Exported -> Retrieved: it was taken out of Spectrum; `number` typed once more says that this one is meant.

    Where the portal reads Spectrum back, a look has to have found nothing there. Raises NotPermitted, Overtaken or Blocked.
    """
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.UNLINKED, version, Status.EXPORTED)
        if is_repeat:
            return change_order
        _ensure_may_undo(change_order, by)
        kept = spectrum_numbers.kept(change_order)
        require([*same_number(number, kept, 16), *(_still_there(change_order) if reads_back else [])])
        change_order.move(Status.RETRIEVED, version, decided_by=None, decided_at=None, export=None, manual=False)
        transitions.record(change_order, Action.UNLINKED, by, version, number=kept)
        return change_order


def why_not_retry(change_order: ChangeOrder, by: User, failure: events.Event | None) -> str:
    """Why this person may not retry what failed so, or an empty text."""
    if leftovers.workbook_of(failure) and not by.may_decide and change_order.company.support_may_retry:
        return "It was left as a workbook, so an approver must say that no one entered it. Ask someone with ‘Can Push to Accounting’."
    return why_not_retry_kind(change_order.company, by, cause_of(failure))


def why_not_retry_kind(company: Company, by: User, kind: str) -> str:
    """Why this person may not retry failures of this class, or an empty text."""
    if by.may_decide:
        return ""
    if not (by.may_support and company.support_may_retry):
        return by.why_not_decide
    if kind == "data":
        return "The data must change first, so an approver must retry it. Ask someone with Can Push to Accounting."
    return ""


def may_undo(by: User) -> bool:
    """Whether the person may say that something was typed into Spectrum, or taken out of it."""
    return bool(by.may_administer and by.may_decide)


def cause_of(failure: events.Event | None) -> str:
    """The class of a failure; `data`, the strictest, where no one said."""
    return str(failure.facts.get("cause", "data")) if failure else "data"


def same_number(typed: str, number: str, rule: int) -> list[Finding]:
    """The number typed once more, as a confirmation."""
    if keys.canonical(typed) == keys.canonical(number):
        return []
    text = f"The Spectrum number of this change order is {number}."
    return [Finding(rule, "number", text, ACCOUNTING, "Look it up in Spectrum under this number and type it here.")]


def note_findings(note: str) -> list[Finding]:
    """It is all that an auditor will have."""
    return text_rules.remark(12, "note", note, "Write down what you saw in Spectrum.", fix="Say where you looked.")


def _still_there(change_order: ChangeOrder) -> list[Finding]:
    look = events.latest(SUBJECT, [change_order.id]).get(change_order.id)
    if look and look.action == Action.LOOKED_UP and look.facts["verdict"] == "absent":
        return []
    text = look.facts["found"] if look and look.action == Action.LOOKED_UP else "No one has checked yet that it is gone from Spectrum."
    return [Finding(16, "number", text, ACCOUNTING, "Remove it in Spectrum, press Look it up in Spectrum, then unlink it.")]


def _uncertain_findings(export: Export) -> list[Finding]:
    """An answer no one understood can come late, after the change order had failed."""
    if not (lines := exports.uncertain_lines(export)):
        return []
    text = f"Line {', '.join(map(str, lines))} may be in Spectrum after all: an unclear answer came late."
    return [Finding(13, "lines", text, ACCOUNTING, "Look in Spectrum; then mark it as entered by hand, or reject it.")]


def _too_early(export: Export) -> list[Finding]:
    left = quiet_window.until(export) - clock.now()
    if left <= timedelta(0):
        return []
    minutes = -(-left // timedelta(minutes=1))
    text = f"Spectrum may still be processing it for {minutes} minute{'' if minutes == 1 else 's'}, so “not there” isn't certain yet."
    return [Finding(12, "note", text, ACCOUNTING, "Look again after that.")]


def _half(export: Export, missing: list[int]) -> dict[str, Any]:
    text = f"Line {', '.join(map(str, missing))} was never sent. Retry sends what is missing."
    return {"cause": "temporary", "who": ACCOUNTING, "sent": exports.stored(export), "text": text}


def _usable(change_order: ChangeOrder, number: str) -> list[Finding]:
    if not records.NUMBER_PATTERN.fullmatch(number):
        text = "The Spectrum number needs 1 to 8 characters out of A-Z, 0-9 and the dash."
        return [Finding(15, "number", text, ACCOUNTING, f"The portal had {spectrum_numbers.kept(change_order)} for it.")]
    holder = spectrum_numbers.holder_of(change_order, number)
    return [_taken(number, holder)] if holder else []


def _taken(number: str, holder: ChangeOrder) -> Finding:
    text = f"The number {number} belongs to {spectrum_numbers.named(holder)}."
    return Finding(15, "number", text, ACCOUNTING, "Look it up in Spectrum again.")


def _ensure_may_undo(change_order: ChangeOrder, by: User) -> None:
    if not may_undo(by):
        raise NotPermitted(ONLY_ADMIN)
    four_eyes.ensure_none_of(change_order, by, lambda: [person for person in people.approvers() if may_undo(person)])
