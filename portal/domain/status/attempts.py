"""How the calls of Spectrum went: by hour, the last good one, and since when Spectrum has been out of reach."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

from portal import clock
from portal.db import is_sqlite
from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting.exports import SENDS, Attempt, Export, LineOutcome

HOURS = 24
ENDED = (LineOutcome.SENT, LineOutcome.REFUSED, LineOutcome.NOT_SENT, LineOutcome.UNKNOWN, LineOutcome.LOST)


@dataclass(frozen=True, slots=True)
class Hour:
    """The attempts to send that ended in one hour, by outcome.

    not_sent  proved to have not reached Spectrum
    unknown   sent, and no answer that we understand
    """

    begins: datetime
    sent: int
    refused: int
    not_sent: int
    unknown: int

    @property
    def attempts(self) -> int:
        return self.sent + self.refused + self.not_sent + self.unknown

    @property
    def failures(self) -> int:
        return self.attempts - self.sent


@dataclass(frozen=True, slots=True)
class Success:
    """The last line that Spectrum took."""

    at: datetime
    change_order_id: int
    number: str


def by_hour() -> list[Hour]:
    """The hours of the last day in which attempts ended, the latest first."""
    begin = clock.now() - timedelta(hours=HOURS)
    hour = peewee.fn.strftime("%Y-%m-%d %H:00:00", Attempt.ended_at) if is_sqlite() else peewee.fn.date_trunc("hour", Attempt.ended_at)
    ended = Attempt.outcome.in_(ENDED) & (Attempt.ended_at >= begin) & Attempt.kind.in_(SENDS)
    grouped: Any = (
        Attempt.select(hour.coerce(False), Attempt.outcome, peewee.fn.COUNT(Attempt.id))
        .where(ended)
        .group_by(peewee.SQL("1"), Attempt.outcome)
    )
    found: dict[datetime, dict[str, int]] = {}
    for begins, outcome, count in grouped.tuples():
        found.setdefault(_moment(begins), {})[outcome] = count
    return [_hour(begins, counts) for begins, counts in sorted(found.items(), reverse=True)]


def of_last_hour() -> dict[str, int]:
    """How many ended in the last hour, by outcome."""
    begin = clock.now() - timedelta(hours=1)
    ended = Attempt.outcome.in_(ENDED) & (Attempt.ended_at >= begin) & Attempt.kind.in_(SENDS)
    counted: dict[str, int] = dict(
        Attempt.select(Attempt.outcome, peewee.fn.COUNT(Attempt.id)).where(ended).group_by(Attempt.outcome).tuples()  # type: ignore[arg-type]
    )
    return {outcome.value: counted.get(outcome, 0) for outcome in ENDED}


def last_success() -> Success | None:
    sent = Attempt.select(Attempt.ended_at, ChangeOrder.id, ChangeOrder.number).join(Export).join(ChangeOrder)
    good = (Attempt.outcome == LineOutcome.SENT) & Attempt.kind.in_(SENDS)
    found: Any = sent.where(good).order_by(Attempt.ended_at.desc()).tuples().first()
    return Success(*found) if found else None


def out_of_reach_since(success: Success | None) -> datetime | None:
    """When the first attempt since Spectrum's last answer did not reach it; None where none failed so."""
    refused = Attempt.select(Attempt.ended_at).where(Attempt.outcome == LineOutcome.REFUSED).order_by(Attempt.ended_at.desc()).first()
    answers = [answer for answer in (success and success.at, refused and refused.ended_at) if answer]
    unreached = (Attempt.outcome == LineOutcome.NOT_SENT) & (Attempt.ended_at > max(answers, default=clock.EPOCH))
    first = Attempt.select(Attempt.ended_at).where(unreached).order_by(Attempt.ended_at).first()
    return first.ended_at if first else None


def _hour(begins: datetime, counts: dict[str, int]) -> Hour:
    doubts = counts.get(LineOutcome.UNKNOWN, 0) + counts.get(LineOutcome.LOST, 0)
    return Hour(begins, counts.get(LineOutcome.SENT, 0), counts.get(LineOutcome.REFUSED, 0), counts.get(LineOutcome.NOT_SENT, 0), doubts)


def _moment(begins: str | datetime) -> datetime:
    """SQLite gives its text."""
    return (datetime.fromisoformat(begins) if isinstance(begins, str) else begins).replace(tzinfo=UTC)
