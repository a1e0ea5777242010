"""A person's word that a change order, or what it belongs to, is another one than what it looks like."""

from typing import Any

from portal.db import transaction
from portal.domain import events, people
from portal.domain.change_orders import SUBJECT, ChangeOrder, Overtaken
from portal.domain.commitments import Commitment
from portal.domain.events import Action
from portal.domain.people import User
from portal.domain.projects import sending
from portal.domain.rules import contributors, duplicates, recheck
from portal.domain.rules.duplicates import CHANGE_ORDER, JOB, Distinction, Likeness


def tell_apart(id: int, by: User, kind: str, other: int) -> Likeness:
    """A member of the job says that it is another one. Saying it twice changes nothing.

    Raises NotPermitted, or Overtaken when the two look alike no longer.
    """
    with transaction():
        by, change_order = people.as_held(by), sending.hold(id)  # the other one of the pair is judged again here
        sending.ensure_may_write(change_order, by)
        found = next((one for one in duplicates.of_one(change_order) if (one.kind, one.other_id) == (kind, other)), None)
        if found is None:
            raise Overtaken(change_order)
        _say(change_order, by, found)
        return found


def tell_apart_all(change_order: ChangeOrder, by: User | None) -> None:
    """The same of everything that it looks like, in the transaction of an import where this was ticked in the preview."""
    for likeness in duplicates.of_one(change_order) if by else ():
        _say(change_order, by, likeness)


def _say(change_order: ChangeOrder, by: User | None, likeness: Likeness) -> None:
    kind, one, other, numbers = likeness.pair
    if likeness.said or by is None:
        return
    pair = {"kind": kind, "one": one, "other": other, "numbers": numbers}
    Distinction.insert(by=by, **pair).on_conflict_ignore().execute()
    if Distinction.get(**pair).by_id != by.id:
        return  # someone else said so this very moment
    _contribute(likeness, by)
    events.record(SUBJECT, change_order.id, Action.SAID_DISTINCT, by, kind=kind, number=likeness.number, other=likeness.other)
    recheck.again(_concerned(likeness))


def _contribute(likeness: Likeness, by: User) -> None:
    """Four eyes: neither of the two could be sent, or accepted beside the other, before someone said so."""
    if likeness.kind == CHANGE_ORDER:
        for one in (likeness.id, likeness.other_id):
            contributors.record(one or 0, [by], contributors.APART)
        return
    thing, under = ("job", Commitment.job) if likeness.kind == JOB else ("commitment", Commitment.id)
    pair = (likeness.id or 0, likeness.other_id)
    for ref, other in (pair, pair[::-1]):
        contributors.record_apart(thing, ref, other, under == ref, by)


def _concerned(likeness: Likeness) -> Any:
    """The change orders that may be judged differently now."""
    if likeness.kind == CHANGE_ORDER:
        return ChangeOrder.id.in_((likeness.id, likeness.other_id))
    if likeness.kind == JOB:
        return Commitment.job.in_((likeness.id, likeness.other_id))
    return ChangeOrder.commitment.in_((likeness.id, likeness.other_id))
