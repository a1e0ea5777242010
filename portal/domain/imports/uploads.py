"""A file handed in on a page: read by the worker, previewed, and then confirmed or withdrawn by the person who brought it.

Reading and importing are the worker's, so that no page waits for a large file. Until it is confirmed, nothing of it is
anywhere but here; afterwards only who brought which file when is kept.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import events, outbox, people
from portal.domain.outbox import Task
from portal.domain.people import Membership, NotPermitted, User

LANE = "imports"
MOST_AT_ONCE = 5  # files of one person that are neither imported nor withdrawn
LAPSES = timedelta(days=1)  # what no one confirms is withdrawn
NOBODY = "You are not a member of any job, so there is nothing you could import into. An administrator can add you to a job."


class State(StrEnum):
    READING = "reading"
    REFUSED = "refused"
    READY = "ready"
    IMPORTING = "importing"
    IMPORTED = "imported"
    WITHDRAWN = "withdrawn"


class NotNow(Exception):
    """The file cannot be taken, confirmed or withdrawn as things stand; nothing was recorded."""


class Upload(Model):
    """One file.

    content   its bytes; gone once it is imported, refused or withdrawn
    preview   what the worker found, as JSON
    ticked    what of it is imported although it looks like something here: places in the file, as JSON
    refused   how many of its rows, or 1 for the file as a whole; then it cannot be confirmed
    """

    file = peewee.CharField(max_length=255)
    sha256 = peewee.CharField(max_length=64)
    size = peewee.IntegerField()
    content = peewee.BlobField(null=True)
    by = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    received_at = UtcField(default=clock.now)
    read_at = UtcField(null=True)
    preview = peewee.TextField(default="")
    ticked = peewee.TextField(default="[]")
    refused = peewee.IntegerField(default=0)
    confirmed_at = UtcField(null=True)
    withdrawn_at = UtcField(null=True)
    finished_at = UtcField(null=True)

    @property
    def state(self) -> State:
        if self.withdrawn_at:
            return State.WITHDRAWN
        if self.finished_at:
            return State.IMPORTED
        if self.read_at is None:
            return State.READING
        if self.refused:
            return State.REFUSED
        return State.IMPORTING if self.confirmed_at else State.READY


OPEN = Upload.withdrawn_at.is_null() & Upload.finished_at.is_null() & (Upload.refused == 0)
LIGHT = [field for field in Upload._meta.sorted_fields if field is not Upload.content]  # 10 MB are not read to show a page


def may_import(by: User) -> bool:
    """Administrators anywhere, others into the jobs they are members of."""
    return by.may_administer or Membership.select().where(Membership.user == by).exists()


def receive(file: str, content: bytes, by: User) -> Upload:
    """Keep the file and promise that it is read. Raises NotPermitted or NotNow."""
    with transaction():
        by = people.as_held(by)
        if not may_import(by):
            raise NotPermitted(NOBODY)
        _let_lapse()
        if Upload.select().where(OPEN, Upload.by == by).count() >= MOST_AT_ONCE:
            raise NotNow(f"{MOST_AT_ONCE} of your files wait already. Import or discard them first.")
        upload = Upload.create(file=file[-255:], sha256=hashlib.sha256(content).hexdigest(), size=len(content), content=content, by=by)
        outbox.promise(f"read-file:{upload.id}", LANE, Task.READ_FILE, upload.id)
        return upload


def keep(id: int, preview: str, refused: int) -> None:
    """What the worker found. What was refused is let go of: it is corrected outside, and comes back as another file."""
    gone: dict[str, Any] = {"content": None, "confirmed_at": None} if refused else {}
    with transaction():
        changes = {"preview": preview, "refused": refused, "read_at": clock.now()} | gone
        Upload.update(**changes).where(Upload.id == id, OPEN).execute()


def confirm(id: int, by: User, ticked: Sequence[str] = ()) -> Upload:
    """Import what the preview showed, and of what looks like something here only what was `ticked`, by its place in the file.

    Once, however often it is pressed. Raises NotNow, or Upload.DoesNotExist for another's file.
    """
    with transaction():
        upload = find(id, people.as_held(by))
        if upload.state in (State.IMPORTING, State.IMPORTED):
            return upload
        if upload.state is not State.READY:
            ended = "discarded" if upload.state is State.WITHDRAWN else upload.state
            raise NotNow(f"{upload.file} cannot be imported any more: it was {ended}. Nothing was changed; choose the file again.")
        Upload.update(confirmed_at=clock.now(), ticked=json.dumps(list(ticked))).where(Upload.id == id, OPEN).execute()
        outbox.promise(f"import-file:{id}", LANE, Task.IMPORT_FILE, id)
        events.record("upload", id, "confirmed", by, file=upload.file, sha256=upload.sha256)
        return find(id, by)


def withdraw(id: int, by: User) -> Upload:
    """Leave the file. Raises NotNow once it was confirmed."""
    with transaction():
        upload = find(id, people.as_held(by))
        if upload.confirmed_at:
            raise NotNow(f"{upload.file} is {upload.state} already and can no longer be discarded.")
        Upload.update(withdrawn_at=clock.now(), content=None).where(Upload.id == id, OPEN).execute()
        outbox.withdraw(f"read-file:{id}")
        return find(id, by)


def finish(id: int) -> None:
    """Everything of the file is in place."""
    Upload.update(finished_at=clock.now(), content=None).where(Upload.id == id, OPEN).execute()


def find(id: int, by: User) -> Upload:
    """The person's own file, or for an administrator anyone's; without its bytes. Raises Upload.DoesNotExist."""
    theirs = Upload.id == id if by.may_administer else (Upload.id == id) & (Upload.by == by)
    found: Upload = Upload.select(*LIGHT).where(theirs).get()
    return found


def bringers(id: int | None) -> list[int | None]:
    """Who handed the file in and who confirmed it: both had a hand in what came of it."""
    handed_in: Any = Upload.select(Upload.by).where(Upload.id == id).tuples()
    confirmed = events.latest("upload", [id] if id else [], of=("confirmed",))
    return [*(by for (by,) in handed_in), *(event.actor_id for event in confirmed.values())]


def waiting(by: User) -> list[Upload]:
    """The person's files that are neither imported nor withdrawn nor refused, newest first."""
    return list(Upload.select(*LIGHT).where(OPEN, Upload.by == by).order_by(Upload.id.desc()))


def _let_lapse() -> None:
    old = OPEN & Upload.confirmed_at.is_null() & (Upload.received_at < clock.now() - LAPSES)
    Upload.update(withdrawn_at=clock.now(), content=None).where(old).execute()
