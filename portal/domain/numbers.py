"""Spectrum change request numbers: 8 characters, shared by everybody on a job and customer, ours for ever once taken.

Spectrum updates whatever already carries the number, without a word. So a number belongs to one change order for good,
under a unique constraint, before the first call.
"""

from itertools import count

import peewee

from portal.db import Model
from portal.domain.change_orders import ChangeOrder
from portal.spectrum import records


class SpectrumNumber(Model):
    """A number taken for a change order: Spectrum's own key of a change request. Never released."""

    company = peewee.CharField(max_length=3)
    job = peewee.CharField(max_length=10)
    customer = peewee.CharField(max_length=10)
    number = peewee.CharField(max_length=8)
    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="numbers")
    change_order_id: int

    class Meta:
        indexes = ((("company", "job", "customer", "number"), True),)


def _book(change_order: ChangeOrder) -> dict[str, str]:
    return {"company": change_order.company.code, "job": change_order.job.number, "customer": change_order.job.customer}


def kept(change_order: ChangeOrder) -> str:
    """The number the change order already has in Spectrum's books, or an empty text."""
    taken = (
        SpectrumNumber.select(SpectrumNumber.number).where(SpectrumNumber.change_order == change_order).order_by(SpectrumNumber.id.desc())
    )
    number: str | None = taken.limit(1).scalar()
    return number or ""


def all_kept(ids: list[int]) -> dict[int, str]:
    """`kept` of each change order that has one, by its id, in one query."""
    taken = SpectrumNumber.select(SpectrumNumber.change_order, SpectrumNumber.number).where(SpectrumNumber.change_order.in_(ids))
    return {row.change_order_id: row.number for row in taken.order_by(SpectrumNumber.id)}


def is_free(change_order: ChangeOrder, number: str) -> bool:
    """Whether no other change order of the job and customer has the number."""
    holder = SpectrumNumber.get_or_none(number=number, **_book(change_order))
    return holder is None or holder.change_order_id == change_order.id


def propose(change_order: ChangeOrder) -> str:
    """The number it has; else `S014-003` out of commitment and CCO number; else, if that is taken, the next `S0000001`."""
    if number := kept(change_order):
        return number
    commitment = change_order.commitment
    number = records.change_request_number(commitment.number, change_order.number, bool(commitment.is_purchase_order))
    return number if is_free(change_order, number) else _running(change_order)


def chosen(change_order: ChangeOrder, typed: str) -> str:
    """The number an approver means by what was typed: upper case, and the proposed one for nothing."""
    return typed.strip().upper() or propose(change_order)


class Taken(Exception):
    """Another change order took the number this very moment."""


def reserve(change_order: ChangeOrder, number: str) -> None:
    """Take the number, in the transaction of Accept. Raises Taken."""
    if number == kept(change_order):
        return
    book = _book(change_order) | {"number": number}
    SpectrumNumber.insert(change_order=change_order, **book).on_conflict_ignore().execute()
    if SpectrumNumber.get(**book).change_order_id != change_order.id:
        raise Taken(number)


def _running(change_order: ChangeOrder) -> str:
    book = _book(change_order)
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
    return next(number for number in (f"S{n:07d}" for n in count(start)) if is_free(change_order, number))
