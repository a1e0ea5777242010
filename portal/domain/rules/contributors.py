"""Contributors: who shaped what a change order says does not decide it, however often it is sent again.

A contribution counts for good. That a later edit replaced all of an earlier one is not looked into: a text that was rewritten is
still what the other one was written over, and the rule has to be one that anyone can check in the history. A person who set a code
counts for what is written later under it too, until another approver has accepted a change order under it: then four eyes saw it.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

import peewee

from portal.db import Model
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain import events
from portal.domain.change_orders import EDITABLE, ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.people import User

AUTHORED, OWNS_TOKEN, FILE, CODE, APART, ANSWERED = "wrote", "token", "file", "code", "apart", "answered"
DEEDS = {
    AUTHORED: "sent or wrote this change order",
    OWNS_TOKEN: "made the access token with which this change order was sent or written",
    FILE: "uploaded or confirmed the file from which this change order was written",
    CODE: "changed a code under which this change order is sent",
    APART: "said that this change order, its commitment or its job is another one than it looks like",
    ANSWERED: "answered a question about this change order",
}
WAITING = (
    *EDITABLE,
    Status.READY,
    Status.QUEUED,
    Status.EXPORTING,
    Status.FAILED,
    Status.UNKNOWN,
)  # may yet be signed under another code

Contributors = dict[int, str]  # what each contributor did, by the person's id


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


class CodeHand(Model):
    """Who set a code that is in force, or said of a job or commitment that it is another one, and no other approver has accepted
    a change order under it since.

    thing, ref   job, vendor or commitment, and its id
    field        which of its codes, or `apart` and the id of what it looks like
    """

    thing = peewee.CharField(max_length=10)
    ref = peewee.IntegerField()
    field = peewee.CharField(max_length=20)
    person = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    person_id: int

    class Meta:
        indexes = ((("thing", "ref", "field"), True),)

    @property
    def deed(self) -> str:
        return APART if str(self.field).startswith(APART) else CODE


CONTRIBUTIONS = Statement(Shape(Contribution), query=Contribution.select)
CODE_HANDS = Statement(Shape(CodeHand), query=CodeHand.select)


def record(id: int, people: Iterable[User | int | None], deed: str) -> None:
    """These people had a hand in the change order, in the transaction of what they did; before its event."""
    rows = [(id, person, deed) for person in people if person is not None]
    if rows:
        Contribution.insert_many(rows, [Contribution.change_order, Contribution.person, Contribution.deed]).on_conflict_ignore().execute()


def record_writing(change_order: ChangeOrder, by: User | None) -> None:
    """Someone wrote or sent it; where it came by an access token, who made that could have done so too."""
    record(change_order.id, [by], AUTHORED)
    record(change_order.id, [events.maker()], OWNS_TOKEN)


def record_code(commitments: Any, person: User, deed: str = CODE) -> None:
    """The person changed a code under which the change orders of these commitments are sent (a condition of a query over them)."""
    theirs = (
        ChangeOrder.select(ChangeOrder.id, peewee.Value(person.id), peewee.Value(deed))
        .join(Commitment)
        .where(commitments, ChangeOrder.status.in_(WAITING))
    )
    Contribution.insert_from(theirs, [Contribution.change_order, Contribution.person, Contribution.deed]).on_conflict_ignore().execute()


def record_setting(thing: str, ref: int, fields: Iterable[str], person: User) -> None:
    """Record who set these codes; the person who set them before did not set what is in force."""
    for field in fields:
        CodeHand.delete().where(CodeHand.thing == thing, CodeHand.ref == ref, CodeHand.field == field).execute()
        CodeHand.create(thing=thing, ref=ref, field=field, person=person)


def record_apart(thing: str, ref: int, other: int, commitments: Any, person: User) -> None:
    """The person said that the job or commitment is another one than `other`: what is sent under it could not be sent before."""
    record_code(commitments, person, APART)
    record_setting(thing, ref, [f"{APART} {other}"], person)


def settle_codes(change_order: ChangeOrder, by: User) -> None:
    """An approver accepts it under these codes: who set them had a hand in it, and they are seen by four eyes now. After its locks."""
    set_by_others = [CodeHand.person != by, _codes_of([change_order])]
    hands = list(CodeHand.select().where(*set_by_others))
    for hand in hands:
        record(change_order.id, [hand.person_id], hand.deed)
    if hands:
        CodeHand.delete().where(CodeHand.id.in_([hand.id for hand in hands])).execute()


def of(change_order: ChangeOrder) -> Contributors:
    """Its contributors, and what each did."""
    return of_all([change_order])[change_order.id]


@Asks
def of_all(rows: list[ChangeOrder]) -> Steps[dict[int, Contributors]]:
    """`of` of each row, in one query."""
    contributed: dict[int, Contributors] = {row.id: {} for row in rows}
    if not rows:
        return {}
    refs = _refs(rows)
    condition = " OR ".join(f"(thing = '{thing}' AND ref IN {places(ids)})" for thing, ids in refs.items())
    contributions, hands = yield [
        CONTRIBUTIONS.where(f"change_order_id IN {places(rows)}", contributed),
        CODE_HANDS.where(condition, [id for ids in refs.values() for id in ids]),
    ]
    for (one,) in contributions:
        contributed[one.change_order_id][one.person_id] = DEEDS[one.deed]
    set_by: dict[tuple[str, int], Contributors] = defaultdict(dict)
    for (hand,) in hands:
        set_by[hand.thing, hand.ref][hand.person_id] = DEEDS[hand.deed]
    for row in rows:
        for thing in _things(row):
            contributed[row.id] = set_by[thing] | contributed[row.id]
    return {row.id: contributed[row.id] | dict.fromkeys(authors(row), DEEDS[AUTHORED]) for row in rows}


def authors(change_order: ChangeOrder) -> set[int]:
    """Its creator and its sender."""
    return {id for id in (change_order.sent_by_id, change_order.created_by_id) if id is not None}


def without(person: User) -> Any:
    """The person had no hand in it: as a condition of a query over change orders joined to their commitments, two looks into an index."""
    theirs = Contribution.select(peewee.SQL("1")).where(Contribution.change_order == ChangeOrder.id, Contribution.person == person)
    sent, created = (author.is_null() | (author != person) for author in (ChangeOrder.sent_by, ChangeOrder.created_by))
    refs = {"job": Commitment.job, "vendor": Commitment.vendor, "commitment": Commitment.id}
    under = reduce(or_, [(CodeHand.thing == thing) & (CodeHand.ref == ref) for thing, ref in refs.items()])
    set_codes = CodeHand.select(peewee.SQL("1")).where(CodeHand.person == person, under)
    return sent & created & ~peewee.fn.EXISTS(theirs) & ~peewee.fn.EXISTS(set_codes)


def _things(change_order: ChangeOrder) -> list[tuple[str, int]]:
    """What it is sent under, by kind and id."""
    held = change_order.commitment.__data__
    return [("job", held["job"]), ("vendor", held["vendor"] or 0), ("commitment", held["id"])]


def _refs(rows: Iterable[ChangeOrder]) -> dict[str, set[int]]:
    """The ids of all that these are sent under, by kind."""
    refs: dict[str, set[int]] = defaultdict(set)
    for thing, ref in (thing for row in rows for thing in _things(row)):
        refs[thing].add(ref)
    return refs


def _codes_of(rows: Iterable[ChangeOrder]) -> Any:
    """The codes under which these are sent, as a condition of a query over CodeHand."""
    return reduce(or_, [(CodeHand.thing == thing) & CodeHand.ref.in_(ids) for thing, ids in _refs(rows).items()])
