"""Pause of exports: sends stop between two lines, Accept stays possible, everyone sees why."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal import clock
from portal.db import lock, transaction
from portal.domain import events, people
from portal.domain.companies import current
from portal.domain.lanes import RESTORED, Lane
from portal.domain.people import NotPermitted, User


def pause(lane: str, by: User, reason: str) -> None:
    """Stop sending. Raises NotPermitted for anyone but an administrator."""
    with transaction():
        by = people.require_administrator(by, "pauses exports")
        Lane.update(paused_at=clock.now(), paused_by=by, reason=reason[:255]).where(Lane.name == lane).execute()
        events.record("company", current().id, "exports paused", by, reason=reason[:255])


def resume(lane: str, by: User) -> bool:
    """Send again, what waits first. After a restore it says: I have looked in Spectrum. Raises NotPermitted.

    False: exports stay paused, because an administrator or the portal itself paused them for something else.
    """
    with transaction():
        by, held = people.as_held(by), _held(lane)
        if not may_resume(held, by):
            who = "an approver, who has looked in Spectrum," if held.is_restored else "an administrator"
            raise NotPermitted(f"Only {who} resumes exports.")
        return _resume(held, by, lifts=by.may_administer or held.is_paused_by_restore)


def resume_restored(lane: str, by: User) -> bool:
    """I have looked in Spectrum after the restore: end the pause for that, and no other. Answers as `resume`. Raises NotPermitted."""
    with transaction():
        by, held = people.as_held(by), _held(lane)
        if not held.is_restored:
            raise NotPermitted("Exports do not wait for a look in Spectrum after a restore. Nothing was changed.")
        if not may_resume(held, by):
            raise NotPermitted("Only an approver, who has looked in Spectrum, resumes exports.")
        return _resume(held, by, lifts=held.is_paused_by_restore)


def may_resume(lane: Lane, by: User) -> bool:
    """An administrator; after a restore whoever answers for what is in Spectrum."""
    return by.may_decide if lane.is_restored else by.may_administer


def compared(lane: str) -> None:
    """In the caller's transaction: what was restored as not sent is compared with Spectrum. The pause for that ends; another one stays."""
    Lane.update(restored_at=None).where(Lane.name == lane).execute()
    ours = Lane.name == lane, Lane.paused_by.is_null(), Lane.reason == RESTORED
    if Lane.update(paused_at=None, reason="").where(*ours).execute():
        events.record("company", current().id, "exports resumed", None, reason="Compared with Spectrum after the restore.")


def _held(name: str) -> Lane:
    """As it is, until the transaction ends: no pause that comes meanwhile is lifted."""
    lock(Lane.select(Lane.name).where(Lane.name == name), "FOR NO KEY UPDATE")
    lane: Lane = Lane.get_by_id(name)
    return lane


def _resume(held: Lane, by: User, *, lifts: bool) -> bool:
    pause = {"paused_at": None, "paused_by": None, "reason": ""} if lifts else {}
    Lane.update(restored_at=None, **pause).where(Lane.name == held.name).execute()
    facts = {"after_a_restore": True} if held.is_restored else {}
    events.record("company", current().id, "exports resumed" if lifts else "restore confirmed", by, reason="", **facts)
    return lifts


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
