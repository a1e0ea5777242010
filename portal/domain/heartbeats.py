"""Signs of life of the processes that work in the background."""

from datetime import datetime

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction


class Heartbeat(Model):
    name = peewee.CharField(primary_key=True)
    at = UtcField()


def beat(name: str) -> None:
    with transaction():
        Heartbeat.insert(name=name, at=clock.now()).on_conflict(
            conflict_target=[Heartbeat.name], update={Heartbeat.at: clock.now()}
        ).execute()


def last(name: str) -> datetime | None:
    """When the process last said it lives; None if it never did."""
    at: datetime | None = Heartbeat.select(Heartbeat.at).where(Heartbeat.name == name).scalar()
    return at
