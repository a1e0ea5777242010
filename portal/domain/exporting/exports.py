"""What leaves for Spectrum: the frozen Export of an accepted change order, and the attempts to send its lines."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.db.rows import read
from portal.db.steps import Asks, Steps
from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting import payload
from portal.domain.exporting.payload import Payload
from portal.domain.wording import Wording

FORMAT = "ARChangeRequest/1"


class LineOutcome(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    LOST = "lost"  # the worker was gone before it could say
    PRESENT = "present"  # found in Spectrum, by a read or by a person
    ABSENT = "absent"  # not in Spectrum: a person looked, or a second reading after the quiet window
    AGAIN = "again"  # to be sent again: a person asked for it, or the company recorded that resending replaces
    NOT_SEEN = "not seen"  # a reading that decides nothing by itself
    NO_READING = "no reading"  # Spectrum could not be read back


UNCERTAIN = (LineOutcome.UNKNOWN, LineOutcome.LOST)
STORED = (LineOutcome.SENT, LineOutcome.PRESENT)
UNDECIDED = (LineOutcome.NOT_SEEN, LineOutcome.NO_READING)  # kept as evidence, never a line's state
SENDS = ("send", "late")


class Export(Model):
    """The lines of one accepted revision, exactly as every send of them will be. Never changed.

    number  the Spectrum change request number
    frozen  JSON {header, lines: [{position, elements}], skipped: [position]} with Spectrum's element names; elements
            3-56 of the call, zero lines left out
    """

    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="exports")
    change_order_id: int
    revision = peewee.IntegerField()
    number = peewee.CharField(max_length=8)
    format = peewee.CharField(default=FORMAT)
    frozen = peewee.TextField()
    sha256 = peewee.CharField(max_length=64)
    created_at = UtcField(default=clock.now)

    @property
    def key(self) -> str:
        """The key of the promise to send it."""
        return key(self.id)

    @property
    def payload(self) -> Payload:
        """What was frozen."""
        frozen = json.loads(self.frozen)
        lines = [(line["position"], line["elements"]) for line in frozen["lines"]]
        return Payload(frozen["header"], lines, frozen["skipped"])

    @property
    def lines(self) -> list[tuple[int, dict[str, str]]]:
        """Position and elements 3-56 of each line to send, in order."""
        drawn = self.payload
        return [(position, drawn.header | elements) for position, elements in drawn.lines]


class Attempt(Model):
    """One try to send, or one look at, one line. Opened before the first byte leaves.

    line     position of the line in the change order
    kind     `send`; `late` for an answer that came after someone closed its attempt; `read` for a look into Spectrum; `person` for
             what someone said of the line; `rule` for a resend because the company recorded that resending replaces; `check` for
             the line sent once more to find that out, which says nothing of its state
    claim    the lane's fencing token under which it was opened; 0 where nothing was sent
    outcome  null while open; the latest one of a line is the line's state, but for readings that decide nothing
    codes    JSON list of [code, column, text] as Spectrum answered
    answer   excerpt of the answer, scrubbed, at most 4 KiB
    noticed_at  of one dated in the future, by a clock that ran ahead: when that was noticed
    """

    export = peewee.ForeignKeyField(Export, on_delete="RESTRICT", backref="attempts")
    export_id: int
    line = peewee.IntegerField()
    kind = peewee.CharField(default="send")
    claim = peewee.IntegerField()
    guid = peewee.CharField(max_length=36, default="")
    started_at = UtcField(default=clock.now)
    ended_at = UtcField(null=True)
    outcome = peewee.CharField(null=True)
    http = peewee.IntegerField(null=True)
    codes = peewee.TextField(default="[]")
    answer = peewee.TextField(default="")
    noticed_at = UtcField(null=True)

    @property
    def rows(self) -> list[list[str]]:
        rows: list[list[str]] = json.loads(self.codes)
        return rows

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


Attempt.add_index(Attempt.index(Attempt.export, unique=True, where=Attempt.ended_at.is_null(), name="attempt_open"))
Attempt.add_index(Attempt.index(Attempt.outcome, Attempt.ended_at, name="attempt_outcome"))

_decides = Attempt.ended_at.is_null(False) & Attempt.outcome.not_in(UNDECIDED) & (Attempt.kind != "check")


def key(id: int) -> str:
    """The key of the promise to send the Export."""
    return f"export:{id}"


def freeze(change_order: ChangeOrder, wording: Wording) -> Export:
    """Record what Spectrum will get: the very payload that the preview showed. Raises ValueError where `payload.build` does."""
    drawn = payload.build(change_order, wording)
    frozen = json.dumps(
        {
            "header": drawn.header,
            "lines": [{"position": position, "elements": elements} for position, elements in drawn.lines],
            "skipped": drawn.skipped,
        },
        separators=(",", ":"),
    )
    return Export.create(
        change_order=change_order,
        revision=change_order.revision,
        number=wording.number,
        frozen=frozen,
        sha256=hashlib.sha256(frozen.encode()).hexdigest(),
    )


def open_attempt(export: Export, line: int, claim: int, guid: str, kind: str = "send") -> Attempt:
    return Attempt.create(export=export, line=line, kind=kind, claim=claim, guid=guid)


def close_attempt(attempt: Attempt, outcome: LineOutcome, **evidence: Any) -> None:
    """Write down what came back. If someone closed the attempt as lost meanwhile, the evidence is kept as a late one."""
    closed = (
        Attempt.update(ended_at=clock.now(), outcome=outcome, **evidence)
        .where(Attempt.id == attempt.id, Attempt.ended_at.is_null())
        .execute()
    )
    if not closed:
        Attempt.create(
            export=attempt.export_id,
            line=attempt.line,
            kind="late",
            claim=attempt.claim,
            guid=attempt.guid,
            started_at=attempt.started_at,
            ended_at=clock.now(),
            outcome=outcome,
            **evidence,
        )


def is_open(export: Export) -> bool:
    """Whether a line was about to be sent, and no one has said what became of it."""
    return Attempt.select().where(Attempt.export == export, Attempt.ended_at.is_null()).exists()


def close_lost(export: Export) -> None:
    """An open attempt that no one works on: whether it reached Spectrum is not known."""
    Attempt.update(ended_at=clock.now(), outcome=LineOutcome.LOST).where(Attempt.export == export, Attempt.ended_at.is_null()).execute()


def outcomes(export: Export) -> dict[int, Attempt]:
    """The latest closed attempt of each line: the line's state."""
    closed = Attempt.select().where(Attempt.export == export, _decides).order_by(Attempt.id)
    return {attempt.line: attempt for attempt in closed}


