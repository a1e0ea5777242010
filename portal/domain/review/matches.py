"""What a person means by a word: jobs, vendors, people and change orders in which it stands, however it is spelled.

Jobs, vendors and people are few, and compared in Python, where both databases fold alike; change orders are many, and keep their
words folded (`search_text`).
"""

import json
from collections.abc import Iterable
from typing import Any

import peewee

from portal.db import is_sqlite
from portal.domain import keys
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import User
from portal.domain.rules.spectrum_numbers import SpectrumNumber

FEW = 500
IN_SQLITE = "IN (SELECT value FROM json_each(?))"
IN_POSTGRES = "IN (SELECT value::bigint FROM json_array_elements_text(%s::json))"


def somewhere(word: str) -> Any:
    """The change orders with this folded word in their number, title, commitment, vendor, job or Spectrum number, as a condition."""
    places = Commitment.select(Commitment.id).where(
        Commitment.key.contains(keys.canonical(word))
        | (Commitment.loose == keys.loose(word))
        | among(Commitment.job, _with(word, _jobs()))
        | among(Commitment.vendor, _with(word, _vendors()))
    )
    numbered = SpectrumNumber.select(SpectrumNumber.change_order).where(SpectrumNumber.number.contains(keys.canonical(word)))
    return ChangeOrder.search_text.contains(word) | ChangeOrder.commitment.in_(places) | ChangeOrder.id.in_(numbered)


def commitments(column: Any, ids: Iterable[int]) -> Any:
    """The change orders of the commitments with one of these jobs, or vendors. Asked for first, so that a database knows how many."""
    found: Any = Commitment.select(Commitment.id).where(among(column, ids)).tuples()
    return among(ChangeOrder.commitment, [id for (id,) in found])


def jobs(text: str) -> list[int]:
    """The job of this number; where there is none, those with all these words in number and name."""
    return _meant(text, _jobs())


def vendors(text: str) -> list[int]:
    """The vendors of this code or name; where there is none, those with all these words in them."""
    return _meant(text, _vendors())


def people(text: str) -> list[int]:
    """The people of this e-mail address or name; where there is none, those with all these words in them."""
    return _meant(text, [(id, name, email) for id, name, email in _tuples(User.select(User.id, User.name, User.email))])


def among(column: Any, ids: Iterable[int]) -> Any:
    """The column has one of these values, however many there are. Of a few, a database knows how often they come."""
    ids = list(ids)
    if len(ids) <= FEW:
        return column.in_(ids)
    return peewee.NodeList((column, peewee.SQL(IN_SQLITE if is_sqlite() else IN_POSTGRES, [json.dumps(ids)])))


def _jobs() -> list[tuple[int, str, str]]:
    return _tuples(Job.select(Job.id, Job.number, Job.name))


def _vendors() -> list[tuple[int, str, str]]:
    return _tuples(Vendor.select(Vendor.id, Vendor.code, Vendor.name))


def _tuples(query: Any) -> list[tuple[int, str, str]]:
    return list(query.tuples())


def _meant(text: str, known: list[tuple[int, str, str]]) -> list[int]:
    folded = keys.searched(text)
    exact = [id for id, *names in known if folded in map(keys.searched, names)]
    return exact or [id for id, *names in known if all(word in keys.searched(" ".join(names)) for word in folded.split())]


def _with(word: str, known: list[tuple[int, str, str]]) -> list[int]:
    return [id for id, *names in known if word in keys.searched(" ".join(names))]
