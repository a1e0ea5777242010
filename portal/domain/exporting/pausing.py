"""Pause of exports: sends stop between two lines, Accept stays possible, everyone sees why."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import events, people
from portal.domain.companies import current
from portal.domain.lanes import Lane
from portal.domain.people import NotPermitted, User


def pause(lane: str, by: User, reason: str) -> None:
    """Stop sending. Raises NotPermitted for anyone but an administrator."""
    _set(lane, by, "exports paused", paused_at=clock.now(), paused_by=by, reason=reason[:255])


def resume(lane: str, by: User) -> None:
    """Send again, what waits first. Raises NotPermitted for anyone but an administrator."""
    _set(lane, by, "exports resumed", paused_at=None, paused_by=None, reason="")


@contextmanager
def refused(lane: str, reason: str) -> Iterator[None]:
    """Around the transaction's other events: stop sending because Spectrum refuses the portal itself; what someone paused stays theirs.

    The lane comes before the first event, as in every pause, so that no one who pauses at this moment waits in a circle.
    """
    update = Lane.update(paused_at=clock.now(), paused_by=None, reason=reason)
    paused = update.where(Lane.name == lane, Lane.paused_at.is_null()).execute()
    yield
    if paused:
        events.record("company", current().id, "exports paused", None, reason=reason)


def _set(lane: str, by: User, action: str, **columns: Any) -> None:
    with transaction():
        by = people.as_held(by)
        if not by.may_administer:
            raise NotPermitted("Only an administrator pauses and resumes exports.")
        Lane.update(**columns).where(Lane.name == lane).execute()
        events.record("company", current().id, action, by, reason=columns["reason"])
