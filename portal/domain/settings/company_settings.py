"""What an administrator sets for the company: each field read by its own rule, old and new values kept in the audit trail."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from portal.db import transaction
from portal.domain import currencies, days, events, outbox, people
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.companies import MOST_AT_ONCE, Company, current, hold
from portal.domain.events import Event
from portal.domain.exporting import outdated
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import User
from portal.domain.rules import recheck, spectrum_lists
from portal.domain.rules.attention import Reason
from portal.domain.rules.text_rules import KEY_CHARACTERS

LONGEST_DELAY_S = 3600
LARGEST_PERCENT = 1000
MOST_REASONS, LONGEST_REASON = 6, 100
MOST_OWNERS = 10
NEEDED = {
    "code": "Company code",
    "cr_status": "Change request status",
    "cost_reimbursable": "Cost-reimbursable flag",
    "sub_status": "Subcontract status",
}


class Invalid(Exception):
    """Some values cannot be kept; `errors` says for each field why. Nothing was recorded."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def name(text: str) -> str:
    if not 1 <= len(text) <= 100 or not text.isprintable():
        raise ValueError("The company name needs 1 to 100 plain characters.")
    return text


def time_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("Choose a time zone such as America/Chicago.")
    return text


def switch(text: str) -> bool:
    """A box: ticked, or absent from the form."""
    if text not in ("", "on"):
        raise ValueError("This is switched on or off.")
    return text == "on"


def currency(text: str) -> str:
    if text not in currencies.OF_BOOKS:
        raise ValueError("Choose the currency of the books from the list.")
    return text


def whole(least: int, most: int, what: str, of: str = "", end: str = "") -> Callable[[str], int]:
    """A whole number."""

    def read(text: str) -> int:
        if not re.fullmatch(rf"[0-9]{{1,{len(str(most))}}}", text) or not least <= int(text) <= most:
            raise ValueError(f"The {what} is a whole number{of} from {least} to {most}{end}.")
        return int(text)

    return read


def percent(text: str) -> int | None:
    """A share in percent; empty for none."""
    if not re.fullmatch(r"[0-9]{0,4}", text) or int(text or 0) > LARGEST_PERCENT:
        raise ValueError(f"The growth limit is a whole number of percent from 0 to {LARGEST_PERCENT}, or blank.")
    return int(text) if text else None


def amount(text: str) -> Decimal | None:
    """US dollars as people write them: 50000, 50,000.00, $50,000; empty for no limit."""
    if not re.fullmatch(r"(\$?([0-9]{1,10}|[0-9]{1,3}(,[0-9]{3}){1,2})(\.[0-9]{2})?)?", text):
        raise ValueError("The look limit is an amount such as 50000.00, or blank.")
    return Decimal(text.removeprefix("$").replace(",", "")) if text else None


def look_rules(text: str) -> str:
    """The reasons that are ticked, in their order."""
    if set(text.split()) - set(Reason):
        raise ValueError("Choose the reasons from the list.")
    return " ".join(reason for reason in Reason if reason in text.split())


def reasons(text: str) -> str:
    """Reject reason presets, one to a line; empty lines and repeats are left out."""
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(found) > MOST_REASONS or any(len(line) > LONGEST_REASON or not line.isprintable() for line in found):
        raise ValueError(f"The reject reasons are at most {MOST_REASONS} lines of at most {LONGEST_REASON} plain characters each.")
    return "\n".join(found)


def supporters(text: str) -> str:
    """E-mail addresses of people who can look after failures, one to a line."""
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    unfit = [address for address in found if not ((person := people.find(address)) and person.may_support)]
    if unfit or len(found) > MOST_OWNERS:
        named = f" {unfit[0]} is none." if unfit else ""
        raise ValueError(
            f"At most {MOST_OWNERS} people with an open account of level Standard or higher, one e-mail address to a line.{named}"
        )
    return "\n".join(found)


def weekdays(text: str) -> str:
    """Numbers of days, Monday 1 to Sunday 7, as ticked."""
    if not re.fullmatch(r"[1-7]{1,7}", text):
        raise ValueError("Choose at least one day for the summary, or switch it off.")
    return "".join(sorted(set(text)))


def code(longest: int, what: str) -> Callable[[str], str]:
    """A Spectrum code of 1 to `longest` characters; empty while it is not known."""

    def read(text: str) -> str:
        text = text.upper()
        if len(text) > longest or not text.isascii() or not text.isprintable() or KEY_CHARACTERS.search(text) or " " in text:
            raise ValueError(f"The {what} has 1 to {longest} characters, letters and digits, as in Spectrum.")
        return text

    return read


