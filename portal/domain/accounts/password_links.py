"""Links by which a person chooses a password: for the first time, or because the old one is forgotten.

A link works once, for an hour. The table holds only a hash of its token, and no promise of mail holds the token: the mail
worker makes a link for each try, so that none waits anywhere to be read. One that is used makes all others void.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import peewee
import structlog

from portal import clock
from portal.db import Model, UtcField, database, transaction
from portal.domain import events, outbox, people
from portal.domain.accounts import identities, passwords, rate_limits, rights, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.lanes import MAIL
from portal.domain.outbox import NotWanted, Task
from portal.domain.people import Level, User
from portal.hashing import fingerprint

VALID = timedelta(hours=1)
STAMP = "%Y%m%dT%H%M%S.%f"
OVER = (
    "This link does not work any more: it was used, or is older than an hour. Press Forgotten password? on the sign-in page for a new one."
)

log = structlog.get_logger()


class Purpose(StrEnum):
    FIRST = "first"
    RESET = "reset"


class Over(Exception):
    """The link does not work, or not any more; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(OVER)


class _Nobody(Exception):
    """There is no one to write to."""


class Link(Model):
    """The right to choose a password for one account, once.

    token_hash  SHA-256 of the token; the token itself is nowhere
    used_at     when it was used, or another one of the same person
    """

    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    user_id: int
    token_hash = peewee.CharField(max_length=64, unique=True)
    purpose = peewee.CharField(max_length=10)
    made_at = UtcField(default=clock.now)
    expires_at = UtcField()
    used_at = UtcField(null=True)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the mail with a link says. `first`: the person has no password yet."""

    key: str
    to: User
    token: str
    first: bool
    until: datetime


def first_time(person: User, by: User | None = None) -> None:
    """Promise the person of a new account mail with a link to choose their password. Raises NotPermitted."""
    _send(person, Purpose.FIRST, by)


def reset(person: User, by: User | None = None) -> None:
    """Promise the person mail with a link to choose a new password; the old one works until they do. Raises NotPermitted."""
    _send(person, Purpose.RESET, by)


def forgotten(email: str, address: str) -> None:
    """Someone at the sign-in page says the password of this account is forgotten: mail for the person, if there is one.

    Does the same work, and takes the same time, for an address without an account. Raises rate_limits.TooMany.
    """
    person = people.find(email)
    only_elsewhere = identities.opens(person.id if person else 0) and not (person and person.password)  # there the provider decides
    with transaction():
        rate_limits.count(rate_limits.at_mail(email, address))
        try:
            with database.atomic():
                _promise(Purpose.RESET, person.id if person else 0)
                if person is None or not person.active or only_elsewhere:
                    raise _Nobody
        except _Nobody:
            outcome = "no account with a password"
        else:
            outcome = "mail promised"
    log.info("password said to be forgotten", outcome=outcome, account=rate_limits.digest(email)[:12], address=address)


def make(person: User, by: User | None = None) -> str:
    """A link's token, for the command line to show; `by` None is the command line. Raises NotPermitted."""
    purpose = Purpose.RESET if person.password else Purpose.FIRST
    with transaction():
        by = by and people.require_administrator(by, "makes links for passwords")
        token = _make(person, purpose, clock.now() + VALID)
        events.record("user", person.id, "password link made", by, purpose=purpose)
    return token


def write(key: str, to: User) -> Invitation:
    """The promised mail, with a link of its own. Raises NotWanted when its hour is over."""
    until, purpose = expires_at(key), Purpose(key.split(":")[1])
    if clock.now() >= until:
        raise NotWanted("the hour in which its link would work is over")
    return Invitation(key, to, _make(to, purpose, until), purpose is Purpose.FIRST, until)


def expires_at(key: str) -> datetime:
    """The end of the hour for which a promise with this key is good."""
    return datetime.strptime(key.split(":")[2], STAMP).replace(tzinfo=UTC) + VALID


def find(token: str) -> Link | None:
    """The link, with its person, if it works."""
    link: Link | None = Link.select(Link, User).join(User).where(Link.token_hash == fingerprint(token), Link.used_at.is_null()).first()
    return link if link and link.expires_at > clock.now() and link.user.active else None


def use(token: str, password: str) -> User:
    """Choose the password: ends the person's sessions, their other links and every wait. Raises Over or passwords.Weak."""
    link = find(token)
    if link is None:
        raise Over
    person: User = link.user
    hashed = passwords.usable(password, person)
    with transaction():
        if not Link.update(used_at=clock.now()).where(Link.id == link.id, Link.used_at.is_null()).execute():
            raise Over
        Link.update(used_at=clock.now()).where(Link.user == person, Link.used_at.is_null()).execute()
        User.update(password=hashed).where(User.id == person.id).execute()
        ended = sessions.end_all(person, EndReason.PASSWORD)
        rate_limits.unlock(person.email)
        events.record("user", person.id, "password chosen by link", person, purpose=link.purpose, sessions_ended=ended)
    return person


def end_all() -> None:
    """End every link. Call inside the transaction of the cause."""
    Link.update(used_at=clock.now()).where(Link.used_at.is_null()).execute()


def _send(person: User, purpose: Purpose, by: User | None) -> None:
    with transaction():
        by = by and people.require_administrator(by, "sends links for passwords")
        _promise(purpose, person.id)
        events.record("user", person.id, "password link sent", by, purpose=purpose)


def _promise(purpose: Purpose, person: int) -> None:
    outbox.promise(f"link:{purpose}:{clock.now().strftime(STAMP)}:{person}", MAIL, Task.LINK, person)


def _make(person: User, purpose: Purpose, until: datetime) -> str:
    token = secrets.token_urlsafe(32)
    Link.create(user=person, token_hash=fingerprint(token), purpose=purpose, expires_at=until)
    return token


def invite(email: str, name: str, level: Level, can_push: bool, jobs: Iterable[str], by: User) -> User:
    """All of it or nothing. Raises NotPermitted, or Refused for an address, a name or a job that is none, or an address that is taken."""
    with transaction():
        person = rights.add(email, name, level, can_push, by=by)
        for number in dict.fromkeys(jobs):
            rights.join(person, number, by)
        first_time(person, by)
        return person
