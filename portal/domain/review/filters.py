"""What a list is narrowed to: by words, places, people, money and days; what is empty does not count."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal.db import MoneyField
from portal.domain import companies, keys, waiting
from portal.domain.change_orders import EDITABLE, ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.review import matches
from portal.domain.rules import attention
from portal.domain.rules.spectrum_numbers import SpectrumNumber

ONE_DAY = timedelta(days=1)
CLEAN, FLAGGED = "clean", "flagged"
HELD, FREE = "yes", "no"
TODAY, WEEK = "today", "week"
SENT_AMOUNT: Any = peewee.fn.COALESCE(ChangeOrder.sent_amount, ChangeOrder.amount)
AMOUNT: Any = peewee.Case(None, ((ChangeOrder.status.in_(EDITABLE), SENT_AMOUNT),), ChangeOrder.amount)  # as accounting reads it


@dataclass(frozen=True, slots=True)
class Filter:
    """Days are the company's, both ends included.

    q       words, each of which is in number, title, commitment, vendor, job or Spectrum number
    job     its number, else words of number and name; `vendor` likewise, by code
    sender  words of the name or the e-mail address; `decider` likewise
    age     sent more than so many days ago
    checks  `clean`: nothing to look at; `flagged`: the others
    held    `yes`: on hold; `no`: not
    decided  `today`, or this `week`, which begins on Monday
    number  its Spectrum number
    since, until  the day on which it was sent
    """

    q: str = ""
    job: str = ""
    vendor: str = ""
    sender: str = ""
    min: Decimal | None = None
    max: Decimal | None = None
    age: int | None = None
    checks: str = ""
    held: str = ""
    status: str = ""
    decider: str = ""
    decided: str = ""
    number: str = ""
    since: date | None = None
    until: date | None = None


def found(condition: str, wanted: Filter) -> Any:
    """The change orders of a view, by its condition, that the filter lets through: a query of their ids."""
    return ChangeOrder.select(ChangeOrder.id).where(peewee.SQL(condition), *conditions(wanted))


def conditions(wanted: Filter) -> list[Any]:
    """As conditions of a query over change orders that were sent."""
    found = [*_about_things(wanted), *_about_money_and_time(wanted)]
    if wanted.checks:
        flagged = (ChangeOrder.checks != "clean") | ((ChangeOrder.status == Status.READY) & _needs_a_look())
        found.append(flagged if wanted.checks == FLAGGED else ~flagged)
    if wanted.held:
        on_hold = _is_on_hold()
        found.append(on_hold if wanted.held == HELD else ~on_hold)
    if wanted.status:
        found.append(ChangeOrder.status == wanted.status)
    return found


def _about_things(wanted: Filter) -> list[Any]:
    found = [matches.somewhere(word) for word in keys.searched(wanted.q).split()]
    if wanted.job:
        found.append(matches.commitments(Commitment.job, matches.jobs(wanted.job)))
    if wanted.vendor:
        found.append(matches.commitments(Commitment.vendor, matches.vendors(wanted.vendor)))
    if wanted.sender:
        found.append(matches.among(ChangeOrder.sent_by, matches.people(wanted.sender)))
    if wanted.decider:
        found.append(matches.among(ChangeOrder.decided_by, matches.people(wanted.decider)))
    if wanted.number:
        same = SpectrumNumber.select(SpectrumNumber.change_order).where(SpectrumNumber.number == keys.canonical(wanted.number))
        found.append(ChangeOrder.id.in_(same))
    return found


def _about_money_and_time(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.min is not None:
        found.append(MoneyField().db_value(wanted.min) <= AMOUNT)
    if wanted.max is not None:
        found.append(MoneyField().db_value(wanted.max) >= AMOUNT)
    if wanted.age is not None:
        found.append(ChangeOrder.sent_at < _midnight(waiting.today(companies.current()) - wanted.age * ONE_DAY))
    if wanted.decided:
        found.append(ChangeOrder.decided_at >= _midnight(_first_day(wanted.decided)))
    if wanted.since:
        found.append(ChangeOrder.sent_at >= _midnight(wanted.since))
    if wanted.until:
        found.append(ChangeOrder.sent_at < _midnight(wanted.until + ONE_DAY))
    return found


def _needs_a_look() -> Any:
    """As the row says it (lists.Row.looks)."""
    asked = ChangeOrder.asked_at.is_null(False) & ChangeOrder.answered_at.is_null()
    return attention.condition(companies.current()) | asked | _is_on_hold()


def _is_on_hold() -> Any:
    """Never unknown, so that it can be turned round."""
    return ChangeOrder.held_until.is_null(False) & (ChangeOrder.held_until > waiting.today(companies.current()))


def _first_day(decided: str) -> date:
    today = waiting.today(companies.current())
    return today if decided == TODAY else today - today.weekday() * ONE_DAY


def _midnight(day: date) -> datetime:
    company: Company = companies.current()
    return datetime.combine(day, time(), ZoneInfo(company.time_zone)).astimezone(UTC)
