"""Who looks after a failure: the person it was assigned to, else by rule, so that it has an owner before anyone has opened the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.domain import people
from portal.domain.companies import Company, current
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.people import User

IT, ADMINISTRATORS, SENDER = "IT", "Administrators", "Sender"
BY_RULE = {"data": SENDER, "access": IT, "setup": ADMINISTRATORS, "temporary": IT}


@dataclass(frozen=True, slots=True)
class Owner:
    """`group` is IT, Administrators or Sender; empty where the cause was assigned to a person."""

    group: str
    names: list[str]


def of(causes: Iterable[FailureCause], senders: dict[int, list[str]]) -> dict[int, Owner]:
    """The owner of each cause by its id, in a constant number of queries; `senders` by cause, for what failed for its data."""
    members = members_of(current())
    found = {}
    for cause in causes:
        group = BY_RULE.get(cause.kind, ADMINISTRATORS)
        by_rule = Owner(group, senders.get(cause.id, []) if group == SENDER else members[group])
        found[cause.id] = Owner("", [cause.owner.name]) if cause.owner else by_rule
    return found


def members_of(company: Company) -> dict[str, list[str]]:
    """The people of both groups, as the company settings name them; where they name none, the administrators."""
    chosen = {IT: company.it_people, ADMINISTRATORS: company.administrator_people}
    handles = [people.handle_of(address) for addresses in chosen.values() for address in addresses.splitlines()]
    known = {user.handle: user.name for user in User.select().where(User.handle.in_(handles), User.active)} if handles else {}
    default = [person.name for person in people.administrators()]
    named = {
        group: [known[handle] for one in text.splitlines() if (handle := people.handle_of(one)) in known] for group, text in chosen.items()
    }
    return {group: names or default for group, names in named.items()}
