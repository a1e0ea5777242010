"""The people as an administrator or auditor looks through them: who is wanted, and who granted what when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from portal import clock
from portal.domain import events, people
from portal.domain.accounts import api_tokens, identities, privilege_requests, rights
from portal.domain.events import Event
from portal.domain.people import Level, User

QUIET = timedelta(days=90)
DECIDE, ASKED, IDLE, CLOSED = "decide", "asked", "idle", "closed"
SHOWN = {
    "": "Everybody",
    DECIDE: "Can decide",
    ASKED: "Asked for the privilege",
    IDLE: f"Not active for {QUIET.days} days",
    CLOSED: "Deactivated",
}


class Invalid(Exception):
    """What was asked for is no filter; the text says what is."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Whom to show; what is empty does not count.

    text   a part of name or e-mail address, in any case and spelling of letters
    shown  a key of SHOWN
    """

    text: str = ""
    level: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Grants:
    """The events that gave one person level and privilege; None for a right they lack, or had before anything was recorded."""

    level: Event | None = None
    privilege: Event | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """How an account came about and ended, and by what it is used.

    made, closed  the events; None for what was not recorded, or while the account is open
    roads         by which the person signs in: password, identity provider; none before a first password is chosen
    tokens        the access tokens that work and act for the person, by name
    """

    made: Event | None
    closed: Event | None
    roads: list[str]
    tokens: list[str]


def read(asked: Mapping[str, str]) -> Filter:
    """The filter of an address. Raises Invalid."""
    level, shown = asked.get("level", ""), asked.get("show", "")
    if level not in ("", *Level) or shown not in SHOWN:
        raise Invalid("There is no such filter. Choose one from the lists.")
    return Filter(asked.get("q", "").strip(), level, shown)


def listed(wanted: Filter) -> list[User]:
    """Everyone whom the filter lets through: the open accounts first, by name."""
    asked = {request.person_id for request in privilege_requests.open_ones()} if wanted.shown == ASKED else set()
    return [person for person in people.everybody() if _matches(person, wanted) and _is_shown(person, wanted.shown, asked)]


def grants(shown: Iterable[User]) -> dict[int, Grants]:
    """Who gave each of these people level and privilege, from the audit trail, in two queries."""
    ids = [person.id for person in shown]
    levels = events.latest(rights.SUBJECT, ids, of=(rights.CREATED, rights.LEVEL))
    pushes = events.latest(rights.SUBJECT, ids, of=(rights.CREATED, privilege_requests.GRANTED, privilege_requests.REMOVED))
    return {person.id: Grants(levels.get(person.id), pushes.get(person.id) if person.can_push else None) for person in shown}


def accounts(shown: Iterable[User]) -> dict[int, Account]:
    """What an access review asks of these accounts besides their rights, in a constant number of queries."""
    known = {person.id: person for person in shown}
    made = events.latest(rights.SUBJECT, known, of=(rights.CREATED,))
    closed = events.latest(rights.SUBJECT, known, of=(rights.CLOSED,))
    linked = identities.linked()
    works = defaultdict(list)
    for token in api_tokens.live():
        works[token.user_id].append(str(token.name))
    return {
        id: Account(
            made.get(id),
            None if person.active else closed.get(id),
            ["password"] * bool(person.password) + ["identity provider"] * (id in linked),
            sorted(works[id]),
        )
        for id, person in known.items()
    }


def _matches(person: User, wanted: Filter) -> bool:
    text = people.handle_of(wanted.text)
    return (text in people.handle_of(person.name) or text in person.handle) and wanted.level in ("", person.level)


def _is_shown(person: User, shown: str, asked: set[int]) -> bool:
    """Whom one entry of SHOWN means. A new account is not idle before it is as old as that."""
    if shown == DECIDE:
        return person.may_decide
    if shown == ASKED:
        return person.id in asked
    if shown == IDLE:
        return bool(person.active and (person.last_active_at or person.created_at) < clock.now() - QUIET)
    return not (shown == CLOSED and person.active)
