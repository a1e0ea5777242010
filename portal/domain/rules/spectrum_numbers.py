"""Spectrum change request numbers: 8 characters, shared by everyone on a job and customer, ours for ever once taken.

Spectrum updates whatever already carries the number, without a word. So a number belongs to one change order for good,
under a unique constraint, before the first call. Spectrum's key is company, job, customer and number: where one of the
first three changes, the number has to be taken once more, under the present key.
"""

from collections.abc import Iterable
from itertools import count

import peewee

from portal.db import Model
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain import keys
from portal.domain.change_orders import EDITABLE, ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.spectrum import records

NOT_ACCEPTED = (*EDITABLE, Status.READY)  # the next Accept takes a number under the key of that moment
Key = tuple[str, str, str, str]


class SpectrumNumber(Model):
    """A number taken for a change order: Spectrum's own key of a change request, in one spelling. Never released.

    turn  counts the takings of its change order: the highest is the number in force
    """

    company = peewee.CharField(max_length=3)
    job = peewee.CharField(max_length=10)
    customer = peewee.CharField(max_length=10)
    number = peewee.CharField(max_length=8)
    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="numbers")
    change_order_id: int
    turn = peewee.IntegerField(default=1)

    class Meta:
        indexes = ((("company", "job", "customer", "number"), True), (("number",), False))

    @property
    def key(self) -> Key:
        return self.company, self.job, self.customer, self.number


NUMBERS = Statement(Shape(SpectrumNumber), query=SpectrumNumber.select)


class Taken(Exception):
    """Another change order has the number under the present key: `holder`."""

    def __init__(self, number: str, holder: ChangeOrder) -> None:
        super().__init__(f"The number {number} belongs to {named(holder)}.")
        self.number, self.holder = number, holder


def kept(change_order: ChangeOrder) -> str:
    """The number the change order has in Spectrum's books, or an empty text.

    Before an Accept it is the one it has under the present key of company, job and customer, or the last one it had
    under another key, if that is free here: a number stays with its change order as long as it can.
    """
    return all_kept([change_order]).get(change_order.id, "")


@Asks
def all_kept(change_orders: Iterable[ChangeOrder]) -> Steps[dict[int, str]]:
    """`kept` of each change order that has one, by its id, in two queries."""
    wanted = {one.id: one for one in change_orders}
    held = yield from _held.steps(wanted)
    chosen = {id: _chosen(wanted[id], rows) for id, rows in held.items()}
    holders = yield from _holders({key for id, key in chosen.items() if wanted[id].state in NOT_ACCEPTED})
    return {id: key[3] for id, key in chosen.items() if wanted[id].state not in NOT_ACCEPTED or holders.get(key, id) == id}


def lost(change_order: ChangeOrder) -> Taken | None:
    """The number that the change order had, and who has it now under the present key; None where no one took it away."""
    rows = _held([change_order.id]).get(change_order.id)
    if not rows or kept(change_order):
        return None
    holder = holder_of(change_order, rows[0].number)
    return Taken(rows[0].number, holder) if holder else None


def holder_of(change_order: ChangeOrder, number: str) -> ChangeOrder | None:
    """The other change order that has the number under the present key of this one; None while it is free or its own."""
    taken: SpectrumNumber | None = SpectrumNumber.get_or_none(**_key(change_order, number))
    return None if taken is None or taken.change_order_id == change_order.id else _holder(taken)


def named(holder: ChangeOrder) -> str:
    return f"CCO {holder.number} of {holder.commitment.number}"


def propose(change_order: ChangeOrder) -> str:
    """The number it keeps; else `S014-003` out of commitment and CCO number; else, if that is taken, the next `S0000001`."""
    if number := kept(change_order):
        return number
    number = natural(change_order)
    return number if holder_of(change_order, number) is None else _running(change_order)


def natural(change_order: ChangeOrder) -> str:
    """The number that commitment and CCO number suggest, taken or not."""
    commitment = change_order.commitment
    return records.change_request_number(commitment.number, change_order.number, bool(commitment.is_purchase_order))


