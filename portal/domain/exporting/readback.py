"""A look into Spectrum: what it holds under the number of an Export, beside what was sent, and the look as evidence."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal import clock, failpoints
from portal.db import transaction
from portal.domain import change_orders, outbox, people
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.outbox import Task
from portal.domain.people import NotPermitted, User
from portal.spectrum import records

ONE_READING = timedelta(seconds=60)  # connecting and the query have time-outs of 10 and 30 s
LOOKUP_STATES = (Status.UNKNOWN, Status.FAILED, Status.EXPORTED)
VERDICTS = {
    "absent": "Spectrum holds nothing under {number}.",
    "equal": "Spectrum holds exactly what was sent as {number}.",
    "part": "Spectrum holds some of the lines of {number} and nothing else.",
    "different": "Spectrum holds something else under {number}, or other amounts.",
}

# What Spectrum holds of the change request that the elements name; None when there is none. Raises Unanswered.
Read = Callable[[Mapping[str, str]], records.Stored | None]


@dataclass(frozen=True, slots=True)
class Readback:
    """One look at an Export in Spectrum. `at` is when it began; `failed` says why it could not be read, else an empty text."""

    at: datetime
    verdict: str = ""
    present: frozenset[int] = frozenset()  # lines that are there with their amounts
    held: tuple[records.StoredLine, ...] = ()
    failed: str = ""

    @property
    def is_ours(self) -> bool:
        """Nothing is there but lines of ours."""
        return self.verdict in ("absent", "equal", "part")


def ask(id: int, by: User) -> ChangeOrder:
    """Have the worker look; it changes nothing by itself, and an unknown outcome may settle by it.

    Raises NotPermitted, or Overtaken where nothing was exported.
    """
    with transaction():
        by, change_order = people.as_held(by), change_orders.hold(id)
        if not by.may_support:
            raise NotPermitted("Looking into Spectrum needs level Standard or higher.")
        if change_order.state not in LOOKUP_STATES or change_order.export is None:
            raise Overtaken(change_order)
        outbox.promise_again(key(change_order.export), change_order.company.lane, Task.READ_BACK, change_order.export)
        return change_order


def key(export: int | None) -> str:
    """The key of the promise to look an Export up in Spectrum."""
    return f"read-back:{export}"


def look(export: Export, read: Read) -> Readback:
    """Read Spectrum, outside any transaction."""
    at, lines = clock.now(), export.lines
    try:
        stored = read(lines[0][1])
    except records.Unanswered as error:
        return Readback(at, failed=str(error))
    finally:
        failpoints.hit("verify.after_read")
    compared = records.compare([records.StoredLine.sent(elements) for _, elements in lines], stored)
    present = frozenset(position for (position, _), there in zip(lines, compared.present, strict=True) if there)
    return Readback(at, compared.verdict, present, stored.lines if stored else ())


def in_words(export: Export, reading: Readback) -> str:
    """What the look has shown, as a sentence."""
    return reading.failed or VERDICTS[reading.verdict].format(number=export.number)


def both(export: Export, reading: Readback) -> dict[str, list[str]]:
    """Our lines and those in Spectrum, for an event."""
    ours = [records.StoredLine.sent(elements) for _, elements in export.lines]
    return {"ours": list(map(_line_text, ours)), "theirs": list(map(_line_text, reading.held))}


def _line_text(line: records.StoredLine) -> str:
    return f"{line.phase_code} {line.cost_type} {line.amount:,.2f}"


def note(export: Export, lines: Iterable[int], outcome: LineOutcome, at: datetime, said: str = "") -> None:
    """Write down what one look into Spectrum, begun at `at`, says of each line. `said`: why it could not be read."""
    codes = json.dumps([["connect", "infolink", said]] if said else [])
    for line in lines:
        Attempt.create(export=export, line=line, kind="read", claim=0, started_at=at, ended_at=clock.now(), outcome=outcome, codes=codes)


def not_seen(export: Export, since: datetime, until: datetime) -> set[int]:
    """The lines that a reading begun between the two moments did not show."""
    readings = Attempt.select(Attempt.line).where(
        Attempt.export == export,
        Attempt.kind == "read",
        Attempt.outcome == LineOutcome.NOT_SEEN,
        Attempt.started_at >= since,
        Attempt.started_at <= until,
    )
    return {reading.line for reading in readings}
