"""What exporting needs, as a check list on the company page: what rule 20 wants, and what is worth having besides."""

from dataclasses import dataclass

from portal.domain import people
from portal.domain.companies import Company
from portal.domain.rules import spectrum_rules
from portal.domain.settings import company_settings, connection_tests
from portal.domain.settings.connection_tests import ConnectionTest

PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be there.

    said    its value, or what is the matter
    place   where it is set: an id on the company page, or `people`
    blocks  whether nothing is exported without it
    """

    label: str
    said: str
    done: bool
    place: str
    blocks: bool = True


def steps(company: Company, *, readable: bool) -> list[Step]:
    """All of them, in the order in which one sets them up. `readable`: whether the sign-in to Spectrum can be opened."""
    return [*_codes(company), *_contradictions(company), _sign_in(readable), _tested(company), _deciders(company)]


def _codes(company: Company) -> list[Step]:
    needed = ((field, label, getattr(company, field)) for field, label in company_settings.NEEDED.items())
    return [Step(label, value or "missing", bool(value), field) for field, label, value in needed]


def _contradictions(company: Company) -> list[Step]:
    """What rule 20 says of values that are there but do not go together."""
    if not all(getattr(company, field) for field in company_settings.NEEDED):
        return []
    return [
        Step("Spectrum codes", f"{finding.text} {finding.fix}", False, "spectrum") for finding in spectrum_rules.company_settings(company)
    ]


def _sign_in(readable: bool) -> Step:
    return Step(
        "Sign-in to Spectrum", "set" if readable else "cannot be read any more, because SECRET_KEY has changed", readable, "connection"
    )


def _tested(company: Company) -> Step:
    test = connection_tests.latest(company)
    return Step("Connection test", _result(test), bool(test and test.ok), "connection", blocks=False)


def _result(test: ConnectionTest | None) -> str:
    if test is None:
        return "never made"
    if test.finished_at is None:
        return "under way"
    return "passed" if test.ok else "failed"


def _deciders(company: Company) -> Step:
    """With four eyes one approver can decide nothing of their own, which is well; no one at all can decide nothing."""
    names = [person.name for person in people.approvers()]
    return Step("People who can accept and reject", ", ".join(names) or "no one", bool(names), PEOPLE, blocks=False)
