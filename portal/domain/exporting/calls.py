"""One call of Spectrum: what became of it, and what is kept of its answer as evidence."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from portal import failpoints
from portal.db import transaction
from portal.db.writes import write_with_retry
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Attempt, LineOutcome
from portal.spectrum import records

log = structlog.get_logger()

# The connected client's one call, handed in by the task, since the domain knows no wire: elements 3-56 and the GUID of
# the group. Answers the receipt or raises NotSent, Refused or OutcomeUnknown.
Call = Callable[[Mapping[str, str], str], records.Receipt]


def make(call: Call, elements: Mapping[str, str], guid: str) -> tuple[LineOutcome, records.Receipt | records.SpectrumError]:
    """Make the call; what became of it, and the answer."""
    try:
        return LineOutcome.SENT, call(elements, guid)
    except records.NotSent as error:
        return LineOutcome.NOT_SENT, error
    except records.Refused as error:
        return LineOutcome.REFUSED, error
    except records.OutcomeUnknown as error:
        return LineOutcome.UNKNOWN, error


def write_down(attempt: Attempt, outcome: LineOutcome, answer: records.Receipt | records.SpectrumError) -> None:
    """Close the attempt with what came back, whichever worker holds the lane by now and however long the database is busy."""

    def write() -> None:
        with transaction():
            exports.close_attempt(attempt, outcome, **evidence_of(answer))
            failpoints.hit("settle.before_commit")

    write_with_retry(write)
    log.info("attempt ended", attempt=attempt.id, line=attempt.line, kind=attempt.kind, outcome=str(outcome), http=answer.http)


def evidence_of(answer: Any) -> Mapping[str, Any]:
    """The columns of an attempt, out of a receipt or an error of the Spectrum client."""
    rows = [[row.code, row.column, row.text] for row in answer.rows]
    cause = getattr(answer, "cause", "")
    if isinstance(answer, records.NotSent) and cause:  # what no row says, under the catalogue's own codes
        rows.append(["connect", cause, str(answer)])
    elif isinstance(answer, records.OutcomeUnknown) and (cause or not rows):
        rows.append(["answer", cause or "unreadable", str(answer)])
    return {"http": answer.http, "codes": json.dumps(rows), "answer": answer.answer}