def passed_over(change_order: ChangeOrder) -> str:
    """Why it does not get the number that it had, or the natural one: whose that is. Empty where it gets it."""
    if gone := lost(change_order):
        return f"Its number {gone.number} belongs to {named(gone.holder)} now"
    number = natural(change_order)
    holder = holder_of(change_order, number)
    return f"The number {number} belongs to {named(holder)}" if holder else ""


def chosen(change_order: ChangeOrder, typed: str) -> str:
    """The number an approver means: upper case, and the proposed one for nothing. What no one sees in it stays, to be refused."""
    return keys.plain(typed).upper() or propose(change_order)


def reserve(change_order: ChangeOrder, number: str) -> None:
    """Take the number under the present key, whatever the change order had before, in the caller's transaction. Raises Taken.

    Every road that takes a number comes here. Of two at once the second waits for the first and then finds its row.
    """
    held = _held([change_order.id]).get(change_order.id)
    last = held[0].turn if held else 0
    key = _key(change_order, number)
    SpectrumNumber.insert(change_order=change_order, turn=last + 1, **key).on_conflict_ignore().execute()
    row = SpectrumNumber.get(**key)
    if row.change_order_id != change_order.id:
        raise Taken(number, _holder(row))
    if row.turn < last:  # it had this one before the one in force
        SpectrumNumber.update(turn=last + 1).where(SpectrumNumber.id == row.id).execute()


def _holder(taken: SpectrumNumber) -> ChangeOrder:
    holder: ChangeOrder = ChangeOrder.select(ChangeOrder, Commitment).join(Commitment).where(ChangeOrder.id == taken.change_order_id).get()
    return holder


def _key(change_order: ChangeOrder, number: str) -> dict[str, str]:
    """The present key, in the one spelling in which keys are compared."""
    job = change_order.job
    parts = {"company": change_order.company.code, "job": job.number, "customer": job.customer, "number": number}
    return {name: keys.canonical(part) for name, part in parts.items()}


@Asks
def _held(ids: Iterable[int]) -> Steps[dict[int, list[SpectrumNumber]]]:
    """What each change order has, the one in force first."""
    held: dict[int, list[SpectrumNumber]] = {}
    if wanted := list(ids):
        (found,) = yield [NUMBERS.where(f"change_order_id IN {places(wanted)}", wanted)]
        for (row,) in sorted(found, key=lambda found: -found[0].turn):
            held.setdefault(row.change_order_id, []).append(row)
    return held


def _chosen(change_order: ChangeOrder, rows: list[SpectrumNumber]) -> Key:
    """The key of the number in force; before an Accept as it would be now."""
    if change_order.state not in NOT_ACCEPTED:
        return rows[0].key
    present = [row.key for row in rows if row.key == _as_key(change_order, row.number)]
    return present[0] if present else _as_key(change_order, rows[0].number)


def _as_key(change_order: ChangeOrder, number: str) -> Key:
    key = _key(change_order, number)
    return key["company"], key["job"], key["customer"], key["number"]


def _holders(wanted: set[Key]) -> Steps[dict[Key, int]]:
    """Who has these numbers under these keys."""
    if not wanted:
        return {}
    keys_given = ", ".join(places(key) for key in wanted)
    (found,) = yield [NUMBERS.where(f"(company, job, customer, number) IN (VALUES {keys_given})", [part for key in wanted for part in key])]
    return {row.key: row.change_order_id for (row,) in found}


def _running(change_order: ChangeOrder) -> str:
    book = _key(change_order, "")
    running = SpectrumNumber.select(peewee.fn.MAX(SpectrumNumber.number)).where(
        SpectrumNumber.company == book["company"],
        SpectrumNumber.job == book["job"],
        SpectrumNumber.customer == book["customer"],
        peewee.fn.LENGTH(SpectrumNumber.number) == 8,
        SpectrumNumber.number.startswith("S0"),
        ~SpectrumNumber.number.contains("-"),
    )
    last: str | None = running.scalar()
    start = int(last[1:]) + 1 if last and last[1:].isdigit() else 1
    return next(number for number in (f"S{n:07d}" for n in count(start)) if holder_of(change_order, number) is None)
