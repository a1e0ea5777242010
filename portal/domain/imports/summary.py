"""What an import did, in numbers and names: for the command, and for a preview."""

from dataclasses import dataclass, field

from portal.domain.imports import entries
from portal.domain.imports.staging import Import, RowOutcome, name_of, rows_of


@dataclass(slots=True)
class Summary:
    """What an import did. `left` and `not_sent`: which change order, and why. `joined`: jobs the sender became a member of.

    alike   what is left out because it looks like something here: its place in the file, its name, and what it looks like
    misread what is left out because Excel may have made its codes, likewise
    shown   the first that are new or changed, for a preview: outcome, name, title, amount, currency where it is not that of the books
    """

    counts: dict[RowOutcome, int] = field(default_factory=lambda: dict.fromkeys(RowOutcome, 0))
    sent: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    not_sent: list[tuple[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    shown: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    alike: list[tuple[str, str, str]] = field(default_factory=list)
    misread: list[tuple[str, str, str]] = field(default_factory=list)


def summary_of(origin: Import) -> Summary:
    summary = Summary()
    for row in rows_of(origin).iterator():
        summary.counts[RowOutcome(row.outcome)] += 1
        summary.sent += bool(row.sent)
        if row.outcome == RowOutcome.LEFT:
            summary.left.append((name_of(entries.load(row.content)), row.note))
        elif row.sent is False:
            summary.not_sent.append((name_of(entries.load(row.content)), row.note))
    return summary
