"""The mail server refuses the portal itself, not one mail: all mail waits, everyone sees why, and it goes on by itself."""

from datetime import datetime, timedelta
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import outbox
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch

SOONEST, LATEST = timedelta(minutes=2), timedelta(hours=1)  # between two tries: as long as it has lasted, within these


def now() -> Lane | None:
    """The lane of mail while the server refuses the portal."""
    lane: Lane | None = Lane.get_or_none(Lane.name == MAIL, Lane.refused_at.is_null(False))
    return lane


def hold(dispatch: Dispatch) -> bool:
    """Whether the mail has to wait with all others: then it is due with the next try. Call inside a transaction."""
    lane = now()
    if lane is None or lane.refused_until <= clock.now():
        return False
    outbox.postpone(dispatch, lane.refused_until, lane.refusal)
    return True


def refused(dispatch: Dispatch, why: str) -> datetime:
    """All mail waits for the next try, which costs no mail any of its time. Answers when that is."""
    with transaction():
        lane, here = now(), clock.now()
        since = lane.refused_at if lane else here
        until = here + min(max(here - since, SOONEST), LATEST)
        Lane.update(refused_at=since, refused_until=until, refusal=why[:255]).where(Lane.name == MAIL).execute()
        outbox.postpone(dispatch, until, why)
        _postpone_all(until, why)
        return until


def over() -> None:
    """The server took the portal again: what waited for that is due."""
    if now() is None:
        return
    with transaction():
        Lane.update(refused_at=None, refused_until=None, refusal="", taken_at=clock.now()).where(Lane.name == MAIL).execute()
        _hasten(clock.now() + LATEST)


def last_over() -> datetime:
    """When it last ended; long ago where it never was. Before that no mail could go, so that it does not count against any."""
    lane: Lane = Lane.get_by_id(MAIL)
    return lane.taken_at or clock.EPOCH


def try_now() -> None:
    """Someone looked after it: the next mail is a try. Call inside a transaction."""
    Lane.update(refused_until=clock.now()).where(Lane.name == MAIL, Lane.refused_at.is_null(False)).execute()


def _postpone_all(until: datetime, error: str) -> None:
    """What would be due before stands in the way of no one: it is due then."""
    _changed(Dispatch.due_at < until, due_at=until, error=error[:255])


def _hasten(before: datetime) -> None:
    """What was due by then is due now."""
    _changed(Dispatch.due_at <= before, due_at=clock.now())


def _changed(which: Any, **columns: Any) -> None:
    Dispatch.update(**columns).where(Dispatch.lane == MAIL, Dispatch.finished_at.is_null(), which).execute()
