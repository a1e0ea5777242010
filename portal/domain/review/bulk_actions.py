"""One decision about many change orders: each goes by its own transition, in a transaction of its own; the whole stays as a record."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Busy, Model, MoneyField, UtcField, transaction
from portal.domain import events, people
from portal.domain.change_orders import ChangeOrder, Overtaken, complete
from portal.domain.companies import MOST_AT_ONCE
from portal.domain.people import NotPermitted, User
from portal.domain.review.signature import Changed
from portal.domain.rules import recheck
from portal.domain.rules.findings import Blocked

MOST = MOST_AT_ONCE  # what is more takes another press


class NotAsSeen(Exception):
    """A change order is not what the person chose it for; the text says what is otherwise."""


class What(StrEnum):
    """The transition that was asked for. The values are stored."""

    RETRY = "retry"
    REJECT = "reject"
    ACCEPT = "accept"
    HOLD = "hold"
    RECALL = "recall"


class BulkOutcome(StrEnum):
    """What became of one change order. The values are stored."""

    DONE = "done"
    SKIPPED = "skipped"  # it was no longer what the person had seen
    REFUSED = "refused"  # a right, four eyes or a rule stood against it
    OPEN = ""  # the portal was stopped before its turn


class BulkAction(Model):
    """Who asked what of how many, and why.

    key      drawn with the form: the same form sent twice is one action
    what     of type What
    about    what the change orders had in common, in words; `group`, by id, is the cause of failures it was
    asked    how many change orders, worth `total`
    """

    by = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    key = peewee.CharField(max_length=64)
    at = UtcField(default=clock.now)
    what = peewee.CharField(max_length=20)
    about = peewee.TextField()
    group = peewee.IntegerField(null=True)
    reason = peewee.TextField(default="")
    asked = peewee.IntegerField()
    total = MoneyField()

    class Meta:
        indexes = ((("by", "key"), True), (("group", "id"), False))


class BulkResult(Model):
    """What became of one change order: of type BulkOutcome, and why it was not done."""

    action = peewee.ForeignKeyField(BulkAction, on_delete="RESTRICT", backref="results")
    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="+")
    position = peewee.IntegerField()
    outcome = peewee.CharField(max_length=10, default=BulkOutcome.OPEN)
    text = peewee.TextField(default="")
    action_id: int
    change_order_id: int

    class Meta:
        indexes = ((("action", "position"), True),)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A change order in the version that the person saw."""

    id: int
    version: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the transition, of which change orders in which order, and what they have in common; `most` of them go."""

    what: What
    about: str
    chosen: list[Chosen]
    group: int | None = None
    reason: str = ""
    most: int = MOST


Act = Callable[[Chosen, User, int], object]  # one transition; the number is the change order's place in the order, from 0


def carry_out(asked: Asked, by: User, key: str, act: Act) -> BulkAction:
    """Do it row by row; what stands against one row stops no other. The same key by the same person does nothing twice.

    Where the database is busy or away the rest stays open, and the same form sent again goes on with it. Raises NotPermitted for a person
    who may clear nothing; rights and four eyes are read again at each row.
    """
    try:
        action, waiting = _begun(asked, by, key)
    except peewee.IntegrityError:  # the same form came twice at one moment, and the other one was first
        action, waiting = _begun(asked, by, key)
    with suppress(Busy), recheck.afterwards(), events.by_bulk_action(action.id):
        for result, chosen in waiting:
            _one(result, chosen, by, act, asked.most)
    return action


def counts(action: BulkAction) -> dict[BulkOutcome, int]:
    """How many ended how."""
    counted: Any = BulkResult.select(BulkResult.outcome, peewee.fn.COUNT(BulkResult.id)).where(BulkResult.action == action)
    return {BulkOutcome(outcome): count for outcome, count in counted.group_by(BulkResult.outcome).tuples()}


def load(id: int) -> BulkAction | None:
    """One action with who asked for it."""
    found: BulkAction | None = BulkAction.select(BulkAction, User).join(User).where(BulkAction.id == id).first()
    return found


def results(action: BulkAction) -> list[tuple[BulkResult, ChangeOrder]]:
    """What became of each, in order, with the change order as it is now; in two queries."""
    found = list(BulkResult.select().where(BulkResult.action == action).order_by(BulkResult.position))
    now = {one.id: one for one in complete().where(ChangeOrder.id.in_([result.change_order_id for result in found]))}
    return [(result, now[result.change_order_id]) for result in found]


def _begun(asked: Asked, by: User, key: str) -> tuple[BulkAction, list[tuple[BulkResult, Chosen]]]:
    """The action written down before any of it is done, with what waits; of one that was begun before, what is still open."""
    with transaction():
        by = people.as_held(by)
        if not by.may_support:
            raise NotPermitted(by.why_not_decide)
        if before := BulkAction.get_or_none(BulkAction.by == by, BulkAction.key == key):
            return before, _open(before, asked.chosen)
        amounts = _amounts(asked.chosen)
        chosen = [one for one in asked.chosen if one.id in amounts]
        action = BulkAction.create(
            by=by,
            key=key,
            what=asked.what,
            about=asked.about,
            group=asked.group,
            reason=asked.reason,
            asked=len(chosen),
            total=sum(amounts.values(), Decimal("0.00")),
        )
        return action, [(BulkResult.create(action=action, change_order=one.id, position=at), one) for at, one in enumerate(chosen)]


def _open(action: BulkAction, chosen: list[Chosen]) -> list[tuple[BulkResult, Chosen]]:
    seen = {one.id: one for one in chosen}
    still = (BulkResult.outcome == BulkOutcome.OPEN) & BulkResult.change_order.in_(list(seen))
    left = BulkResult.select().where(BulkResult.action == action, still).order_by(BulkResult.position)
    return [(result, seen[result.change_order_id]) for result in left]


def _amounts(chosen: list[Chosen]) -> dict[int, Decimal]:
    """Of what was sent to accounting: a draft is its job's own business."""
    known = ChangeOrder.select(ChangeOrder.id, ChangeOrder.amount).where(ChangeOrder.id.in_([one.id for one in chosen]))
    return {one.id: one.amount for one in known.where(ChangeOrder.sent_at.is_null(False))}


def not_among(place: int, most: int) -> str:
    """Why the one at this place, from 0, does not go, or an empty text."""
    return "" if place < most else f"At most {most} go at once: this one takes another press."


def _one(result: BulkResult, chosen: Chosen, by: User, act: Act, most: int) -> None:
    """The transition and its result, in one transaction; or the reason against it."""
    try:
        if why := not_among(result.position, most):
            raise NotAsSeen(why)
        with transaction():
            if _write(result, BulkOutcome.DONE):  # first: an event is the last insert of its transaction
                act(chosen, by, result.position)
    except Overtaken as error:
        _write(result, BulkOutcome.SKIPPED, f"{error}.")
    except (NotAsSeen, Changed) as error:
        _write(result, BulkOutcome.SKIPPED, str(error))
    except (NotPermitted, Blocked) as error:
        _write(result, BulkOutcome.REFUSED, str(error))


def _write(result: BulkResult, outcome: BulkOutcome, text: str = "") -> bool:
    """Whether it was still open: the same form, sent twice, may be at work at the same time."""
    still_open = (BulkResult.id == result.id) & (BulkResult.outcome == BulkOutcome.OPEN)
    with transaction():
        return bool(BulkResult.update(outcome=outcome, text=text).where(still_open).execute())
