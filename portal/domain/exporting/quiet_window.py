"""The quiet window: so long after a line was sent, "not there" means nothing, since Spectrum may still be at work on it.

It is never cut short. Evidence dated in the future, by a clock that ran ahead, restarts it when that is noticed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from portal import clock
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain.exporting.exports import SENDS, Attempt, Export

LASTS = timedelta(minutes=15)
WHEN = Statement(Shape(Attempt, "id", "export", "started_at", "ended_at", "noticed_at"), query=Attempt.select)


def until(export: Export) -> datetime:
    """From when on "not there" means something."""
    return last_sends([export.id]).get(export.id, clock.EPOCH) + LASTS


@Asks
def last_sends(ids: Iterable[int]) -> Steps[dict[int, datetime]]:
    """When each Export was last known to be busy with Spectrum: the end, or for an open one the start, of its last try to send."""
    if not (wanted := list(ids)):
        return {}
    (sends,) = yield [WHEN.where(f"export_id IN {places(wanted)} AND kind IN {places(SENDS)}", [*wanted, *SENDS])]
    moments: dict[int, datetime] = {}
    for (attempt,) in sends:
        moment = _moment(attempt)
        moments[attempt.export_id] = max(moment, moments.get(attempt.export_id, moment))
    return moments


def lies_ahead(now: datetime) -> Any:
    """Evidence that lies in the future, and was not noticed, or by a clock that ran ahead as well."""
    ahead = (Attempt.ended_at > now) | (Attempt.ended_at.is_null() & (Attempt.started_at > now))
    return Attempt.kind.in_(SENDS) & ahead & (Attempt.noticed_at.is_null() | (Attempt.noticed_at > now))


def notice(*of: Any) -> int:
    """Note of all evidence that lies ahead, or of this, that it was noticed; answers of how much."""
    now = clock.now()
    return int(Attempt.update(noticed_at=now).where(lies_ahead(now), *of).execute())


def _moment(attempt: Attempt) -> datetime:
    """What lies in the future counts from when it was noticed, for as long as it does: another machine's clock may be the right one."""
    moment: datetime = attempt.ended_at or attempt.started_at
    if clock.is_past(moment):
        return moment
    now = clock.now()
    return min(attempt.noticed_at or now, now)
