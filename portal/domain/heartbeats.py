"""Signs of life of what goes on in the background: a few rows, of which one query tells all."""

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction


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


def signs() -> dict[str, Heartbeat]:
    """All of them, by name; what never said that it lives has none."""
    return {one.name: one for one in Heartbeat.select().order_by(Heartbeat.name)}
