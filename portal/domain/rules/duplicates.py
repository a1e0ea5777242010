"""Numbers that look like another one: the two may be one thing, whose money would then go to Spectrum twice.

A change order looks like another of its commitment, its commitment like an earlier one of the job, its job like an earlier
one, or its subcontract number stands on another commitment of the job. A person says, once for each pair, that it is
another one; until then it cannot be sent, and accounting cannot accept it where the other one was sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Read, Steps
from portal.domain import keys
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.people import User

CHANGE_ORDER, COMMITMENT, SUBCONTRACT, JOB = "CCO", "commitment", "subcontract number", "job"
FIELDS = {CHANGE_ORDER: "number", COMMITMENT: "commitment", SUBCONTRACT: "commitment", JOB: "job"}
Found = dict[int | None, list["Likeness"]]
Rows = list[Sequence[Any]]


class Distinction(Model):
    """A person's word that two are not the same.

    kind        what looks alike: CCO, commitment, subcontract number, job
    one, other  the ids of the two (of commitments for a subcontract number), the lower one first
    numbers     how the two are compared; it holds for these, and no longer once one of them has another number
    """

    kind = peewee.CharField(max_length=20)
    one = peewee.IntegerField()
    other = peewee.IntegerField()
    numbers = peewee.TextField()
    by = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    by_id: int
    at = UtcField(default=clock.now)

    class Meta:
        indexes = ((("kind", "one", "other", "numbers"), True),)


DISTINCTIONS = Statement(Shape(Distinction), Shape(User, "id", "name"), query=lambda *columns: Distinction.select(*columns).join(User))


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing that a change order's number, commitment or job looks like.

    id, number      of what belongs to the change order; other_id, other: of what it looks like
    about           where the other one stands, in words: its state, its commitment
    at_accounting   it matters at Accept too: the other one was sent, or is no change order
    said            who said when that it is another one; empty until then
    """

    kind: str
    id: int | None
    number: str
    other_id: int
    other: str
    about: str = ""
    at_accounting: bool = True
    said: str = ""

    @property
    def pair(self) -> tuple[str, int, int, str]:
        """As a Distinction keeps it."""
        mine, theirs = (self.id or 0, keys.canonical(self.number)), (self.other_id, keys.canonical(self.other))
        first, second = sorted((mine, theirs))
        return self.kind, first[0], second[0], f"{first[1]}\n{second[1]}"

    @property
    def text(self) -> str:
        """The likeness as a sentence."""
        name = self.kind[:1].upper() + self.kind[1:]
        if self.kind == SUBCONTRACT and keys.subcontract(self.number) == keys.subcontract(self.other):
            likeness = f"{name} {self.number} stands on {self.about} too"
        else:
            likeness = f"{name} {self.number} looks like {self.other}{f' ({self.about})' if self.about else ''}"
        return f"{likeness}; {self.said} that it is another one." if self.said else f"{likeness}."


@Asks
def of(change_orders: Sequence[ChangeOrder]) -> Steps[Found]:
    """What each looks like, by id, in two queries."""
    found: Found = {change_order.id: [] for change_order in change_orders}
    if change_orders:
        numbers, commitments, jobs = yield [_same_number(change_orders), _same_jobs(change_orders), _same_job_number(change_orders)]
        for likenesses in (_numbers(change_orders, numbers), _commitments(change_orders, commitments), _jobs(change_orders, jobs)):
            for id, likeness in likenesses:
                found[id].append(likeness)
    return (yield from _with_said(change_orders, found))


def of_one(change_order: ChangeOrder) -> list[Likeness]:
    return of([change_order])[change_order.id]


def _same_number(change_orders: Sequence[ChangeOrder]) -> Read:
    """Other change orders of the commitments, but for void ones: they never go anywhere."""
    commitments, loose = {one.commitment_id for one in change_orders}, {keys.loose(one.number) for one in change_orders}
    source = f"FROM change_order WHERE commitment_id IN {places(commitments)} AND loose IN {places(loose)} AND status <> 'void'"
    return Read("id, commitment_id, number, status, sent_at", source, [*commitments, *loose], _by_id)


