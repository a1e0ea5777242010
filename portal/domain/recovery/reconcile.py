"""The nightly comparison: does Spectrum still hold what the portal exported? The last net, and the only one under a restored database.

It finds what no rule can prevent: a request that Spectrum stored long after we gave it up, and what someone changed or
removed there by hand. It changes no state; it says so on the change order, in its history and by mail.
"""

from datetime import datetime, time, timedelta

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, events, outbox, schedule
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.companies import current
from portal.domain.events import Action
from portal.domain.exporting import alerts, conclude, readback
from portal.domain.exporting.exports import Export
from portal.domain.exporting.readback import ONE_READING, Read, Readback
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task

NIGHT = time(3, 0)  # in the company's zone
LOOKED_BACK = timedelta(days=35)  # a month end and some days
SLICE = 50  # read in one turn; exports that are due go in between
EXPIRES = timedelta(hours=20)  # the next night has its own


def plan() -> None:
    """Promise the comparison of the coming night."""
    schedule.plan("compare", current(), NIGHT, Task.COMPARE)


def step(dispatch: Dispatch, claim: int, read: Read | None) -> None:
    """Compare the next slice. Raises lanes.Lost when another worker took the lane."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_READING)
        outbox.begin(dispatch, conclude.back_off(dispatch.tries))
        night = schedule.began(dispatch.key, current(), NIGHT)
        if read is None or clock.now() - night > EXPIRES:
            outbox.finish(dispatch, "Reading back is off." if read is None else "It took until the next night.")
            return
    waiting = _waiting(night)
    for change_order in waiting[:SLICE]:
        export = Export.get_by_id(change_order.export)
        reading = readback.look(export, read)
        if reading.failed:
            outbox.postpone(dispatch, clock.now() + conclude.back_off(dispatch.tries - 1), reading.failed)
            return
        with transaction():
            Lane.renew(dispatch.lane, claim, ONE_READING)
            _keep(change_order.id, export, reading)
    if len(waiting) > SLICE:
        outbox.postpone(dispatch, clock.now(), counts=False)
    else:
        outbox.finish(dispatch)


def _waiting(night: datetime) -> list[ChangeOrder]:
    """What the portal exported of late and did not compare in this night; a slice, and one more if there is more."""
    query = ChangeOrder.select().where(
        ChangeOrder.status == Status.EXPORTED,
        ~ChangeOrder.manual,
        ChangeOrder.export.is_null(False),
        ChangeOrder.decided_at > clock.now() - LOOKED_BACK,
        ChangeOrder.compared_at.is_null() | (ChangeOrder.compared_at < night),
    )
    return list(query.order_by(ChangeOrder.id).limit(SLICE + 1))


def _keep(id: int, export: Export, reading: Readback) -> None:
    """Note the comparison, and tell when its result is another one than before. Not a write that a person could have overtaken."""
    change_order = change_orders.load(id)
    if change_order.state is not Status.EXPORTED or change_order.export != export.id:
        return
    differs = "" if reading.verdict == "equal" else readback.in_words(export, reading)
    ChangeOrder.update(compared_at=clock.now(), differs=differs).where(ChangeOrder.id == id).execute()
    if differs and differs != change_order.differs:
        alerts.ring(alerts.DIFFERS)
        facts = readback.both(export, reading)
        events.record(SUBJECT, id, Action.DIFFERS, number=export.number, text=differs, ours=facts["ours"], theirs=facts["theirs"])
    elif change_order.differs and not differs:
        events.record(SUBJECT, id, Action.AGREES_AGAIN, number=export.number)
