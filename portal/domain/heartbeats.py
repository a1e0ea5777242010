"""Signs of life of what goes on in the background: a few rows, of which one query tells all."""

from datetime import timedelta

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.db.rows import Shape, Statement
from portal.db.steps import Asks, Steps

REDIS, OUTSIDE = "redis", "outside heartbeat"  # as the keeper finds them
NOTED_EVERY = timedelta(minutes=1)


class Heartbeat(Model):
    """What was well last `at`.

    fault  what was last wrong with it, in words
    since  it has been wrong; None while all is well
    """

    name = peewee.CharField(primary_key=True)
    at = UtcField()
    fault = peewee.TextField(default="")
    since = UtcField(null=True)


def beat(name: str) -> None:
    with transaction():
        Heartbeat.insert(name=name, at=clock.now()).on_conflict(
            conflict_target=[Heartbeat.name], update={Heartbeat.at: clock.now()}
        ).execute()


def mark_good(name: str) -> None:
    """It works. Written at most once a minute while that does not change."""
    known: Heartbeat | None = Heartbeat.get_or_none(Heartbeat.name == name)
    if known is None or known.since or clock.now() - known.at >= NOTED_EVERY:
        good = {Heartbeat.at: clock.now(), Heartbeat.since: None}
        with transaction():
            Heartbeat.insert(name=name, at=clock.now()).on_conflict(conflict_target=[Heartbeat.name], update=good).execute()


def mark_bad(name: str, fault: str) -> None:
    """It does not work, and why; of several that say so the first says since when."""
    ours = Heartbeat.name == name
    if not Heartbeat.select().where(ours, Heartbeat.since.is_null(False), Heartbeat.fault == fault).exists():
        with transaction():
            Heartbeat.insert(name=name, at=clock.EPOCH).on_conflict_ignore().execute()
            Heartbeat.update(since=clock.now()).where(ours, Heartbeat.since.is_null()).execute()
            Heartbeat.update(fault=fault).where(ours).execute()


def forget(name: str) -> None:
    """It is not watched any more."""
    if Heartbeat.select().where(Heartbeat.name == name).exists():
        with transaction():
            Heartbeat.delete().where(Heartbeat.name == name).execute()


SIGNS = Statement(Shape(Heartbeat), query=Heartbeat.select)


@Asks
def signs() -> Steps[dict[str, Heartbeat]]:
    """All of them, by name; what never said that it lives has none."""
    (found,) = yield [SIGNS.where("TRUE")]
    return {one.name: one for (one,) in sorted(found, key=lambda row: row[0].name)}