def _same_jobs(change_orders: Sequence[ChangeOrder]) -> Read:
    """The commitments of the jobs."""
    jobs = {one.job.id for one in change_orders}
    return Read("id, job_id, number, subcontract", f"FROM commitment WHERE job_id IN {places(jobs)}", list(jobs), _by_id)


def _same_job_number(change_orders: Sequence[ChangeOrder]) -> Read:
    loose = {one.job.loose for one in change_orders}
    return Read("id, company_id, number", f"FROM job WHERE loose IN {places(loose)}", list(loose), _by_id)


def _by_id(rows: Iterable[Sequence[Any]]) -> Rows:
    return sorted(rows, key=lambda row: row[0])


def _numbers(change_orders: Sequence[ChangeOrder], rows: Rows) -> Iterator[tuple[int | None, Likeness]]:
    there = defaultdict(list)
    for row in rows:
        there[row[1]].append(row)
    for mine in change_orders:
        for id, _, number, status, sent_at in there[mine.commitment_id]:
            if id != mine.id and keys.are_alike(mine.number, number):
                yield mine.id, Likeness(CHANGE_ORDER, mine.id, mine.number, id, number, Status(status).label, sent_at is not None)


def _commitments(change_orders: Sequence[ChangeOrder], rows: Rows) -> Iterator[tuple[int | None, Likeness]]:
    """Earlier commitments of the job by their number, and all others by their subcontract number."""
    there = defaultdict(list)
    for id, job, number, subcontract in rows:
        there[job].append((id, number, subcontract))
    likenesses: dict[int, list[Likeness]] = {}
    for mine in change_orders:
        held = mine.commitment
        if held.id not in likenesses:
            likenesses[held.id] = list(_of_commitment(held, there[mine.job.id]))
        yield from ((mine.id, likeness) for likeness in likenesses[held.id])


def _of_commitment(held: Commitment, others: list[tuple[int, str, str]]) -> Iterator[Likeness]:
    for id, number, subcontract in others:
        if id < held.id and keys.are_alike(held.number, number):
            yield Likeness(COMMITMENT, held.id, held.number, id, number)
        if id != held.id and held.subcontract and subcontract and keys.are_alike(held.subcontract, subcontract):
            yield Likeness(SUBCONTRACT, held.id, held.subcontract, id, subcontract, f"commitment {number}")


def _jobs(change_orders: Sequence[ChangeOrder], rows: Rows) -> Iterator[tuple[int | None, Likeness]]:
    """Earlier jobs of the company."""
    there = defaultdict(list)
    for id, company, number in rows:
        there[company].append((id, number))
    likenesses: dict[int, list[Likeness]] = {}
    for mine in change_orders:
        job = mine.job
        if job.id not in likenesses:
            earlier = [(id, number) for id, number in there[mine.company.id] if id < job.id and keys.are_alike(job.number, number)]
            likenesses[job.id] = [Likeness(JOB, job.id, job.number, id, number) for id, number in earlier]
        yield from ((mine.id, likeness) for likeness in likenesses[job.id])


def _with_said(change_orders: Sequence[ChangeOrder], found: Found) -> Steps[Found]:
    """The same, each with who said that it is another one."""
    pairs = {likeness.pair for likenesses in found.values() for likeness in likenesses}
    if not pairs:
        return found
    one, other = {pair[1] for pair in pairs}, {pair[2] for pair in pairs}
    (rows,) = yield [DISTINCTIONS.where(f"t1.one IN {places(one)} AND t1.other IN {places(other)}", [*one, *other])]
    said = {(told.kind, told.one, told.other, told.numbers): (by.name, told.at) for told, by in rows}
    zone = ZoneInfo(change_orders[0].company.time_zone)
    return {id: [_said(one, said.get(one.pair), zone) for one in likenesses] for id, likenesses in found.items()}


def _said(likeness: Likeness, told: tuple[str, datetime] | None, zone: ZoneInfo) -> Likeness:
    return replace(likeness, said=f"{told[0]} said on {told[1].astimezone(zone):%m/%d/%Y}") if told else likeness
