"""People, what they may do, and the jobs they belong to."""

import unicodedata
from enum import StrEnum
from typing import Any

import peewee
from argon2.exceptions import InvalidHashError, VerificationError

from portal import clock
from portal.db import Model, UtcField, lock
from portal.db.rows import Shape, Statement
from portal.db.steps import Asks, Steps
from portal.domain.commitments import Job
from portal.hashing import Hasher

hasher = Hasher()
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128


class Level(StrEnum):
    """What a person may do on the ERP Integrations tool, lowest first."""

    NONE = "None"
    READ_ONLY = "Read Only"
    STANDARD = "Standard"
    ADMIN = "Admin"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class NotPermitted(Exception):
    """The person may not do this; the text says why and who can help."""


class User(Model):
    """A person with an account.

    email          as typed at creation; unique by `handle`, its compatibility-normalised, case-folded form
    can_push       *Can Push to Accounting*; without effect below Standard
    wants_summary  mail about what waits, while they may decide
    wants_resubmitted  mail when what they rejected comes back corrected
    wants_failures mail about exports that need a person
    uses_keys      whether single keys press buttons
    """

    email = peewee.CharField(max_length=254)
    handle = peewee.CharField(max_length=254, unique=True)
    name = peewee.CharField(max_length=100)
    password = peewee.CharField(null=True)  # an argon2id hash; null: cannot sign in with a password
    level = peewee.CharField(default=Level.NONE)
    can_push = peewee.BooleanField(default=False)
    active = peewee.BooleanField(default=True)
    wants_summary = peewee.BooleanField(default=True)
    wants_failures = peewee.BooleanField(default=False)
    wants_resubmitted = peewee.BooleanField(default=False)
    uses_keys = peewee.BooleanField(default=True)
    created_at = UtcField(default=clock.now)
    last_active_at = UtcField(null=True)

    token = ""  # of the session on whose behalf this row was read; get_id, is_active and is_authenticated are Flask-Login's names
    is_proved = False  # whether they gave proof of who they are lately, in that session
    is_authenticated = True

    @property
    def is_active(self) -> bool:
        return bool(self.active)

    def get_id(self) -> str:
        return self.token

    @property
    def rank(self) -> int:
        return Level(self.level).rank

    @property
    def may_look(self) -> bool:
        return self.active and self.rank >= Level.READ_ONLY.rank

    @property
    def may_support(self) -> bool:
        return self.active and self.rank >= Level.STANDARD.rank

    @property
    def may_decide(self) -> bool:
        return self.may_support and self.can_push

    @property
    def can_push_is_inactive(self) -> bool:
        """Granted, but without effect at this level."""
        return bool(self.can_push) and self.rank < Level.STANDARD.rank

    @property
    def may_administer(self) -> bool:
        return self.active and self.rank >= Level.ADMIN.rank

    @property
    def why_not_decide(self) -> str:
        """Why the Accept and Reject buttons are missing, or an empty text."""
        if self.may_decide:
            return ""
        if self.can_push_is_inactive:
            return "Your Can Push to Accounting is inactive. It needs at least Standard. Ask an administrator to raise your level."
        return "You have view-only access. To accept or reject, ask for Can Push to Accounting."

    @property
    def effective_rights(self) -> str:
        """One sentence for the people page: what level and privilege together allow."""
        if not self.active:
            return "Deactivated: cannot sign in."
        inactive = " ‘Can Push to Accounting’ is inactive below Standard." if self.can_push_is_inactive else ""
        decide = ", accepts, rejects and retries" if self.may_decide else ""
        sentences = {
            Level.NONE: "Works on the change orders of their jobs only.",
            Level.READ_ONLY: "Sees all lists, details and history; changes nothing.",
            Level.STANDARD: f"Sees everything, looks after failed exports{decide}.",
            Level.ADMIN: f"Sees everything, manages settings and people{decide}.",
        }
        return sentences[Level(self.level)] + inactive

    def verify(self, password: str) -> bool:
        """Whether this is the person's password. Takes the same time for a person without one."""
        try:
            return hasher.verify(self.password or _nobody(), password) and self.password is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_member_of(self, job: Job) -> bool:
        return Membership.select().where(Membership.user == self, Membership.job == job).exists()


USERS = Statement(Shape(User), query=User.select)
RIGHTS = Statement(Shape(User, "id", "name", "email", "level", "can_push", "active"), query=User.select)


class Membership(Model):
    """A person works on a job: sees its change orders at any level, writes and sends them."""

    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="memberships")
    job = peewee.ForeignKeyField(Job, on_delete="RESTRICT", backref="memberships")

    class Meta:
        indexes = ((("user", "job"), True),)


def handle_of(email: str) -> str:
    """The form in which two spellings of one address are equal (NFKC, case folded)."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def find(email: str) -> User | None:
    user: User | None = User.get_or_none(User.handle == handle_of(email)) if email.isprintable() else None
    return user


def jobs_by_person() -> dict[int, list[str]]:
    """The numbers of the jobs each person, by id, is a member of."""
    jobs: dict[int, list[str]] = {}
    memberships: Any = Membership.select(Membership.user, Job.number).join(Job).order_by(Job.number).tuples()
    for person, number in memberships:
        jobs.setdefault(person, []).append(number)
    return jobs


def by_id(id: int) -> User | None:
    user: User | None = User.get_or_none(User.id == id)
    return user


def everybody() -> list[User]:
    """All accounts, the open ones first, by name."""
    return list(User.select().order_by(User.active.desc(), User.name, User.id))


def as_now(user: Any) -> User:
    """The person's row as it is now, for what reads only or is about themselves; who writes by a right holds it. Raises NotPermitted."""
    fresh: User | None = User.get_or_none(User.id == user.id, User.active)
    if fresh is None:
        raise NotPermitted("Your account was deactivated. Ask an administrator.")
    return fresh


def as_held(user: Any) -> User:
    """`as_now`, and no one changes these rights before the transaction ends: no decision follows, in the trail, on their removal."""
    lock(User.select(User.id).where(User.id == user.id), "FOR SHARE")
    return as_now(user)


def require_administrator(by: Any, does: str) -> User:
    """The person `as_held`, if an administrator. Raises NotPermitted: only an administrator `does` this."""
    held = as_held(by)
    if not held.may_administer:
        raise NotPermitted(f"Only an administrator {does}.")
    return held


@Asks
def approvers() -> Steps[list[User]]:
    """Who can accept and reject, by name."""
    (found,) = yield [RIGHTS.where("t1.active AND t1.can_push AND t1.level IN ('Standard', 'Admin')")]
    return sorted((user for (user,) in found), key=lambda user: (user.name, user.id))


@Asks
def administrators() -> Steps[list[User]]:
    """Who can help with rights, by name."""
    (found,) = yield [USERS.where("t1.active AND t1.level = 'Admin'")]
    return sorted((user for (user,) in found), key=lambda user: user.name)


def _nobody() -> str:
    global _decoy
    _decoy = _decoy or hasher.hash("no one has this password")
    return _decoy


_decoy = ""
