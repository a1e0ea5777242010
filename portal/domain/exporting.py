"""What the worker does with an accepted change order: send its frozen lines, one by one, each behind its own attempt.

The order of writes is the promise. An open attempt is committed before the first byte leaves; what came back is
committed before anything is concluded from it; conclusions are recomputed from the attempts, so that whoever takes
over reaches the same one.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, checks, events, exports, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Overtaken, Status
from portal.domain.exports import Attempt, Export, Outcome
from portal.domain.outbox import Dispatch, Lane
from portal.spectrum import records

SHORT = timedelta(seconds=15)
ONE_CALL = timedelta(seconds=130)  # the call's deadline of 120 s and 10 s to write down what came back
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 300, 900, 3600))
GIVE_UP = timedelta(hours=24)
LOST_WORKERS = 3
DONE = (Outcome.SENT, Outcome.PRESENT)
OURS = (Status.QUEUED, Status.EXPORTING)


# The connected client's one call, handed in by the task, since this module knows no wire: elements 3-56 and the GUID of
# the group. Answers the receipt or raises NotSent, Refused or OutcomeUnknown.
Call = Callable[[Mapping[str, str], str], records.Receipt]


def step(dispatch: Dispatch, claim: int, call: Call) -> None:
    """Bring one Export forward as far as it goes now. Raises outbox.Lost when another worker took the lane."""
    export = Export.get_by_id(dispatch.subject)
    guid = str(uuid.uuid4())
    with suppress(Overtaken):  # a person was quicker, so it is theirs; nothing was sent
        if not _begin(dispatch, claim, export):
            return
        while attempt := _open_next(dispatch, claim, export, guid):
            _send(attempt, dict(export.lines)[attempt.line], call)


def _begin(dispatch: Dispatch, claim: int, export: Export) -> bool:
    """T1: count the try, close what a lost worker left open, and find reasons not to send. False: nothing to send now."""
    with transaction():
        Lane.renew(dispatch.lane, claim, SHORT)
        outbox.begin(dispatch, _back_off(dispatch.tries))
        change_order = change_orders.load(export.change_order_id)
        if change_order.export != export.id or change_order.state not in OURS:
            outbox.finish(dispatch)
            return False
        exports.close_lost(export)
        if change_order.state is Status.EXPORTING:
            return _apply(dispatch, change_order, export)
        return not _give_up(dispatch, change_order, export)


def _give_up(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> bool:
    """Queued -> Failed where sending is out of the question (transition 18)."""
    if findings := checks.before_send(change_order):
        who = " and ".join(dict.fromkeys(finding.who for finding in findings))
        _fail(dispatch, change_order, "data", " ".join(map(str, findings)), who=who)
    elif clock.now() - dispatch.promised_at > GIVE_UP:
        _fail(dispatch, change_order, "temporary", "Spectrum could not be reached for 24 hours. Nothing was sent; retry when it is back.")
    elif dispatch.tries > LOST_WORKERS and not exports.outcomes(export):
        text = f"The export worker stopped {LOST_WORKERS} times before anything was sent. Support has to look at the worker's log."
        _fail(dispatch, change_order, "setup", text)
    else:
        return False
    return True


def _open_next(dispatch: Dispatch, claim: int, export: Export, guid: str) -> Attempt | None:
    """T2 and T4: conclude from what is known; if a line is left to send, commit its open attempt first."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        change_order = change_orders.load(export.change_order_id)
        if change_order.export != export.id or change_order.state not in OURS:
            return None
        if change_order.state is Status.EXPORTING and not _apply(dispatch, change_order, export):
            return None
        if Lane.is_paused(dispatch.lane):
            _pause(dispatch, change_order)
            return None
        line = _unsent(export)[0]
        if change_order.state is Status.QUEUED:
            change_order.move(Status.EXPORTING, change_order.version)
            events.record(SUBJECT, change_order.id, "exporting", number=export.number, line=line)
        return exports.open_attempt(export, line, claim, guid)


