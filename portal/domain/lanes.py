"""Lanes: lines of work that one worker at a time is on, under a lease."""

from datetime import datetime, timedelta
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.db.rows import Shape, Statement
from portal.db.steps import Asks, Steps
from portal.db.writes import write_with_retry
from portal.domain.people import User

MAIL = "mail"
RESTORED = "The database was restored from a backup. Exports wait for the comparison with Spectrum, or for an approver who looks there."
AHEAD = timedelta(minutes=15)  # what lies further off than the longest of its kind and this was written by a clock that ran ahead
ONE_CALL = timedelta(seconds=130)  # the call's deadline of 120 s and 10 s to write down what came back


class Lost(Exception):
    """The lane was taken over by another worker: stop at once."""


class Lane(Model):
    """One line of work that only one worker may be on, e.g. `exports:1`.

    claim   grows with every taking: the fencing token
    until   end of the lease, UTC
    moved_at   when its holder last began something, or went on with it
    paused_at, paused_by, reason   a pause stops sends, for everyone to see; by the portal itself when Spectrum refuses us
    restored_at     since when the database, restored from a backup, waits for its comparison with Spectrum; sends are paused for it
    refused_at, refused_until, refusal   since when and in which words the mail server refuses us; nothing is tried before refused_until
    taken_at    when that last ended
    """

    name = peewee.CharField(primary_key=True)
    claim = peewee.IntegerField(default=0)
    until = UtcField(default=clock.EPOCH)
    moved_at = UtcField(default=clock.EPOCH)
    paused_at = UtcField(null=True)
    paused_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")  # null while paused: the portal itself
    paused_by_id: int | None
    reason = peewee.CharField(default="")
    restored_at = UtcField(null=True)
    refused_at = UtcField(null=True)
    refused_until = UtcField(null=True)
    taken_at = UtcField(null=True)
    refusal = peewee.CharField(default="")

    @property
    def queue(self) -> str:
        """The RQ queue whose workers serve this lane."""
        return str(self.name).partition(":")[0]

    @property
    def is_paused_by_restore(self) -> bool:
        return self.paused_by_id is None and self.reason == RESTORED

    @property
    def is_restored(self) -> bool:
        """Whether exports wait for the comparison after a restore, also one that was interrupted before it noted since when."""
        return self.restored_at is not None or self.is_paused_by_restore

    @classmethod
    def take(cls, name: str, lease: timedelta) -> int | None:
        """The new claim, or None while someone else holds the lane."""
        now = clock.now()
        free = Lane.get_or_none(cls.name == name, is_free(now))
        if free is None:
            return None
        taken = cls.update(claim=free.claim + 1, until=now + lease).where(cls.name == name, is_free(now), cls.claim == free.claim)
        return free.claim + 1 if taken.execute() else None

    @classmethod
    def renew(cls, name: str, claim: int, lease: timedelta) -> None:
        """Keep the lane; raise Lost if it was taken over meanwhile."""
        now = clock.now()
        if not cls.update(until=now + lease, moved_at=now).where(cls.name == name, cls.claim == claim).execute():
            raise Lost(name)

    @classmethod
    def release(cls, name: str, claim: int) -> None:
        """Let go, however long the database is busy or away: the others would wait for the end of the lease."""
        write_with_retry(cls.update(until=clock.EPOCH).where(cls.name == name, cls.claim == claim).execute)

    @classmethod
    def is_paused(cls, name: str) -> bool:
        return cls.select().where(cls.name == name, cls.paused_at.is_null(False)).exists()


def is_free(now: datetime) -> Any:
    """No one holds the lane: the lease is over, or ends when no lease of a clock that is right could."""
    return (Lane.until <= now) | is_leased_ahead(now)


def is_leased_ahead(now: datetime) -> Any:
    return Lane.until > now + ONE_CALL + AHEAD


WITH_PAUSER = Statement(Shape(Lane), Shape(User), query=lambda *columns: Lane.select(*columns).join(User, peewee.JOIN.LEFT_OUTER))


@Asks
def stopped() -> Steps[dict[str, Lane]]:
    """The lanes that are paused, with who paused them, or refused by the mail server; by name."""
    (found,) = yield [WITH_PAUSER.where("t1.paused_at IS NOT NULL OR t1.refused_at IS NOT NULL")]
    for lane, pauser in found:
        lane.__rel__.update({"paused_by": pauser} if pauser else {})
    return {lane.name: lane for lane, _ in found}
