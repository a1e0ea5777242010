"""The way round a closed web service: what waits unsent leaves as a workbook, and so never leaves through the lane as well."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, companies, events, outbox, people
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.events import Action, Event
from portal.domain.exporting import failure_causes, outdated
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.exporting.payload import Payload
from portal.domain.people import NotPermitted, User
from portal.domain.rules.findings import ACCOUNTING

IN_WORKBOOK = "Left as a workbook, to be entered in Spectrum from there. The portal sent nothing."
IN_SPECTRUM = (LineOutcome.SENT, LineOutcome.PRESENT, LineOutcome.UNKNOWN, LineOutcome.LOST)  # or perhaps there: not for a second hand
NAME = re.compile(r"spectrum-[0-9]{8}-[0-9]{6}(-[0-9]+)?\.xlsx", re.ASCII)


@dataclass(frozen=True, slots=True)
class Left:
    """A change order in a workbook, with what was frozen for Spectrum."""

    change_order: ChangeOrder
    number: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Workbook:
    name: str
    left: list[Left]
    content: bytes


Write = Callable[[list[Left]], bytes]  # handed in, since the domain knows no file format


def why_not(by: User) -> str:
    """Why this person may not take change orders out of the line, or an empty text."""
    if by.may_administer and by.may_decide:
        return ""
    return "Only an administrator with ‘Can Push to Accounting’ takes change orders out of the line."


def leave(by: User, write: Write, keep: Callable[[str, bytes], None] = lambda name, content: None) -> Workbook | None:
    """Queued -> Failed (setup) for everything that waits and was never sent, all of it in one workbook; None when nothing waits so.

    The moves come first and the file is made of exactly what moved; if `write` or `keep` fails, nothing moved. What a
    worker picks up meanwhile stays with the worker. Raises NotPermitted.
    """
    with transaction():
        by = people.as_held(by)
        if why := why_not(by):
            raise NotPermitted(why)
        left = _left([change_order for change_order in _waiting() if _moved(change_order)])
        if not left:
            return None
        for one in left:
            outbox.withdraw(f"export:{one.change_order.export}")
        name, content = _free_name(), write(left)
        keep(name, content)
        _record(left, by, name)
        return Workbook(name, left, content)


def again(name: str, by: User, write: Write) -> Workbook | None:
    """The workbook once more: those of its change orders that still stand where it left them. None if there is none.

    Raises NotPermitted.
    """
    if why := why_not(by):
        raise NotPermitted(why)
    ids: list[int] = next((event.facts["change_orders"] for event in _workbooks() if event.facts["workbook"] == name), [])
    found = {one.id: one for one in change_orders.with_lines(change_orders.complete().where(ChangeOrder.id.in_(ids)))}
    last = events.latest(change_orders.SUBJECT, ids)
    still = [found[id] for id in ids if last[id].action == Action.LEFT_AS_WORKBOOK and last[id].facts["workbook"] == name]
    left = _left(still)
    return Workbook(name, left, write(left)) if left else None


def _waiting() -> list[ChangeOrder]:
    """What is queued and of which no line is, or may be, in Spectrum; in the order in which it would be sent.

    What was accepted under settings or codes that have changed since stays in line, and fails when its turn comes: no one
    should enter it by hand under the old ones.
    """
    touched = Attempt.select(Attempt.export).where(Attempt.outcome.in_(IN_SPECTRUM) | Attempt.ended_at.is_null())
    query = change_orders.complete().where(ChangeOrder.status == Status.QUEUED, ChangeOrder.export.not_in(touched))
    waiting = change_orders.with_lines(query.order_by(ChangeOrder.decided_at, ChangeOrder.id))
    frozen = {export.id: export for export in Export.select().where(Export.id.in_([one.export for one in waiting]))}
    return [one for one in waiting if not outdated.changes(one, frozen[one.export])]


def _moved(change_order: ChangeOrder) -> bool:
    """Transition 20 of one change order; False when a worker was quicker."""
    try:
        why = failure_causes.columns(change_order, "setup", IN_WORKBOOK, who=ACCOUNTING)
        change_order.move(Status.FAILED, change_order.version, **why)
    except Overtaken:
        return False
    return True


def _left(moved: list[ChangeOrder]) -> list[Left]:
    frozen = {export.id: export for export in Export.select().where(Export.id.in_([one.export for one in moved]))}
    return [Left(one, frozen[one.export].number, frozen[one.export].payload) for one in moved]


def _record(left: list[Left], by: User, name: str) -> None:
    """After all moves, so that the lock on the chain of events is held for as short as can be."""
    text = f"Left as the workbook {name}, to be entered in Spectrum from there. The portal sent nothing."
    for one in left:
        events.record(
            change_orders.SUBJECT,
            one.change_order.id,
            Action.LEFT_AS_WORKBOOK,
            by,
            cause="setup",
            text=text,
            who="accounting",
            workbook=name,
            number=one.number,
        )
    ids = [one.change_order.id for one in left]
    events.record("company", companies.current().id, Action.LEFT_AS_WORKBOOK, by, workbook=name, change_orders=ids)


def _workbooks() -> list[Event]:
    return [event for event in events.history("company", companies.current().id) if event.action == Action.LEFT_AS_WORKBOOK]


def _free_name() -> str:
    """A name by the second it is made in, with a count where a second has two."""
    stem = f"spectrum-{clock.now():%Y%m%d-%H%M%S}"
    taken = {event.facts["workbook"] for event in _workbooks()}
    names = [f"{stem}.xlsx", *(f"{stem}-{n}.xlsx" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
