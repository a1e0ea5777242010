"""What the worker does with an accepted change order: send its frozen lines, one by one, each behind its own attempt.

The order of writes is the promise. An open attempt is committed before the first byte leaves; what came back is
committed before anything is concluded from it.
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from structlog.contextvars import bound_contextvars

from portal import clock, failpoints
from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Overtaken, Status
from portal.domain.events import Action
from portal.domain.exporting import calls, conclude, exports, outdated, verify
from portal.domain.exporting.calls import Call
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.exporting.readback import ONE_READING, Read
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.outbox import LOST_WORKERS, Dispatch
from portal.domain.rules import checks, spectrum_numbers

GIVE_UP = timedelta(hours=24)
RECENTLY = timedelta(hours=2)  # tries are at most an hour apart
COMPANY_SETTINGS = 20  # the rule about them
OUT_OF_REACH = "Spectrum could not be reached for a day, and the portal stopped trying. Retry when it is back."
WORKERS_STOPPED = "The export worker stopped too often before anything was sent. Support has to look at the worker's log."
OURS = (Status.QUEUED, Status.EXPORTING, Status.UNKNOWN)


def step(dispatch: Dispatch, claim: int, call: Call, read: Read | None = None) -> None:
    """Bring one Export forward as far as it goes now. Raises lanes.Lost when another worker took the lane.

    read  how Spectrum is read back; None where that is off
    """
    export = Export.get_by_id(dispatch.subject)
    with (
        bound_contextvars(change_order=export.change_order_id, export=export.id),
        suppress(Overtaken),
    ):  # a person was quicker, so it is theirs; nothing was sent
        state = _begin(dispatch, claim, export)
        if state is Status.UNKNOWN:
            verify.verify(dispatch, claim, export, read)
        elif state and (state is Status.EXPORTING or read is None or verify.look_first(dispatch, claim, export, read)):
            failpoints.hit("preflight.after")
            _send_lines(dispatch, claim, export, call)


def _send_lines(dispatch: Dispatch, claim: int, export: Export, call: Call) -> None:
    lines, guid = dict(export.lines), str(uuid.uuid4())
    while attempt := _open_next(dispatch, claim, export, guid):
        failpoints.hit("exporting.after_commit")
        _send(attempt, lines[attempt.line], call)
        failpoints.hit("settle.after_commit")


def _begin(dispatch: Dispatch, claim: int, export: Export) -> Status | None:
    """T1: count the try, close what a lost worker left open, and find reasons not to send. The state to work on, if there is anything."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        change_order = change_orders.hold(export.change_order_id)
        outbox.begin(dispatch, conclude.back_off(dispatch.tries))
        if change_order.export != export.id or change_order.state not in OURS:
            outbox.finish(dispatch)
            return None
        exports.close_lost(export)
        if change_order.state is Status.EXPORTING:
            goes_on = conclude.apply(dispatch, change_order, export) and not _is_outdated(dispatch, change_order, export)
            return Status.EXPORTING if goes_on else None
        if change_order.state is Status.QUEUED and _give_up(dispatch, change_order, export):
            return None
        return change_order.state


def _give_up(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> bool:
    """Queued -> Failed where sending is out of the question (transition 18)."""
    stored = exports.stored(export)
    if findings := checks.before_send(change_order):
        who = " and ".join(dict.fromkeys(finding.who for finding in findings))
        cause = "setup" if all(finding.rule == COMPANY_SETTINGS for finding in findings) else "data"
        conclude.fail(dispatch, change_order, cause, " ".join(map(str, findings)), who=who, sent=stored)
    elif _was_out_of_reach_too_long(dispatch, export):
        conclude.fail(dispatch, change_order, "temporary", OUT_OF_REACH, sent=stored)
    elif dispatch.tries > LOST_WORKERS and not exports.attempted([export.id]):
        conclude.fail(dispatch, change_order, "setup", WORKERS_STOPPED)
    else:
        return False
    return True


def _is_outdated(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> bool:
    """Failed, before the first byte of this turn, where the frozen header is no longer what settings, job, vendor and commitment say."""
    if not (findings := outdated.findings(change_order, export)):
        return False
    text = " ".join(map(str, findings))
    conclude.fail(dispatch, change_order, "setup", text, rows=[["check", outdated.cause(export), text]], sent=exports.stored(export))
    return True


def _has_lost_its_number(dispatch: Dispatch, change_order: ChangeOrder, export: Export) -> bool:
    """Failed where another change order holds the number under the key that is about to be sent: Spectrum would merge the two."""
    try:
        spectrum_numbers.reserve(change_order, export.number)
    except spectrum_numbers.Taken as taken:
        rows = [["check", "number", str(taken)]]
        conclude.fail(dispatch, change_order, "data", str(taken), rows=rows, sent=exports.stored(export))
        return True
    return False


def _was_out_of_reach_too_long(dispatch: Dispatch, export: Export) -> bool:
    """Whether tries failed for a day, up to now. Time spent in line or behind a pause does not count: nothing was tried."""
    tries = exports.out_of_reach(export, since=dispatch.promised_at)
    now = clock.now()
    return bool(tries) and now - tries[0] > GIVE_UP and now - tries[-1] < RECENTLY


def _open_next(dispatch: Dispatch, claim: int, export: Export, guid: str) -> Attempt | None:
    """T2 and T4: conclude from what is known; if a line is left to send, commit its open attempt first."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        change_order = change_orders.hold(export.change_order_id)
        if change_order.export != export.id or change_order.state not in (Status.QUEUED, Status.EXPORTING):
            return None
        if change_order.state is Status.EXPORTING and not conclude.apply(dispatch, change_order, export):
            return None
        if Lane.is_paused(dispatch.lane):
            _pause(dispatch, change_order)
            return None
        line = exports.unsent(export)[0]
        if change_order.state is Status.QUEUED:
            if _is_outdated(dispatch, change_order, export) or _has_lost_its_number(dispatch, change_order, export):
                return None
            change_order.move(Status.EXPORTING, change_order.version)
            events.record(SUBJECT, change_order.id, Action.EXPORTING, number=export.number, line=line)
        attempt = exports.open_attempt(export, line, claim, guid)
        failpoints.hit("exporting.before_commit")
        return attempt


def _send(attempt: Attempt, elements: Mapping[str, str], call: Call) -> None:
    """Make one call; T3: record what came back, whichever worker holds the lane by now, however long the database is busy."""
    outcome, answer = calls.make(call, elements, attempt.guid)
    calls.write_down(attempt, outcome, answer)


def _pause(dispatch: Dispatch, change_order: ChangeOrder) -> None:
    if change_order.state is Status.EXPORTING:
        change_order.move(Status.QUEUED, change_order.version)
        events.record(SUBJECT, change_order.id, Action.POSTPONED, text="Exports are paused.")
    outbox.postpone(dispatch, clock.now() + conclude.BACK_OFF[0], "Exports are paused.", counts=False)
