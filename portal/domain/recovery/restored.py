"""After a restore: exports wait until what the database holds as not sent is compared with what Spectrum holds.

The exports made after the backup are in Spectrum, and the database does not know of them. Their change orders would be sent again;
and the numbers taken for them are free again, under which Spectrum would overwrite without a word. What is found there is adopted.
"""

from datetime import datetime
from typing import Any

from portal import clock
from portal.db import lock, transaction
from portal.domain import change_orders, events, lanes, outbox, people
from portal.domain.accounts import password_links, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.companies import current
from portal.domain.events import Action
from portal.domain.exporting import conclude, exports, pausing, quiet_window, verify
from portal.domain.exporting.exports import Export
from portal.domain.exporting.readback import ONE_READING, Read
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.processes import Process

RESTORED = "database restored"
SLICE = 50  # read in one turn; what else is due goes in between
NO_READ_BACK = "The portal has no read access to Spectrum. An approver must look there, and resume exports."


def hold(taken_at: datetime | None, by: str = "") -> None:
    """Right after the restore of a backup of that moment: pause exports, end what must not come back to life, promise the comparison.

    What was sent just before the restore may still be at work in Spectrum, so the comparison waits for the quiet window.
    `taken_at` is None where no one knows it any more. `by` is the address of who restored: the actor, if an administrator of this
    database; else it is recorded as it was typed.
    """
    company, now = current(), clock.now()
    with transaction():
        Lane.update(restored_at=now).where(Lane.name == company.lane).execute()
        Lane.update(paused_at=now, paused_by=None, reason=lanes.RESTORED).where(
            Lane.name == company.lane, Lane.paused_at.is_null()
        ).execute()
        sessions.end_everyones(EndReason.RESTORED)
        password_links.end_all()
        Process.delete().execute()
        _conclude_exporting()
        _skip_older(company.lane)
        key = f"restored:{now:%Y-%m-%dT%H%M%S}"
        outbox.promise(key, company.lane, Task.COMPARE_RESTORED, company.id, due_in=quiet_window.LASTS)
        facts: dict[str, Any] = {"taken_at": taken_at.isoformat(timespec="seconds")} if taken_at else {}
        person = people.find(by) if by else None
        actor = person if person and person.may_administer else None
        events.record("company", company.id, RESTORED, actor, **facts, **({} if actor or not by else {"said_by": by}))


def complete() -> None:
    """Called first by workers and keeper: hold what a restore put in place that was interrupted before it could. Else it writes nothing."""
    if not any(map(_is_interrupted, _restored_lanes())):
        return
    with transaction():
        lock(_restored_lanes(), "FOR NO KEY UPDATE")
        if any(map(_is_interrupted, _restored_lanes())):
            hold(None)


def step(dispatch: Dispatch, claim: int, read: Read | None) -> None:
    """Compare the next slice; after the last one exports go on. Raises lanes.Lost when another worker took the lane."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        outbox.begin(dispatch, conclude.back_off(dispatch.tries))
        restored_at = _restored_at(dispatch.lane)
        if read is None or restored_at is None:
            outbox.finish(dispatch, NO_READ_BACK if restored_at else "An approver resumed exports.")
            return
        if clock.now() < (quiet := restored_at + quiet_window.LASTS):
            outbox.postpone(dispatch, quiet, counts=False)
            return
    for change_order in _waiting(restored_at).limit(SLICE):
        if fault := _compare(change_order.id, claim, read):
            outbox.postpone(dispatch, clock.now() + conclude.back_off(dispatch.tries - 1), fault)
            return
    if _waiting(restored_at).exists():
        outbox.postpone(dispatch, clock.now(), counts=False)
        return
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        outbox.finish(dispatch)
        pausing.compared(dispatch.lane)


def last_export() -> str:
    """The number of the last change order that this database knows as exported, for someone who looks into Spectrum; empty for none."""
    ended = (exports.Attempt.outcome.in_(exports.STORED)) & exports.Attempt.ended_at.is_null(False)
    last = Export.select().join(exports.Attempt).where(ended).order_by(exports.Attempt.ended_at.desc()).first()
    return str(last.number) if last else ""


def _restored_lanes() -> Any:
    by_restore = Lane.paused_by.is_null() & (Lane.reason == lanes.RESTORED)
    return Lane.select().where(Lane.restored_at.is_null(False) | by_restore)


def _is_interrupted(lane: Lane) -> bool:
    """Whether the comparison was not promised since the restore; `hold` does all of it in one transaction."""
    if lane.restored_at is None:
        return True
    since = Dispatch.task == Task.COMPARE_RESTORED, Dispatch.lane == lane.name, Dispatch.promised_at >= lane.restored_at
    return not Dispatch.select().where(*since).exists()


def _conclude_exporting() -> None:
    """What stood between two lines goes back in line: what was sent of it after the backup is looked up like all that waits.

    An open attempt is left to the worker, which reads back before it sends more.
    """
    for one in ChangeOrder.select().where(ChangeOrder.status == Status.EXPORTING):
        change_order = change_orders.hold(one.id)
        export = Export.get_by_id(change_order.export)
        if exports.is_open(export) or not conclude.apply(Dispatch.get(Dispatch.key == export.key), change_order, export):
            continue
        change_order.move(Status.QUEUED, change_order.version)
        events.record(SUBJECT, change_order.id, Action.POSTPONED, text="The database was restored from a backup.")


def _skip_older(lane: str) -> None:
    """A comparison that was promised before the backup would not wait for the quiet window."""
    older = Dispatch.task == Task.COMPARE_RESTORED, Dispatch.lane == lane, Dispatch.finished_at.is_null()
    for dispatch in Dispatch.select().where(*older):
        outbox.finish(dispatch, "The database was restored again.", DispatchOutcome.SKIPPED)


def _restored_at(lane: str) -> datetime | None:
    """A moment that a clock ran ahead to is now: the quiet window restarts when that is noticed."""
    now = clock.now()
    Lane.update(restored_at=now).where(Lane.name == lane, Lane.restored_at > now).execute()
    moment: datetime | None = Lane.get_by_id(lane).restored_at
    return moment


def _waiting(restored_at: datetime) -> Any:
    """What is queued and was not compared since; an unknown outcome is found out by itself, with readings of its own."""
    not_yet = ChangeOrder.compared_at.is_null() | (ChangeOrder.compared_at < restored_at)
    return ChangeOrder.select().where(ChangeOrder.status == Status.QUEUED, not_yet).order_by(ChangeOrder.id)


def _compare(id: int, claim: int, read: Read) -> str:
    """Adopt what is in Spectrum already; answers why it could not be read, or an empty text."""
    export = Export.get_by_id(change_orders.load(id).export)
    found = verify.look_first(Dispatch.get(Dispatch.key == export.key), claim, export, read)
    if not found and (change_order := change_orders.load(id)).state is Status.QUEUED and change_order.export == export.id:
        return str(Dispatch.get(Dispatch.key == export.key).error)
    ChangeOrder.update(compared_at=clock.now()).where(ChangeOrder.id == id).execute()
    return ""
