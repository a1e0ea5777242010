"""Reading back: what Spectrum holds under our number, before anything is sent, and after an outcome no one knows.

"It is there" is believed at once. "It is not there" means nothing while the first request may still be at work: it
counts only after the quiet window, and only when two readings, well apart, say so.
"""

from datetime import datetime, timedelta

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action
from portal.domain.exporting import alerts, conclude, exports, quiet_window, readback
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.exporting.readback import ONE_READING, Read, Readback
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch

BETWEEN = timedelta(minutes=5)  # at least, between two readings that say "not there"
MOST_SENDS = 4  # of one line, since Accept or the last Retry


def look_first(dispatch: Dispatch, claim: int, export: Export, read: Read) -> bool:
    """Queued: what is there already is not sent (transition 19 when that is everything). True: go on and send."""
    reading = readback.look(export, read)
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        change_order = change_orders.hold(export.change_order_id)
        if change_order.export != export.id or change_order.state is not Status.QUEUED:
            return False
        if reading.failed:
            readback.note(export, exports.unsent(export), LineOutcome.NO_READING, reading.at, reading.failed)
            outbox.postpone(dispatch, clock.now() + conclude.back_off(dispatch.tries - 1), reading.failed)
            return False
        if not reading.is_ours:
            _foreign(dispatch, change_order, export, reading)
            return False
        readback.note(export, [line for line in exports.unsent(export) if line in reading.present], LineOutcome.PRESENT, reading.at)
        return bool(exports.unsent(export)) or conclude.apply(dispatch, change_order, export, completed=Action.ADOPTED)


def answer(dispatch: Dispatch, claim: int, read: Read | None) -> None:
    """Someone asked to look: say what Spectrum holds, and where the outcome is unknown, conclude from it. Raises lanes.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        outbox.begin(dispatch, ONE_READING)
        export = Export.get_by_id(dispatch.subject)
    if read is None:
        outbox.finish(dispatch, "Reading back is off.")
        return
    reading = readback.look(export, read)
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        change_orders.hold(export.change_order_id)
        outbox.finish(dispatch)
        outbox.reopen(export.key)  # a pending export finds out for itself that there is nothing to do any more
        found = readback.in_words(export, reading)
        events.record(SUBJECT, export.change_order_id, Action.LOOKED_UP, number=export.number, verdict=reading.verdict, found=found)
        _settle(Dispatch.get(Dispatch.key == export.key), claim, export, reading)


def verify(dispatch: Dispatch, claim: int, export: Export, read: Read | None) -> None:
    """Unknown: find out by reading back, or by sending again where the company has recorded that this replaces; else a person decides."""
    reading = readback.look(export, read) if read else None
    with transaction():
        _settle(dispatch, claim, export, reading)


def _settle(dispatch: Dispatch, claim: int, export: Export, reading: Readback | None) -> None:
    Lane.renew(dispatch.lane, claim, ONE_READING)
    change_order = change_orders.hold(export.change_order_id)
    if change_order.export != export.id or change_order.state is not Status.UNKNOWN:
        return
    quiet_window.notice(Attempt.export == export)
    uncertain = exports.uncertain_lines(export)
    if not uncertain:  # an answer that came late has said it
        conclude.apply(dispatch, change_order, export)
    elif reading:
        _conclude(dispatch, change_order, export, reading, uncertain)
    else:
        _send_again(dispatch, change_order, export, uncertain)


def _conclude(dispatch: Dispatch, change_order: ChangeOrder, export: Export, reading: Readback, uncertain: list[int]) -> None:
    quiet, there = quiet_window.until(export), set(uncertain) & reading.present
    if reading.failed:
        readback.note(export, uncertain, LineOutcome.NO_READING, reading.at, reading.failed)
        outbox.postpone(dispatch, clock.now() + conclude.back_off(dispatch.tries - 1), reading.failed)
    elif reading.is_ours and there == set(uncertain):
        readback.note(export, uncertain, LineOutcome.PRESENT, reading.at)
        conclude.apply(dispatch, change_order, export, completed=Action.FOUND)
    elif reading.at < quiet:
        readback.note(export, uncertain, LineOutcome.NOT_SEEN, reading.at)
        outbox.postpone(dispatch, quiet, "Not in Spectrum yet.")
    elif not reading.is_ours:
        _foreign(dispatch, change_order, export, reading)
    else:
        readback.note(export, there, LineOutcome.PRESENT, reading.at)
        _absent(dispatch, change_order, export, reading.at, [line for line in uncertain if line not in there])


def _absent(dispatch: Dispatch, change_order: ChangeOrder, export: Export, at: datetime, missing: list[int]) -> None:
    """A reading after the quiet window did not show the lines: the second of its kind is believed."""
    before = readback.not_seen(export, since=quiet_window.until(export), until=at - BETWEEN)
    if not set(missing) <= before:
        readback.note(export, missing, LineOutcome.NOT_SEEN, at)
        outbox.postpone(dispatch, at + BETWEEN, "Not in Spectrum at the first check; a second check decides.")
    elif not _was_sent_too_often(dispatch, change_order, export, missing):
        readback.note(export, missing, LineOutcome.ABSENT, at)
        conclude.apply(dispatch, change_order, export)


def _send_again(dispatch: Dispatch, change_order: ChangeOrder, export: Export, uncertain: list[int]) -> None:
    """Without a read-back: the same frozen elements under the same number, after the quiet window, if resending replaces."""
    quiet = quiet_window.until(export)
    if not change_order.company.resending_replaces:
        outbox.finish(dispatch, f"The portal has no read access to Spectrum. Someone in accounting must look up {export.number}.")
        alerts.ring(alerts.UNKNOWN)
    elif clock.now() < quiet:
        outbox.postpone(dispatch, quiet)
    elif not _was_sent_too_often(dispatch, change_order, export, uncertain):
        exports.record_outcome(export, uncertain, LineOutcome.AGAIN, kind="rule")
        conclude.apply(dispatch, change_order, export)


def _was_sent_too_often(dispatch: Dispatch, change_order: ChangeOrder, export: Export, lines: list[int]) -> bool:
    sends = exports.sends(export)
    if all(sends[line] < MOST_SENDS for line in lines):
        return False
    text = f"It was sent {MOST_SENDS} times and the outcome is still unknown. Someone in accounting must look up {export.number}."
    outbox.finish(dispatch, text)
    alerts.ring(alerts.UNKNOWN)
    events.record(SUBJECT, change_order.id, Action.VERIFICATION_ENDED, text=text, who="accounting", sent=exports.stored(export))
    return True


def _foreign(dispatch: Dispatch, change_order: ChangeOrder, export: Export, reading: Readback) -> None:
    text = f"The number {export.number} is already used in Spectrum for something else, or its amounts there are not ours."
    conclude.fail(
        dispatch,
        change_order,
        "data",
        text,
        rows=[["check", "number", text]],
        sent=exports.stored(export),
        **readback.both(export, reading),
    )
