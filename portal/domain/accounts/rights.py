"""Accounts and rights: each change guarded, in one transaction with its event.

`by` None is the command line: a person who can run it has the database anyway.
"""

import re
from typing import Any

import peewee

from portal.db import lock, transaction
from portal.domain import events, people
from portal.domain.accounts import passwords, privilege_requests, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.commitments import Job
from portal.domain.people import Level, Membership, NotPermitted, User

SUBJECT = "user"
CREATED, LEVEL, OPENED, CLOSED, JOINED, LEFT = (
    "account created",
    "level changed",
    "account opened",
    "account closed",
    "job joined",
    "job left",
)
CHANGES = (CREATED, OPENED, CLOSED, LEVEL, *privilege_requests.ACTIONS, JOINED, LEFT)  # who may do what, as the trail tells it
TAKEN = "There is already an account with the address {}."
ADDRESS_NEEDS = "An e-mail address has a name, an @ and a domain: ana@example.com."
_WORD, _LABEL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# What every mail server carries: no quotes, comments or accents, for which few have what it takes.
ADDRESS = re.compile(rf"{_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+", re.ASCII | re.IGNORECASE)


class Refused(Exception):
    """The change itself is impossible, for any person; the text says why and what to do instead."""


def add(email: str, name: str, level: Level, can_push: bool, password: str | None = None, by: User | None = None) -> User:
    """A new account; without a password until its person has chosen one by a link.

    Raises Refused for an address that is none or taken, a name without letters, or a weak password.
    """
    email, name = email.strip(), name.strip()
    if fault := problem(email, name) or (password is not None and passwords.problem(password, email, name)):
        raise Refused(fault)
    hashed = None if password is None else people.hasher.hash(password)
    try:
        with transaction():
            _ensure_administers(by)
            if people.find(email):
                raise Refused(TAKEN.format(email))
            person = User.create(email=email, handle=people.handle_of(email), name=name, level=level, can_push=can_push, password=hashed)
            event = events.record(SUBJECT, person.id, CREATED, by, level=level, can_push=can_push)
            if can_push:
                privilege_requests.tell(event)
            return person
    except peewee.IntegrityError:  # two at the same moment
        raise Refused(TAKEN.format(email)) from None


def join(person: User, number: str, by: User | None = None) -> Job:
    """Make the person a member of the job with this number. Raises NotPermitted, or Refused if there is none."""
    with transaction():
        _ensure_administers_others(person, by)
        job = _job(number)
        if job is None:
            raise Refused(f"There is no job {number}.")
        if not person.is_member_of(job):
            Membership.create(user=person, job=job)
            events.record(SUBJECT, person.id, JOINED, by, job=number)
        return job


def leave(person: User, number: str, by: User | None = None) -> None:
    """Take the person off the job; what they wrote stays. Raises NotPermitted, or Refused if they are no member."""
    with transaction():
        _ensure_administers_others(person, by)
        job = _job(number)
        if job is None or not Membership.delete().where(Membership.user == person, Membership.job == job).execute():
            raise Refused(f"{person.name} is not a member of a job {number}.")
        events.record(SUBJECT, person.id, LEFT, by, job=number)


def set_level(id: int, level: Level, by: User | None = None, note: str = "") -> User:
    """Raise or lower a person's level. Raises NotPermitted, or Refused for the last active Admin."""
    with transaction():
        person = changeable(id, by)
        if level != Level.ADMIN:
            _ensure_an_admin_is_left(person)
        return _change(person, by, LEVEL, note, level=level)


def set_privilege(id: int, granted: bool, by: User | None = None, note: str = "") -> User:
    """Grant or remove *Can Push to Accounting*. Below Standard it is kept and without effect. Raises NotPermitted."""
    with transaction():
        action = privilege_requests.GRANTED if granted else privilege_requests.REMOVED
        return _change(changeable(id, by), by, action, note, can_push=granted)


def set_active(id: int, active: bool, by: User | None = None) -> User:
    """Close an account, which ends its sessions at once, or open it again. Raises NotPermitted, or Refused for the last active Admin."""
    with transaction():
        person = changeable(id, by)
        if not active:
            _ensure_an_admin_is_left(person)
            sessions.end_all(person, EndReason.CLOSED)
        return _change(person, by, OPENED if active else CLOSED, active=active)


def _job(number: str) -> Job | None:
    """The job that this number means, however it is spelled; control characters, which not every database takes, are in none."""
    return Job.meant(number) if number.isprintable() else None


def changeable(id: int, by: User | None) -> User:
    """The person as they are now, if `by` may change their rights as of now. Raises NotPermitted or User.DoesNotExist."""
    hold_admins()  # first of all: two Admins who lower each other at once have to take turns
    lock(User.select(User.id).where(User.id == id), "FOR NO KEY UPDATE")  # who signs in at this moment waits: closing ends all sessions
    person: User = User.get_by_id(id)
    _ensure_administers_others(person, by)
    return person


def _ensure_administers_others(person: User, by: User | None) -> None:
    by = _ensure_administers(by)
    if by and by.id == person.id:
        raise NotPermitted("You can’t change your own rights. Ask another administrator.")


def _ensure_administers(by: User | None) -> User | None:
    return by and people.require_administrator(by, "changes rights")


def _ensure_an_admin_is_left(person: User) -> None:
    if [admin.id for admin in hold_admins()] == [person.id]:
        raise Refused(f"{person.name} is the last active Admin. Make someone else Admin first.")


def hold_admins() -> list[User]:
    """The active Admins, whose rows no one else changes until the transaction ends; what only names them goes on."""
    admins = User.select().where(User.active, User.level == Level.ADMIN)
    lock(admins, "FOR NO KEY UPDATE")
    return list(admins)


def _change(person: User, by: User | None, action: str, note: str = "", **column: Any) -> User:
    """Write it, if it is another value. Who asked for the privilege and may decide from now on has their answer."""
    ((name, new),) = column.items()
    old, could = getattr(person, name), person.may_decide
    if old != new:
        User.update(**column).where(User.id == person.id).execute()
        setattr(person, name, new)
        gained = person.may_decide and not could  # also by a level, or an account opened again, under a privilege that had no effect
        if gained:
            privilege_requests.settle(person, by, granted=True, answer=note)
        event = events.record(SUBJECT, person.id, action, by, old=old, new=new, **({"note": note} if note else {}))
        if gained or name == "can_push":
            privilege_requests.tell(event)
    return person


def problem(email: str, name: str) -> str:
    """Why no account can have this address and name, or an empty text."""
    if not ADDRESS.fullmatch(email) or len(email.rpartition("@")[0]) > 64 or len(email) > 254:
        return ADDRESS_NEEDS
    if not any(map(str.isalpha, name)) or not name.isprintable() or len(name) > 100:
        return "A name has 1 to 100 characters, letters among them."
    return ""
