"""Filters of lists that a person keeps by a name; an administrator shares theirs with everyone who may look."""

import peewee

from portal.db import Model, lock, transaction
from portal.domain import people
from portal.domain.people import NotPermitted, User

MOST, LONGEST_NAME = 50, 60
NO_NAME = f"Give the view a name of at most {LONGEST_NAME} characters."
TOO_MANY = f"You have saved {MOST} views. Remove one first."
NOT_YOURS = "Only the person who saved a view can remove it."
NO_ADMINISTRATOR = "Only administrators share views."


class Unsaved(Exception):
    """A view can't be kept; the text says why."""


class SavedView(Model):
    """query  of the list's address, as it was when it was saved"""

    owner = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    owner_id: int
    name = peewee.CharField(max_length=LONGEST_NAME)
    query = peewee.TextField()
    shared = peewee.BooleanField(default=False)

    class Meta:
        indexes = ((("owner", "name"), True),)


def seen_by(viewer: User) -> list[SavedView]:
    """One's own and what is shared, by name."""
    theirs = (SavedView.owner == viewer) | SavedView.shared
    return list(SavedView.select(SavedView, User).join(User).where(theirs).order_by(SavedView.name, SavedView.id))


def save(owner: User, name: str, query: str) -> SavedView:
    """Keep it under this name, in place of what had it. Raises Unsaved."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Unsaved(NO_NAME)
    with transaction():
        lock(User.select(User.id).where(User.id == owner.id), "FOR NO KEY UPDATE")  # so that no second request passes the limit
        known = {one.name: one for one in SavedView.select().where(SavedView.owner == owner)}
        if name not in known and len(known) >= MOST:
            raise Unsaved(TOO_MANY)
        kept = known.get(name) or SavedView(owner=owner, name=name)
        kept.query = query
        kept.save()
        return kept


def remove(id: int, by: User) -> None:
    """Remove one's own. Raises SavedView.DoesNotExist or NotPermitted."""
    with transaction():
        kept = SavedView.get_by_id(id)
        if kept.owner_id != by.id:
            raise NotPermitted(NOT_YOURS)
        kept.delete_instance()


def share(id: int, by: User, *, shared: bool) -> None:
    """Show one's own to everyone who may look, or no longer. Raises SavedView.DoesNotExist, or NotPermitted to who is no administrator."""
    with transaction():
        by = people.as_held(by)
        kept = SavedView.get_by_id(id)
        if not by.may_administer:
            raise NotPermitted(NO_ADMINISTRATOR)
        if kept.owner_id != by.id:
            raise NotPermitted(NOT_YOURS)
        kept.shared = shared
        kept.save()
