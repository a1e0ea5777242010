"""Sample data: a contractor's month of change orders, and people to try the portal with. For a first look and for tests."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, companies, events, people
from portal.domain.accounts import rights
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment
from portal.domain.imports import import_run
from portal.domain.imports.entries import Entry
from portal.domain.people import Level, User
from portal.domain.review import decisions
from portal.domain.rules.attention import Reason
from portal.intake import files

FILE = Path(__file__).with_name("sample.csv")
PASSWORD = "sample-password-only"  # noqa: S105 -- it opens nothing but sample data
LOOK_RULES = " ".join(reason for reason in Reason if reason is not Reason.FIRST)  # in a sample without a past every vendor is new
COMPANY = {
    "name": "Northgate Builders",
    "code": "ABC",
    "cr_status": "CR",
    "cost_reimbursable": "N",
    "sub_status": "P",
    "look_rules": LOOK_RULES,
}
PEOPLE = (  # e-mail, name, level, Can Push to Accounting, what for
    ("ana@example.test", "Ana Ortiz", Level.STANDARD, True, "approver"),
    ("ben@example.test", "Ben Okafor", Level.READ_ONLY, False, "read only"),
    ("dee@example.test", "Dee Sørensen", Level.NONE, False, "sender"),
    ("eve@example.test", "Eve Laurent", Level.ADMIN, False, "admin"),
    ("sam@example.test", "Sam Ito", Level.STANDARD, False, "support"),
    ("lee@example.test", "Lee Nakamura", Level.STANDARD, True, "second approver"),
)
ACCOUNTS = [{"email": email, "name": name, "password": PASSWORD, "what": what} for email, name, _, _, what in PEOPLE]
FOUNDED = timedelta(days=30)  # ago; the audit trail never runs backwards
AGES_H = (118, 114, 97, 95, 90, 73, 69, 50, 46, 27, 23, 5, 2, 0.4)  # hours ago that the project teams sent a share of the file
SENT_BACK = {  # commitment and CCO number: what the approver wrote
    ("SC-032", "002"): "The drain is part of the base contract, sheet A-141. Please check with the superintendent.",
    ("SC-024", "001"): "The ladder belongs to the pit work under SC-022. Wrong commitment.",
}


def load() -> None:
    """People, company settings and change orders, all or nothing; does nothing where there are people already."""
    if User.select().exists():
        return
    with clock.shifted(-FOUNDED):
        accounts = [_account(*person) for person in PEOPLE]  # hashing takes its time, so before the transaction
    found = import_run.prepare(files.read(FILE).entries)
    with transaction():
        with clock.shifted(-FOUNDED):
            _set_up(accounts)
        sender, approver = people.find("dee@example.test"), people.find("ana@example.test")
        with import_run.alone() as run:
            for hours, share in zip(AGES_H, _shares(found), strict=True):
                with clock.shifted(-timedelta(hours=hours)):
                    run.complete(run.stage(share, FILE.name, "", sender, _silent), _silent)
        with clock.shifted(-timedelta(minutes=15)):
            for (commitment, number), reason in SENT_BACK.items():
                _send_back(commitment, number, approver, reason)


def _account(email: str, name: str, level: Level, can_push: bool, _: str) -> User:
    password = people.hasher.hash(PASSWORD)
    return User(email=email, handle=people.handle_of(email), name=name, level=level, can_push=can_push, password=password)


def _set_up(accounts: list[User]) -> None:
    company = companies.current()
    for field, value in COMPANY.items():
        setattr(company, field, value)
    company.save()
    events.record("company", company.id, "sample data loaded", None, **COMPANY)
    for account in accounts:
        account.save(force_insert=True)
        events.record(rights.SUBJECT, account.id, rights.CREATED, None, level=account.level, can_push=account.can_push)


def _shares(found: list[Entry]) -> list[list[Entry]]:
    """The file in as many consecutive parts as there are ages."""
    ends = [round(len(found) * part / len(AGES_H)) for part in range(len(AGES_H) + 1)]
    return [found[start:end] for start, end in pairwise(ends)]


def _send_back(commitment: str, number: str, by: User | None, reason: str) -> None:
    found = ChangeOrder.select().join(Commitment).where(Commitment.number == commitment, ChangeOrder.number == number).get()
    decisions.reject(found.id, by or User(), change_orders.load(found.id).version, reason)


def _silent(*_: object) -> None:
    """No one watches."""
