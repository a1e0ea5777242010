"""Things that people number, found by the key of the number, however it is spelled."""

from typing import Any, Self

import peewee

from portal.db import Model
from portal.domain import keys


class Keyed(Model):
    """Base of jobs, commitments and change orders.

    key    the number as it is compared; with `twin` unique in the place it belongs to
    loose  what all look-alikes of the number have in common
    twin   0; else its own id: an earlier portal had made it beside another one of the same key
    """

    number: Any
    key = peewee.TextField(default="")
    loose = peewee.TextField(default="")
    twin = peewee.IntegerField(default=0)

    def rename(self, number: str) -> None:
        """Give it this number, in memory, with the keys that follow from it."""
        key = keys.canonical(number)
        self.twin = self.twin if key == self.key else 0
        self.number, self.key, self.loose = keys.plain(number), key, keys.loose(number)

    def save(self, *arguments: Any, **options: Any) -> Any:
        """Keys follow the number."""
        self.rename(self.number)
        return super().save(*arguments, **options)

    @classmethod
    def meant(cls, number: str, **place: Any) -> Self | None:
        """The one that this number means there: of twins the one that is spelled so, else the first."""
        there = [getattr(cls, name) == value for name, value in place.items()]
        found = list(cls.select().where(cls.key == keys.canonical(number), *there))
        return min(found, key=lambda one: (one.number != keys.plain(number), one.twin), default=None)


def indexes(place: str) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """What a Keyed needs that belongs to this place."""
    return ((place, "number"), True), ((place, "key", "twin"), True), ((place, "loose"), False)
