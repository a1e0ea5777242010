"""States as they are, beside the last events that tell of them: a state that no event gave was written around the portal."""

from collections.abc import Iterator
from typing import Any

from portal import db
from portal.domain import events
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action, Event

BATCH = 500  # change orders in memory at a time
MOST_NAMED = 50
GIVES: dict[str, Status] = {
    Action.CREATED: Status.DRAFT,
    Action.SENT: Status.READY,
    Action.RECALLED: Status.READY,
    Action.REVIEWED_AGAIN: Status.READY,
    Action.RETRIEVED: Status.RETRIEVED,
    Action.UNLINKED: Status.RETRIEVED,
    Action.VOIDED: Status.VOID,
    Action.REJECTED: Status.REJECTED,
    Action.ACCEPTED: Status.QUEUED,
    Action.RETRIED: Status.QUEUED,
    Action.QUEUED_AGAIN: Status.QUEUED,
    Action.POSTPONED: Status.QUEUED,
    Action.EXPORTING: Status.EXPORTING,
    Action.EXPORTED: Status.EXPORTED,
    Action.ADOPTED: Status.EXPORTED,
    Action.FOUND: Status.EXPORTED,
    Action.ENTERED_BY_HAND: Status.EXPORTED,
    Action.SAID_PRESENT: Status.EXPORTED,
    Action.FAILED: Status.FAILED,
    Action.SAID_ABSENT: Status.FAILED,
    Action.LEFT_AS_WORKBOOK: Status.FAILED,
    Action.OUTCOME_UNKNOWN: Status.UNKNOWN,
}


def differences() -> list[str]:
    """A sentence for each change order that is in another state than its last event says; those without an event are left out."""
    found = [sentence for ids in _batches() for sentence in _differing(ids)]
    more = len(found) - MOST_NAMED
    return found[:MOST_NAMED] + ([f"{more:,} more change orders are in another state than their last event says."] if more > 0 else [])


def _differing(ids: list[int]) -> list[str]:
    if not _compared(ids):
        return []
    with db.transaction():  # once more, while no one moves one between the two reads
        return [_sentence(*one) for one in _compared(ids)]


def _compared(ids: list[int]) -> list[tuple[ChangeOrder, Status]]:
    last = events.latest(SUBJECT, ids, of=tuple(GIVES))
    rows: Any = ChangeOrder.select(ChangeOrder.id, ChangeOrder.number, ChangeOrder.status).where(ChangeOrder.id.in_(list(last)))
    told = ((row, _state_after(last[row.id])) for row in rows.order_by(ChangeOrder.id))
    return [(row, status) for row, status in told if row.status != status]


def _state_after(event: Event) -> Status:
    half = event.action == Action.SAID_PRESENT and "cause" in event.facts  # some lines were never sent
    return Status.FAILED if half else GIVES[event.action]


def _batches() -> Iterator[list[int]]:
    after = 0
    while ids := _ids(after):
        yield ids
        after = ids[-1]


def _ids(after: int) -> list[int]:
    rows: Any = ChangeOrder.select(ChangeOrder.id).where(ChangeOrder.id > after).order_by(ChangeOrder.id).limit(BATCH)
    return [id for (id,) in rows.tuples()]


def _sentence(row: ChangeOrder, told: Status) -> str:
    here = Status(row.status).label if row.status in list(Status) else row.status
    return f"CCO {row.number} (id {row.id}): the state is {here}, but the last event says {told.label}. It was changed around the portal."
