"""Whose hands are on what a change order says: who shaped it does not decide it, however often it is sent again.

A contribution counts for good. That a later edit replaced all of an earlier one is not looked into: a text that was rewritten is
still what the other one was written over, and the rule has to be one that everybody can check in the history.
"""

from collections.abc import Callable, Iterable
from typing import Any

import peewee

from portal.db import Model
from portal.domain import events
from portal.domain.change_orders import EDITABLE, ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.people import NotPermitted, User

WROTE, TOKEN, FILE, CODE = "wrote", "token", "file", "code"
DEEDS = {
    WROTE: "sent or wrote this change order",
    TOKEN: "made the access token with which this change order was sent or written",
    FILE: "handed in or confirmed the file from which this change order was written",
    CODE: "changed a code under which this change order is sent",
}
WAITING = (*EDITABLE, Status.READY)  # what can still be signed under another code

Hands = dict[int, str]  # who had a hand in it, by id, and what each did


class Contribution(Model):
    """A person had a hand in what a change order says, or in the codes under which it is sent.

    deed   the first thing they did: a key of DEEDS
    """

    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="contributions")
    change_order_id: int
    person = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    person_id: int
    deed = peewee.CharField(max_length=10)

    class Meta:
        indexes = ((("change_order", "person"), True),)


def record(id: int, people: Iterable[User | int | None], deed: str) -> None:
    """These people had a hand in the change order, in the transaction of what they did; before its event."""
    rows = [(id, person, deed) for person in people if person is not None]
    if rows:
        Contribution.insert_many(rows, [Contribution.change_order, Contribution.person, Contribution.deed]).on_conflict_ignore().execute()


def record_writing(change_order: ChangeOrder, by: User | None) -> None:
    """Somebody wrote or sent it; where it came by an access token, who made that could have done so too."""
    record(change_order.id, [by], WROTE)
    record(change_order.id, [events.maker()], TOKEN)


def record_code(commitments: Any, person: User) -> None:
    """The person changed a code under which the change orders of these commitments are sent (a condition of a query over them)."""
    theirs = (
        ChangeOrder.select(ChangeOrder.id, peewee.Value(person.id), peewee.Value(CODE))
        .join(Commitment)
        .where(commitments, ChangeOrder.status.in_(WAITING))
    )
    Contribution.insert_from(theirs, [Contribution.change_order, Contribution.person, Contribution.deed]).on_conflict_ignore().execute()


def hands_on(change_order: ChangeOrder) -> Hands:
    """Who had a hand in it."""
    return all_hands([change_order])[change_order.id]


def all_hands(rows: list[ChangeOrder]) -> dict[int, Hands]:
    """`hands_on` of each row, in one query."""
    hands: dict[int, Hands] = {row.id: {} for row in rows}
    known: Any = Contribution.select(Contribution.change_order, Contribution.person, Contribution.deed)
    for id, person, deed in known.where(Contribution.change_order.in_(list(hands))).tuples():
        hands[id][person] = DEEDS[deed]
    return {row.id: hands[row.id] | dict.fromkeys(authors(row), DEEDS[WROTE]) for row in rows}


def authors(change_order: ChangeOrder) -> set[int]:
    """Its creator and its sender."""
    return {id for id in (change_order.sent_by_id, change_order.created_by_id) if id is not None}


def without(person: User) -> Any:
    """The person had no hand in it: as a condition of a query over change orders, one look into an index for each."""
    theirs = Contribution.select(peewee.SQL("1")).where(Contribution.change_order == ChangeOrder.id, Contribution.person == person)
    sent, created = (author.is_null() | (author != person) for author in (ChangeOrder.sent_by, ChangeOrder.created_by))
    return sent & created & ~peewee.fn.EXISTS(theirs)


def why_not(change_order: ChangeOrder, by: User, hands: Hands, able: Callable[[], list[User]] | None = None) -> str:
    """Why four eyes keep this person from deciding about it, or an empty text; who else is `able` to, where that is wanted."""
    if not change_order.company.four_eyes or by.id not in hands:
        return ""
    others = [person.name for person in able() if person.id not in hands] if able else []
    return f"You {hands[by.id]}, so another approver has to decide it (four eyes).{_who_can(others) if able else ''}"


def ensure_none_of(change_order: ChangeOrder, by: User, able: Callable[[], list[User]]) -> None:
    """Rule 21 for every decision: raises NotPermitted where four eyes forbid it, naming who is `able`."""
    if why := why_not(change_order, by, hands_on(change_order), able):
        raise NotPermitted(why)


def _who_can(names: list[str]) -> str:
    return (
        f" Who can: {', '.join(names)}." if names else " Nobody else can: ask an administrator to give somebody ‘Can Push to Accounting’."
    )