def day(what: str) -> Callable[[str], date | None]:
    """A date as a browser sends it; empty for none."""

    def read(text: str) -> date | None:
        try:
            return days.read(text, date.min, date.max) if text else None
        except ValueError:
            raise ValueError(f"The {what} is a date such as 2026-11-30.") from None

    return read


def one_of(choices: str, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in ("", *choices):
            raise ValueError(f"Choose the {what} from the list.")
        return text

    return read


DELAY, HOUR = whole(0, LONGEST_DELAY_S, "export delay", " of seconds"), whole(0, 23, "hour of the summary", end=", in company time")
Section = Mapping[str, Callable[[str], Any]]
SECTIONS: Mapping[str, Section] = {
    "company": {"name": name, "time_zone": time_zone},
    "decisions": {"custom_title": switch, "edit_number": switch, "four_eyes": switch, "support_may_retry": switch, "export_delay": DELAY},
    "checks": {"currency": currency, "tax_allowed": switch},
    "look": {"look_rules": look_rules, "look_limit": amount, "growth_limit": percent},
    "bulk": {"bulk_cap": whole(1, MOST_AT_ONCE, "most at once"), "bulk_read_all": switch},
    "resending": {"test_company": switch},
    "reasons": {"reject_reasons": reasons},
    "owners": {"it_people": supporters, "administrator_people": supporters},
    "summary": {"daily_summary": switch, "summary_hour": HOUR, "summary_days": weekdays},
    "period": {
        "accounting_dates": switch,
        "period_from": day("first day of the open period"),
        "period_to": day("last day of the open period"),
    },
    "spectrum": {
        "code": code(3, "company code"),
        "cr_status": code(2, "change request status"),
        "cr_approves": switch,
        "cost_reimbursable": one_of("YN", "cost-reimbursable flag"),
        "sub_status": one_of("PR", "subcontract status"),  # E needs an existing subcontract change order number, which we do not keep
    },
}


def change(section: str, values: Mapping[str, str], by: User, confirmed: int = 0) -> Company:
    """Keep the values of one section. Raises NotPermitted, Invalid, outdated.Unconfirmed, or KeyError for a section that is none.

    confirmed  of how many accepted change orders that carry an old value the person knows: they stop instead of being sent
    """
    wanted = read(SECTIONS[section], values)
    _check_period(wanted)
    with transaction():
        by = people.require_administrator(by, "changes the company settings")
        company = hold()
        old = {field: getattr(company, field) for field in wanted if getattr(company, field) != wanted[field]}
        outdated.ensure_known(outdated.carriers(company, wanted), confirmed)
        if old:
            new = {field: wanted[field] for field in old}
            if "code" in old:
                spectrum_lists.forget(company)
                _unmark(company, old, new)
            Company.update(**new).where(Company.id == company.id).execute()
            event = events.record("company", company.id, "settings changed", by, old=old, new=new)
            if old.get("four_eyes"):
                _tell_four_eyes_off(event)
    if SECTIONS["look"].keys() & old.keys():
        recheck.again(ChangeOrder.status == Status.READY)
    if "currency" in old:
        recheck.again()
    elif "tax_allowed" in old:
        recheck.again(ChangeOrder.tax != Decimal(0))
    return current()


def _unmark(company: Company, old: dict[str, Any], new: dict[str, Any]) -> None:
    """The mark of a test company belongs to its code: another code is a real company until someone marks it."""
    if company.test_company:
        old["test_company"], new["test_company"] = True, False


def _tell_four_eyes_off(event: Event) -> None:
    """One pair of hands suffices from now on: every administrator hears of it, also who did it."""
    for admin in people.administrators():
        outbox.promise(four_eyes_key(event.seq, admin.id), MAIL, Task.FOUR_EYES, event.ref)


def read(section: Section, values: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, each field by its own rule. Raises Invalid with all that is wrong."""
    found, errors = {}, {}
    for field, parse in section.items():
        try:
            found[field] = parse(values.get(field, "").strip())
        except ValueError as error:
            errors[field] = str(error)
    if errors:
        raise Invalid(errors)
    return found


def _check_period(wanted: dict[str, Any]) -> None:
    first, last = wanted.get("period_from"), wanted.get("period_to")
    if first and last and last < first:
        raise Invalid({"period_to": "The open period ends before it begins."})


def four_eyes_key(seq: int, person: int) -> str:
    """`seq` is that of the event that switched it off."""
    return f"four-eyes:{seq}:{person}"
