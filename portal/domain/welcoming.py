"""A new person, whole: the account, the jobs, and the mail with the link by which they choose their password."""

from collections.abc import Iterable

from portal.db import transaction
from portal.domain import links, privileges
from portal.domain.people import Level, User


def add(email: str, name: str, level: Level, can_push: bool, jobs: Iterable[str], by: User) -> User:
    """All of it or nothing. Raises NotPermitted, or Refused for an address, a name or a job that is none, or an address that is taken."""
    with transaction():
        person = privileges.add(email, name, level, can_push, by=by)
        for number in dict.fromkeys(jobs):
            privileges.join(person, number, by)
        links.first_time(person, by)
        return person
