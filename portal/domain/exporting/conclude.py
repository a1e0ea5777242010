"""The one conclusion from the attempts to send an Export: exported, refused, sent again later, or not known.

It is recomputed from what stands in the database each time, so that a worker that takes over reaches the same one.
"""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from portal import clock
from portal.domain import events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action
from portal.domain.exporting import alerts, error_catalogue, exports, failure_causes, outdated, pausing
from portal.domain.exporting.exports import STORED, UNCERTAIN, Attempt, Export, LineOutcome
from portal.domain.outbox import Dispatch
from portal.spectrum import records

SIGN_IN_REJECTED = "Spectrum rejected the portal's sign-in. An administrator must fix it."
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 300, 900, 3600))
PATIENT_TRIES = 3  # about half an hour of being unreachable
FIRST_LOOK = timedelta(seconds=60)  # after an answer that never came
DO_NOT_RESEND = "It may be in Spectrum. Don't send it again until someone has checked Spectrum."
SILENT = "Spectrum gave no usable answer."


def apply(dispatch: Dispatch, change_order: ChangeOrder, export: Export, completed: Action = Action.EXPORTED) -> bool:
    """Conclude, in the caller's transaction. True: nothing stands against the next line.

    completed  the event to record once everything is in Spectrum
    """
    latest = exports.outcomes(export)
    states = {attempt.outcome for attempt in latest.values()}
    if states & set(UNCERTAIN):
        _mark_unknown(dispatch, change_order, latest)
    elif LineOutcome.REFUSED in states:
        _refused(dispatch, change_order, export, latest)
    elif LineOutcome.NOT_SENT in states:
        _postpone(dispatch, change_order, latest)
    elif not exports.unsent(export):
        _exported(dispatch, change_order, export, completed)
    elif change_order.state is Status.UNKNOWN:
        _again(dispatch, change_order, export)
    else:
        return True
    return False


def fail(dispatch: Dispatch, change_order: ChangeOrder, cause: str, text: str, **facts: Any) -> None:
    """Failed, for a `cause` out of data, access, setup, temporary; `facts` tell who can fix it, and the like."""
    why = failure_causes.columns(change_order, cause, text, **facts)
    change_order.move(Status.FAILED, change_order.version, **why)
    outbox.finish(dispatch, text)
    alerts.ring(cause, failure_causes.group_of(why["cause"]).id)
    events.record(SUBJECT, change_order.id, Action.FAILED, cause=cause, text=text, **facts)


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]


def _exported(dispatch: Dispatch, change_order: ChangeOrder, export: Export, action: Action) -> None:
    change_order.move(Status.EXPORTED, change_order.version)
    outbox.finish(dispatch)
    events.record(SUBJECT, change_order.id, action, number=export.number, lines=len(export.lines))


def _mark_unknown(dispatch: Dispatch, change_order: ChangeOrder, latest: dict[int, Attempt]) -> None:
    if change_order.state is Status.UNKNOWN:  # and still is
        return
    line, attempt = next((line, attempt) for line, attempt in latest.items() if attempt.outcome in UNCERTAIN)
    change_order.move(Status.UNKNOWN, change_order.version)
    outbox.postpone(dispatch, clock.now() + FIRST_LOOK)
    facts: dict[str, Any] = {"line": line, "rows": attempt.rows, "http": attempt.http, "who": "accounting", "sent": _sent(latest)}
    events.record(SUBJECT, change_order.id, Action.OUTCOME_UNKNOWN, **facts, text=f"{_came(attempt)} {DO_NOT_RESEND}")


def _came(attempt: Attempt) -> str:
    """What came back instead of an answer we understand, quoted where it has words."""
    if attempt.outcome == LineOutcome.LOST:
        return f"The export worker stopped while it was sending line {attempt.line}, so its answer is not known."
    return " ".join(error_catalogue.explain(attempt.rows)) or SILENT


def _again(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> None:
    change_order.move(Status.QUEUED, change_order.version)
    outbox.postpone(dispatch, clock.now())
    missing = exports.unsent(export)
    events.record(SUBJECT, change_order.id, Action.QUEUED_AGAIN, number=export.number, missing=missing, sent=exports.stored(export))


def _refused(dispatch: Dispatch, change_order: ChangeOrder, export: Export, latest: dict[int, Attempt]) -> None:
    line, attempt = next((line, attempt) for line, attempt in latest.items() if attempt.outcome == LineOutcome.REFUSED)
    rows = [records.Row(code=code, column=column, text=text) for code, column, text in attempt.rows]
    cause: str = records.failure_class(rows, attempt.http)
    said = [records.explain(row.code, row.column, row.text, _about(change_order, line)) for row in rows if row.code != "G"]
    text = " ".join(said) or "Spectrum rejected the portal's sign-in."
    if cause == "access" and (theirs := outdated.other_company(change_order, export)):  # refused for what this one carries: not us
        cause, text = "setup", f"{text} {outdated.in_words(theirs)} {outdated.way_on(export)}"
    with pausing.refused(dispatch.lane, SIGN_IN_REJECTED) if cause == "access" else nullcontext():
        fail(dispatch, change_order, cause, text, line=line, rows=attempt.rows, http=attempt.http, sent=_sent(latest))


def _about(change_order: ChangeOrder, position: int) -> records.About:
    line = next(line for line in change_order.lines if line.position == position)
    return records.About(change_order.job.number, line.phase_code, line.cost_type)


def _postpone(dispatch: Dispatch, change_order: ChangeOrder, latest: dict[int, Attempt]) -> None:
    rows = next(attempt.rows for attempt in latest.values() if attempt.outcome == LineOutcome.NOT_SENT)
    text = "Spectrum could not be reached. Nothing was sent; it goes again by itself."
    change_order.move(Status.QUEUED, change_order.version)
    outbox.postpone(dispatch, clock.now() + back_off(dispatch.tries - 1), text)
    if dispatch.tries > PATIENT_TRIES or any(column == "certificate" for _, column, _ in rows):
        alerts.ring(alerts.UNREACHABLE)
    events.record(SUBJECT, change_order.id, Action.POSTPONED, text=text, rows=rows)


def _sent(latest: dict[int, Attempt]) -> list[int]:
    return [line for line, attempt in latest.items() if attempt.outcome in STORED]
