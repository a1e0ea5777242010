"""Everything the page of a change order shows beyond its row: findings, history, and what went to Spectrum."""

from dataclasses import dataclass

from portal.domain import checks, deciding, events
from portal.domain.checks import Finding
from portal.domain.events import Event
from portal.domain.exports import Attempt, Export
from portal.domain.lists import Row
from portal.spectrum import records

FINE = "G"  # Spectrum's code for "stored": nothing to explain


@dataclass(frozen=True, slots=True)
class Sent:
    """One Export with its attempts, oldest first.

    common   elements that say the same in every line, empty ones left out
    varying  names of the elements in which lines differ
    lines    position, and the values of `varying`
    """

    export: Export
    attempts: list[Attempt]
    common: dict[str, str]
    varying: list[str]
    lines: list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """`findings` are those that matter in its present state; `sent` has the newest Export first."""

    row: Row
    findings: list[Finding]
    history: list[Event]
    sent: list[Sent]


def of(row: Row) -> Dossier:
    """The dossier of the row's change order."""
    change_order = row.change_order
    findings = checks.at_send(change_order) if change_order.is_editable else row.findings
    exports = Export.select().where(Export.change_order == change_order).order_by(Export.id.desc())
    return Dossier(row, findings, events.history(deciding.SUBJECT, change_order.id), [_sent(export) for export in exports])


def explain(attempt: Attempt) -> list[str]:
    """What Spectrum answered, as sentences for a clerk; empty when it just stored the line."""
    return [records.explain(code, column, text) for code, column, text in attempt.rows if code != FINE]


def _sent(export: Export) -> Sent:
    lines = export.lines
    names = list(lines[0][1])
    differing = [name for name in names if len({elements[name] for _, elements in lines}) > 1]
    common = {name: lines[0][1][name] for name in names if name not in differing and lines[0][1][name]}
    values = [(position, [elements[name] for name in differing]) for position, elements in lines]
    attempts = list(Attempt.select().where(Attempt.export == export).order_by(Attempt.id))
    return Sent(export, attempts, common, differing, values)
