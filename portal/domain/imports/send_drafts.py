"""The drafts of an import, sent to accounting together: each by itself and as it was seen; what cannot go stays, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from portal.db import Busy, transaction
from portal.domain import change_orders, events
from portal.domain.change_orders import EDITABLE, ChangeOrder, Overtaken, Status
from portal.domain.commitments import Job
from portal.domain.events import Action
from portal.domain.imports import staging
from portal.domain.imports.staging import ImportResult, RowOutcome
from portal.domain.people import Membership, NotPermitted, User
from portal.domain.projects import revisions, sending
from portal.domain.projects.statements import SENT_BACK
from portal.domain.rules import checks, duplicates, spectrum_lists
from portal.domain.rules.findings import Blocked

MOST = 50
CHANGED = "Someone changed it meanwhile. Check it, then send it."
Seen = Sequence[tuple[int, int]]  # change orders, each with the version that the page showed


@dataclass(frozen=True, slots=True)
class Waiting:
    """One change order of an import that is with the project. `why_not`: why this person cannot send it as it is, or an empty text."""

    change_order: ChangeOrder
    is_member: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Those shown, what can be sent first; `more` are not shown."""

    rows: list[Waiting]
    more: int

    @property
    def sendable(self) -> list[ChangeOrder]:
        return [row.change_order for row in self.rows if not row.why_not]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one of them; `why_not` is empty where it was sent."""

    change_order: ChangeOrder
    why_not: str


def waiting(origin: int, viewer: User) -> Listed:
    """What came of the import and is with the project, as far as this person may see it.

    In a number of queries that does not grow with them, but for one for each of those shown that a rule blocks.
    """
    jobs: Any = Membership.select(Membership.job).where(Membership.user == viewer)
    theirs = Job.id.in_(jobs)
    seen = theirs | (ChangeOrder.created_by == viewer)
    if viewer.may_look:
        seen |= ChangeOrder.sent_at.is_null(False)
    query = change_orders.complete().where(ChangeOrder.id.in_(_made_by(origin)), ChangeOrder.status.in_(EDITABLE), seen)
    can_go = theirs & (ChangeOrder.checks != "block")
    ahead = peewee.Case(None, ((can_go & (ChangeOrder.status == Status.DRAFT), 0), (can_go, 1)), 2)  # what has to wait hides nothing
    found = change_orders.with_lines(query.order_by(ahead, ChangeOrder.id).limit(MOST))
    return Listed(_judged(found, {job for (job,) in jobs.tuples()}, viewer), query.count() - len(found))


def send(origin: int, by: User, seen: Seen) -> list[Result]:
    """Send those that are still as they were seen, each in a transaction of its own, where rights are read.

    Raises ValueError for too many, and for what did not come of the import.
    """
    made = {id for (id,) in _made_by(origin).where(ImportResult.change_order.in_([id for id, _ in seen])).tuples()}
    if len(seen) > MOST or not made.issuperset(id for id, _ in seen):
        raise ValueError("These are not change orders of this import.")
    told: list[tuple[int, str]] = []
    why_not: str | Busy = ""
    for id, version in seen:
        if not isinstance(why_not, Busy):
            why_not = _send(id, by, version)
        told.append((id, str(why_not)))
    named = {one.id: one for one in change_orders.complete().where(ChangeOrder.id.in_(made))}
    return [Result(named[id], why) for id, why in told]


def _send(id: int, by: User, version: int) -> str | Busy:
    """Why it was not sent, or an empty text; Busy where the next ones would wait as long."""
    try:
        sending.send(id, by, version)
    except Overtaken as error:
        now = error.change_order
        return CHANGED if now.is_editable else f"It is no longer with the project. It is now: {now.label}."
    except NotPermitted as error:
        return str(error)
    except Blocked as error:
        with transaction():
            staging.judge(id)
        return str(error)
    except Busy as error:
        return error
    return ""


def _made_by(origin: int) -> Any:
    return ImportResult.select(ImportResult.change_order).where(ImportResult.origin == origin, ImportResult.outcome != RowOutcome.LEFT)


def _judged(found: list[ChangeOrder], jobs: set[int], viewer: User) -> list[Waiting]:
    """Each with what stands in the way: membership, a rule, or that it was sent back and nothing has changed since."""
    revisions.show_as_sent(found, viewer)
    back = [one.id for one in found if one.state in SENT_BACK]
    last = events.latest(change_orders.SUBJECT, back, of=(Action.EDITED, *(status.value for status in SENT_BACK)))
    held = [one for one in found if one.checks == "block" and one.job.id in jobs]
    known, alike = spectrum_lists.known(held), duplicates.of(held)
    rows = []
    for one in found:
        why_not = ""
        if one.job.id not in jobs:
            why_not = sending.NO_MEMBER.format(one.job.number)
        elif one.id in last and last[one.id].action != Action.EDITED:
            why_not = staging.unchanged(one)
        elif one.id in known:
            why_not = str(Blocked(checks.at_send(one, known[one.id], alike[one.id])))
        rows.append(Waiting(one, one.job.id in jobs, why_not))
    return rows