def _send(attempt: Attempt, elements: Mapping[str, str], call: Call) -> None:
    """One call, and T3: what came back is written down whoever holds the lane by now."""
    try:
        answer: records.Receipt | records.SpectrumError = call(elements, attempt.guid)
        outcome = Outcome.SENT
    except records.NotSent as error:
        answer, outcome = error, Outcome.NOT_SENT
    except records.Refused as error:
        answer, outcome = error, Outcome.REFUSED
    except records.OutcomeUnknown as error:
        answer, outcome = error, Outcome.UNKNOWN
    with transaction():
        exports.close_attempt(attempt, outcome, **exports.evidence_of(answer))


def _apply(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> bool:
    """The one conclusion from the attempts, in the caller's transaction. True: go on with the next line."""
    latest = exports.outcomes(export)
    states = {attempt.outcome for attempt in latest.values()}
    if states & {Outcome.UNKNOWN, Outcome.LOST}:
        _doubt(dispatch, change_order, latest)
    elif Outcome.REFUSED in states:
        _refused(dispatch, change_order, latest)
    elif Outcome.NOT_SENT in states:
        _postpone(dispatch, change_order, latest)
    elif not _unsent(export):
        _exported(dispatch, change_order, export)
    else:
        return True
    return False


def _exported(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> None:
    change_order.move(Status.EXPORTED, change_order.version)
    outbox.finish(dispatch)
    events.record(SUBJECT, change_order.id, "exported", number=export.number, lines=len(export.lines))


def _doubt(dispatch: Dispatch, change_order: ChangeOrder, latest: dict[int, Attempt]) -> None:
    line, attempt = next((line, attempt) for line, attempt in latest.items() if attempt.outcome in (Outcome.UNKNOWN, Outcome.LOST))
    text = "We sent it and never heard back. It may be in Spectrum. Nobody should send it again before somebody has looked there."
    change_order.move(Status.UNKNOWN, change_order.version)
    outbox.finish(dispatch)
    events.record(
        SUBJECT, change_order.id, "outcome unknown", line=line, rows=attempt.rows, who="accounting", sent=_sent(latest), text=text
    )


def _refused(dispatch: Dispatch, change_order: ChangeOrder, latest: dict[int, Attempt]) -> None:
    line, attempt = next((line, attempt) for line, attempt in latest.items() if attempt.outcome == Outcome.REFUSED)
    rows = [records.Row(code=code, column=column, text=text) for code, column, text in attempt.rows]
    cause = records.failure_class(rows, attempt.http)
    if cause == "access":
        reason = "Spectrum refused our credentials. An administrator has to mend them."
        Lane.update(paused_at=clock.now(), paused_by=None, reason=reason).where(Lane.name == dispatch.lane).execute()
    said = [records.explain(row.code, row.column, row.text) for row in rows if row.code != "G"]
    text = " ".join(said) or "Spectrum refused our credentials."
    _fail(dispatch, change_order, cause, text, line=line, rows=attempt.rows, http=attempt.http, sent=_sent(latest))


def _fail(dispatch: Dispatch, change_order: ChangeOrder, cause: str, text: str, **facts: Any) -> None:
    change_order.move(Status.FAILED, change_order.version)
    outbox.finish(dispatch, text)
    events.record(SUBJECT, change_order.id, "failed", cause=cause, text=text, **facts)


def _postpone(dispatch: Dispatch, change_order: ChangeOrder, latest: dict[int, Attempt]) -> None:
    rows = next(attempt.rows for attempt in latest.values() if attempt.outcome == Outcome.NOT_SENT)
    text = "Spectrum could not be reached. Nothing was sent; it goes again by itself."
    change_order.move(Status.QUEUED, change_order.version)
    outbox.postpone(dispatch, clock.now() + _back_off(dispatch.tries - 1), text)
    events.record(SUBJECT, change_order.id, "postponed", text=text, rows=rows)


def _pause(dispatch: Dispatch, change_order: ChangeOrder) -> None:
    if change_order.state is Status.EXPORTING:
        change_order.move(Status.QUEUED, change_order.version)
        events.record(SUBJECT, change_order.id, "postponed", text="Exports are paused.")
    outbox.postpone(dispatch, clock.now() + BACK_OFF[0], "Exports are paused.", counts=False)


def _unsent(export: Export) -> list[int]:
    latest = exports.outcomes(export)
    return [position for position, _ in export.lines if position not in latest or latest[position].outcome not in DONE]


def _sent(latest: dict[int, Attempt]) -> list[int]:
    return [line for line, attempt in latest.items() if attempt.outcome in DONE]


def _back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]
