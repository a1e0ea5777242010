"""Requests for *Can Push to Accounting*: who asked, who answered, and the mail that tells both sides."""

from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, database
from portal.db.rows import Shape, Statement
from portal.db.steps import Asks, Read, Steps
from portal.domain import outbox, people
from portal.domain.events import Event
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import User

LONGEST_NOTE = 300
ASKED, GRANTED, DECLINED, REMOVED = "privilege asked for", "privilege granted", "privilege declined", "privilege removed"
ACTIONS = (ASKED, GRANTED, DECLINED, REMOVED)


class PrivilegeRequest(Model):
    """A person asked for the privilege. Each has at most one that no one answered yet.

    granted      null until it is answered
    answered_by  null once answered: the command line
    answer       what the administrator wrote
    """

    person = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    person_id: int
    note = peewee.CharField(max_length=LONGEST_NOTE, default="")
    asked_at = UtcField(default=clock.now)
    answered_at = UtcField(null=True)
    answered_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    answered_by_id: int | None
    granted = peewee.BooleanField(null=True)
    answer = peewee.CharField(max_length=LONGEST_NOTE, default="")

    @property
    def is_open(self) -> bool:
        return self.answered_at is None

    @property
    def needs_level(self) -> bool:
        """Whether the privilege alone would have no effect: the level is below Standard."""
        return not self.person.may_support


PrivilegeRequest.add_index(
    PrivilegeRequest.index(
        PrivilegeRequest.person, unique=True, where=PrivilegeRequest.answered_at.is_null(), name="privilege_request_open"
    )
)


def _answered(*columns: Any) -> Any:
    return PrivilegeRequest.select(*columns).join(User, peewee.JOIN.LEFT_OUTER, on=PrivilegeRequest.answered_by)


WITH_ANSWERER = Statement(Shape(PrivilegeRequest), Shape(User), query=_answered)


OPEN = Read(
    "COUNT(t1.id)", 'FROM privilege_request t1 JOIN "user" t2 ON t2.id = t1.person_id WHERE t1.answered_at IS NULL AND t2.active', ()
)


def open_ones() -> list[PrivilegeRequest]:
    """What waits for an administrator, the oldest first; no one who cannot sign in waits."""
    return list(_open().order_by(PrivilegeRequest.asked_at, PrivilegeRequest.id))


@Asks
def count() -> Steps[int]:
    """How many."""
    (((found,),),) = yield [OPEN]
    return int(found)


@Asks
def latest_of(person: User) -> Steps[PrivilegeRequest | None]:
    """The person's last request, answered or not, with who answered it."""
    last = f"SELECT MAX(id) FROM privilege_request WHERE person_id = {database.param}"  # noqa: S608
    (found,) = yield [WITH_ANSWERER.where(f"t1.id = ({last})", [person.id])]
    for request, answerer in found:
        request.__rel__.update({"answered_by": answerer} if answerer else {})
        return request  # type: ignore[no-any-return]
    return None


def settle(person: User, by: User | None, *, granted: bool, answer: str = "") -> bool:
    """Answer the person's open request; whether there was one. Call inside the transaction that changes the rights."""
    answered = PrivilegeRequest.update(granted=granted, answered_at=clock.now(), answered_by=by, answer=answer)
    return bool(answered.where(PrivilegeRequest.person == person, PrivilegeRequest.answered_at.is_null()).execute())


def tell(event: Event) -> None:
    """Promise mail about what the event tells: to the administrators, and once it is answered to the person too."""
    to = {admin.id for admin in people.administrators() if admin.email}
    to = to - {event.ref} if event.action == ASKED else to | {event.ref}
    for person in sorted(to):
        outbox.promise(privilege_key(event.seq, person), MAIL, Task.PRIVILEGE, event.ref)


def _open() -> Any:
    waiting = PrivilegeRequest.select(PrivilegeRequest, User).join(User, on=PrivilegeRequest.person)
    return waiting.where(PrivilegeRequest.answered_at.is_null(), User.active)


def privilege_key(seq: int, person: int) -> str:
    """`seq` is that of the event the mail tells of."""
    return f"privilege:{seq}:{person}"