def record_outcome(export: Export, lines: Iterable[int], outcome: LineOutcome, kind: str = "person") -> None:
    """Record an outcome reported by a person or a rule; it becomes the state of each line."""
    now = clock.now()
    for line in lines:
        Attempt.create(export=export, line=line, kind=kind, claim=0, started_at=now, ended_at=now, outcome=outcome)


def sends(export: Export) -> Counter[int]:
    """How often each line left, or may have left, since Accept or since a person last asked for another try."""
    counted: Counter[int] = Counter()
    for attempt in Attempt.select().where(Attempt.export == export).order_by(Attempt.id):
        if attempt.kind == "person" and attempt.outcome == LineOutcome.AGAIN:
            counted[attempt.line] = 0
        elif attempt.kind == "send" and attempt.outcome != LineOutcome.NOT_SENT:
            counted[attempt.line] += 1
    return counted


def unsent(export: Export) -> list[int]:
    """The lines that are not in Spectrum as far as anyone knows, in order."""
    there = stored(export)
    return [line for line, _ in export.lines if line not in there]


def stored(export: Export) -> list[int]:
    """The lines that are in Spectrum as far as anyone knows."""
    return [line for line, attempt in outcomes(export).items() if attempt.outcome in STORED]


def uncertain_lines(export: Export) -> list[int]:
    """The lines that may be in Spectrum: sent, and no answer we understand came back."""
    return [line for line, attempt in outcomes(export).items() if attempt.outcome in UNCERTAIN]


@Asks
def standing(ids: Iterable[int]) -> Steps[set[int]]:
    """Those of the Exports, by id, of which a line is, or may be, in Spectrum; in one query."""
    if not (wanted := list(ids)):
        return set()
    tried = Attempt.select(Attempt.id, Attempt.export, Attempt.line, Attempt.outcome)
    (found,) = yield [read(tried.where(Attempt.export.in_(wanted), _decides | Attempt.ended_at.is_null()))]
    latest = {(export, line): outcome for _, export, line, outcome in sorted(found)}
    return {export for (export, _), outcome in latest.items() if outcome is None or outcome in (*STORED, *UNCERTAIN)}


@Asks
def attempted(ids: Iterable[int]) -> Steps[set[int]]:
    """Those of the Exports, by id, of which a line was ever tried."""
    if not (wanted := list(ids)):
        return set()
    (tried,) = yield [read(Attempt.select(Attempt.export).where(Attempt.export.in_(wanted)).group_by(Attempt.export))]
    return {id for (id,) in tried}


def out_of_reach(export: Export, since: datetime) -> list[datetime]:
    """When, oldest first, tries to reach Spectrum for this Export failed."""
    failed = (
        (Attempt.export == export) & Attempt.outcome.in_((LineOutcome.NOT_SENT, LineOutcome.NO_READING)) & (Attempt.started_at >= since)
    )
    return [attempt.started_at for attempt in Attempt.select().where(failed).order_by(Attempt.id)]
