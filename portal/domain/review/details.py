"""Everything the page of a change order shows beyond its row: findings, history, and what went to Spectrum."""

from dataclasses import dataclass
from itertools import takewhile

from portal.domain import change_orders, events
from portal.domain.events import Action, Event
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.people import User
from portal.domain.review import context, previews
from portal.domain.review.context import Context
from portal.domain.review.lists import Row
from portal.domain.review.previews import Preview, Received
from portal.domain.rules import attention, checks
from portal.domain.rules.attention import Reason
from portal.domain.rules.findings import Finding

BY_PEOPLE = (Action.RETRIED, Action.SAID_PRESENT, Action.SAID_ABSENT, Action.REJECTED, Action.ENTERED_BY_HAND)


@dataclass(frozen=True, slots=True)
class Sent:
    """One Export with its attempts, oldest first, what Spectrum receives by it, and by attempt, which person said what it says."""

    export: Export
    attempts: list[Attempt]
    received: Received
    said_by: dict[int, str]


@dataclass(frozen=True, slots=True)
class Dossier:
    """`findings` are those that matter in its present state; `sent` has the newest Export first; `preview` and `context` while it waits."""

    row: Row
    findings: list[Finding]
    history: list[Event]
    sent: list[Sent]
    preview: Preview | None
    context: Context | None

    @property
    def looks(self) -> list[Reason]:
        """Why it needs a look, while it waits."""
        return attention.reasons(self.row.change_order)

    def latest(self, action: str) -> Event | None:
        """The last event of the kind since it was sent."""
        since_sent = takewhile(lambda event: event.action != Action.SENT, reversed(self.history))
        return next((event for event in since_sent if event.action == action), None)


def of(row: Row, viewer: User) -> Dossier:
    """The dossier of the row's change order, as this person may see it."""
    change_order = row.change_order
    theirs = change_order.is_editable and not change_order.as_sent  # the findings of what is being corrected are its project's
    findings = checks.at_send(change_order) if theirs else row.findings
    exports = Export.select().where(Export.change_order == change_order).order_by(Export.id.desc())
    history = events.history(change_orders.SUBJECT, change_order.id)
    sent, around = [_sent(export, history) for export in exports], context.of(change_order, viewer) if change_order.is_ready else None
    return Dossier(row, findings, history, sent, previews.proposed(change_order), around)


def _sent(export: Export, history: list[Event]) -> Sent:
    attempts = list(Attempt.select().where(Attempt.export == export).order_by(Attempt.id))
    said_by = {attempt.id: _person(attempt, history) for attempt in attempts if attempt.kind == "person"}
    return Sent(export, attempts, previews.received(export.payload), said_by)


def _person(attempt: Attempt, history: list[Event]) -> str:
    """Whose word an attempt is: the event of it was recorded right after it, in the same transaction."""
    after = (event.actor.name for event in history if event.action in BY_PEOPLE and event.actor and event.at >= attempt.started_at)
    return next(after, "a person")
