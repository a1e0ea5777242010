"""Everything the page of a change order shows beyond its row: findings, history, and what went to Spectrum."""

from dataclasses import dataclass

from portal.domain import change_orders, checks, events, previews
from portal.domain.checks import Finding
from portal.domain.events import Event
from portal.domain.exports import Attempt, Export
from portal.domain.lists import Row
from portal.domain.previews import Preview, Received


@dataclass(frozen=True, slots=True)
class Sent:
    """One Export with its attempts, oldest first, and what Spectrum receives by it."""

    export: Export
    attempts: list[Attempt]
    received: Received


@dataclass(frozen=True, slots=True)
class Dossier:
    """`findings` are those that matter in its present state; `sent` has the newest Export first; `preview` while it waits."""

    row: Row
    findings: list[Finding]
    history: list[Event]
    sent: list[Sent]
    preview: Preview | None


def of(row: Row) -> Dossier:
    """The dossier of the row's change order."""
    change_order = row.change_order
    theirs = change_order.is_editable and not change_order.as_sent  # the findings of what is being corrected are its project's
    findings = checks.at_send(change_order) if theirs else row.findings
    exports = Export.select().where(Export.change_order == change_order).order_by(Export.id.desc())
    history = events.history(change_orders.SUBJECT, change_order.id)
    return Dossier(row, findings, history, [_sent(export) for export in exports], previews.proposed(change_order))


def _sent(export: Export) -> Sent:
    attempts = list(Attempt.select().where(Attempt.export == export).order_by(Attempt.id))
    return Sent(export, attempts, previews.received(export.draft))
