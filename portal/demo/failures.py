"""Why exports of the demonstration failed: causes of every class, some often and some once, as a year brings them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from portal import clock
from portal.domain import people
from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting import conclude, error_catalogue, failure_causes, send
from portal.domain.exporting.exports import LineOutcome
from portal.domain.triage import upkeep

ANSWERED, CONNECTED = timedelta(milliseconds=2300), timedelta(seconds=10)
NO_ANSWER = (("connect", "timeout", "Spectrum's address did not answer."),)
KNOWN = "Asked for the phase to be opened on the job. Retry when it is."


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt at a line, how long it took, and how long nothing was done after it."""

    line: int
    outcome: LineOutcome = LineOutcome.SENT
    rows: tuple[tuple[str, str, str], ...] = ()
    http: int | None = 200
    took: timedelta = ANSWERED
    rest: timedelta = timedelta(0)


def in_turn(tried: list[Tried], until: datetime) -> list[dict[str, Any]]:
    """Their rows of the database."""
    made, started = [], until - sum((one.took + one.rest for one in tried), timedelta(0))
    for one in tried:
        moments = {"started_at": naive(started), "ended_at": naive(started + one.took)}
        made.append({"line": one.line, "outcome": one.outcome, "http": one.http, "codes": json.dumps(one.rows), **moments})
        started += one.took + one.rest
    return made


def naive(moment: datetime) -> datetime:
    """As the tables keep it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail.

    rows     code, column and text of Spectrum's answer for the line that it refused, at position `refused`; empty where it gave none
    tries    how often it could not be reached
    """

    kind: str
    rows: tuple[tuple[str, str, str], ...] = ()
    refused: int = 0
    tries: int = 0
    said: str = ""

    @property
    def stored(self) -> list[int]:
        return list(range(1, self.refused))

    @property
    def text(self) -> str:
        return self.said or " ".join(error_catalogue.explain([list(row) for row in self.rows]))

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the event *failed*, as `conclude` writes them."""
        of_line = {"line": self.refused, "rows": [list(row) for row in self.rows], "http": 200} if self.rows else {}
        return {"cause": self.kind, "text": self.text, "sent": self.stored, **of_line}

    def attempts(self, until: datetime) -> list[dict[str, Any]]:
        """The attempts up to its failure, of which the last one ended then."""
        tried = [Tried(line) for line in self.stored]
        if self.refused:
            tried.append(Tried(self.refused, LineOutcome.REFUSED, self.rows))
        tried += [Tried(1, LineOutcome.NOT_SENT, NO_ANSWER, None, CONNECTED, conclude.back_off(n)) for n in range(self.tries)]
        return in_turn(tried, until)


PHASE = Failure("data", (("I", "CR_Phase_Code", "Phase is not on the job"),), refused=1)
ACCOUNT = Failure("data", (("I", "GL_Account", "GL Account is not valid"),), refused=2)
PERIOD = Failure("data", (("I", "Origination_Date", "Period is closed"),), refused=1)
RIGHTS = Failure("access", (("A", "", "Not authorized"),), refused=1)
OUT_OF_REACH = Failure("temporary", tries=6, said=send.OUT_OF_REACH)
WORKERS = Failure("setup", said=send.WORKERS_STOPPED)
IN_TURN = (PHASE, OUT_OF_REACH, ACCOUNT, PHASE, PERIOD, OUT_OF_REACH, PHASE, RIGHTS, ACCOUNT, WORKERS)


@dataclass(slots=True)
class Failures:
    """Draws failures in turn, and keeps each one's cause as the first failure by it makes it."""

    turn: Iterator[Failure] = field(default_factory=lambda: cycle(IN_TURN))
    causes: dict[Failure, int] = field(default_factory=dict)

    def draw(self, at: datetime) -> tuple[Failure, dict[str, Any]]:
        """The next failure, and what its change order keeps of it."""
        failure = next(self.turn)
        if failure not in self.causes:
            facts = failure.facts
            with clock.shifted(at - clock.now()):
                kept = failure_causes.columns(ChangeOrder(), facts.pop("cause"), facts.pop("text"), **facts)
            self.causes[failure] = kept["cause"]
        return failure, {"cause": self.causes[failure], "failed_at": naive(at)}

    def look_after(self) -> None:
        """Support has taken on the most frequent cause."""
        if PHASE in self.causes and (support := people.find("sam@example.test")):
            upkeep.assign(self.causes[PHASE], support, support.id)
            upkeep.write_note(self.causes[PHASE], support, KNOWN, seen="")
