"""On hold: an approver puts a change order aside until a day, with a note. It stays ready, and may be decided all the same."""

from datetime import date, timedelta

from portal.db import transaction
from portal.domain import companies, transitions, waiting
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.companies import Company
from portal.domain.events import Action
from portal.domain.people import User
from portal.domain.review import bulk_actions
from portal.domain.review.bulk_actions import Asked, BulkAction, Chosen, What
from portal.domain.rules import four_eyes, text_rules
from portal.domain.rules.findings import ACCOUNTING, Finding, require

LONGEST = timedelta(days=366)


def hold(id: int, by: User, version: int, until: date | None, note: str) -> ChangeOrder:
    """Put it on hold until a day to come, or move that day. To hold is no contribution. Raises NotPermitted, Overtaken or Blocked."""
    note = note.strip()
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.HELD, version, Status.READY)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        require(findings(change_order.company, until, note))
        change_order.keep(version, held_until=until)
        transitions.record(change_order, Action.HELD, by, version, until=str(until), note=note)
        return change_order


def release(id: int, by: User, version: int) -> ChangeOrder:
    """Take it off hold before its day. Raises NotPermitted or Overtaken."""
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.RELEASED, version, Status.READY)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        if change_order.held_until is None:
            raise Overtaken(change_order)
        change_order.keep(version, held_until=None)
        transitions.record(change_order, Action.RELEASED, by, version)
        return change_order


def hold_many(chosen: list[Chosen], by: User, key: str, until: date | None, note: str, about: str) -> BulkAction:
    """Put many aside until one day, with one note, each by its own hold. Raises NotPermitted or Blocked."""
    note = note.strip()
    company = companies.current()
    require(findings(company, until, note))

    def act(one: Chosen, by: User, place: int) -> object:
        return hold(one.id, by, one.version, until, note)

    asked = Asked(What.HOLD, f"{about}, until {until:%m/%d/%Y}", chosen, reason=note, most=company.bulk_cap)
    return bulk_actions.carry_out(asked, by, key, act)


def findings(company: Company, until: date | None, note: str) -> list[Finding]:
    """What is wrong with the day and the note."""
    return [*_day(until, waiting.today(company)), *text_rules.remark(26, "note", note, "Write down what it waits for.")]


def _day(until: date | None, today: date) -> list[Finding]:
    if until is None or not today < until <= today + LONGEST:
        return [Finding(26, "until", "Choose a day after today, at most a year ahead.", ACCOUNTING)]
    return []
