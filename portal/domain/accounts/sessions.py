"""Signed-in sessions, kept on the server: the browser holds a random token, the table only its hash.

A session ends by sign-out, after 30 minutes without use, after 10 hours, with the account, with a new password, by its
person or an administrator, and when its person signs in at a fourth place. Nothing prolongs one beyond its 10 hours.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import peewee
import structlog

from portal import clock
from portal.db import Model, UtcField, database, transaction
from portal.db.rows import Shape, Statement
from portal.db.writes import attempt
from portal.domain import people
from portal.domain.accounts import rate_limits
from portal.domain.accounts.session_ends import MESSAGES, MOST, EndReason
from portal.domain.people import NotPermitted, User
from portal.hashing import fingerprint

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
PROOF = timedelta(minutes=15)  # for so long a proof of identity is good for changes of rights and settings
FAMILIAR = timedelta(days=30)  # for so long an address counts as one where the person signs in
NOTE_EVERY = timedelta(minutes=1)  # how often use is written down
OVERTAKEN = "Your account was closed, or got another password, at this very moment. Nothing was changed: sign in again."

log = structlog.get_logger()


class SignInMethod(StrEnum):
    """How a person proves who they are."""

    PASSWORD = "password"  # noqa: S105 -- the method's name
    OPENID = "OpenID Connect"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person signs in: the network address, and the browser in plain words."""

    address: str = ""
    browser: str = ""


NOWHERE = Place()


class Session(Model):
    """One sign-in.

    road          of type SignInMethod
    address, browser  where it began, as shown to the person
    confirmed_at  the last proof of identity: the sign-in, or a later confirmation
    ended_why     of type EndReason; empty while it lasts and when time ended it
    """

    token_hash = peewee.CharField(max_length=64, unique=True)
    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="sessions")
    user_id: int
    road = peewee.CharField(max_length=20, default=SignInMethod.PASSWORD)
    address = peewee.CharField(max_length=45, default="")
    browser = peewee.CharField(max_length=60, default="")
    started_at = UtcField(default=clock.now)
    seen_at = UtcField(default=clock.now)
    confirmed_at = UtcField(default=clock.now)
    ended_at = UtcField(null=True)
    ended_why = peewee.CharField(max_length=20, default="")

    @property
    def is_live(self) -> bool:
        now = clock.now()
        return self.ended_at is None and now - self.seen_at < IDLE and now - self.started_at < LONGEST and bool(self.user.active)

    def is_of(self, token: str) -> bool:
        """Whether this is the session of the token."""
        return bool(self.token_hash == fingerprint(token))

    @property
    def is_proved(self) -> bool:
        """Whether the last proof of identity is good enough for a change of rights or settings."""
        return bool(clock.now() - self.confirmed_at < PROOF)


class Started(NamedTuple):
    """A session that has begun: the token for the browser, and the older sessions that had to end for it."""

    token: str
    ended: list[Session]


WITH_PERSON = Statement(Shape(Session), Shape(User), query=lambda *columns: Session.select(*columns).join(User))


def prove(email: str, password: str, address: str = "") -> User | None:
    """The active person whose e-mail and password these are, asked from that network address. Raises rate_limits.TooMany.

    Takes the same time without an account. A hash weaker than today's is replaced.
    """
    user = people.find(email)
    try:
        counted = rate_limits.count(rate_limits.at_sign_in(email, address, known=_has_signed_in(user, address)))
    except rate_limits.TooMany:
        log.warning("sign-in refused", reason="too many tries", account=rate_limits.digest(email)[:12], address=address)
        raise
    fits = len(password.encode("utf-8", "surrogatepass")) <= people.LONGEST_PASSWORD
    right = (user or User()).verify(password) if fits else False
    if user and right and user.active:
        rate_limits.forgive(counted)
        if people.hasher.check_needs_rehash(str(user.password)):
            exchange(user, people.hasher.hash(password))
        return user
    why = "wrong password" if user and not right else "account closed" if user else "no such account"
    log.warning("sign-in failed", reason=why, account=rate_limits.digest(email)[:12], address=address)
    return None


def exchange(user: User, hashed: str) -> bool:
    """Keep another hash, of the same password or a new one, unless the one that was looked at was replaced meanwhile."""
    same = User.id == user.id, User.password == user.password
    if not User.update(password=hashed).where(*same).execute():
        return False
    user.password = hashed
    return True


def sign_in(email: str, password: str, place: Place = NOWHERE) -> str | None:
    """The token of a new session, or None when address and password do not match an active person."""
    person = prove(email, password, place.address)
    return start(person, SignInMethod.PASSWORD, place).token if person else None


def start(user: User, method: SignInMethod, place: Place = NOWHERE, *, instead_of: str = "", proved_at: datetime | None = None) -> Started:
    """A new session of someone who has proved who they are, by whatever method; just now, if `proved_at` does not say when.

    Ends the session of the token `instead_of`, which the same browser had, and the oldest ones beyond three. Raises
    NotPermitted when the account was closed, or its password replaced, after the proof.
    """
    token, now = secrets.token_urlsafe(32), clock.now()
    still = User.active if method is SignInMethod.OPENID else User.active & (User.password == user.password)
    with transaction():
        # First of all: two sign-ins of a person, or one and what ends their sessions, have to take turns.
        if not User.update(last_active_at=now).where(User.id == user.id, still).execute():
            raise NotPermitted(OVERTAKEN)
        _end(EndReason.SIGNED_OUT, Session.token_hash == fingerprint(instead_of))
        surplus = sorted(live(user), key=lambda one: (one.started_at, one.id))[: -(MOST - 1)]
        _end(EndReason.FOURTH, Session.id.in_([one.id for one in surplus]))
        Session.create(
            token_hash=fingerprint(token),
            user=user,
            road=method,
            address=place.address[:45],
            browser=place.browser[:60],
            confirmed_at=min(proved_at or now, now),
        )
    log.info("signed in", person=user.id, road=str(method), address=place.address)
    return Started(token, surplus)


def confirm(token: str) -> str:
    """Note that the person of the live session has proved again who they are; answers its new token: the old one opens nothing any more."""
    fresh = secrets.token_urlsafe(32)
    with transaction():
        Session.update(token_hash=fingerprint(fresh), confirmed_at=clock.now()).where(Session.token_hash == fingerprint(token)).execute()
    return fresh


def find(token: str, *, by_person: bool = True) -> Session | None:
    """The live session of the token. `by_person` False: a poll, which does not count as use."""
    session = _of(token)
    if session is None or not session.is_live:
        return None
    if by_person and clock.now() - session.seen_at > NOTE_EVERY:
        attempt(lambda: _note_use(session))  # who only reads waits for no one who writes; the next use is noted
    return session


def _note_use(session: Session) -> None:
    now = clock.now()
    Session.update(seen_at=now).where(Session.id == session.id).execute()
    User.update(last_active_at=now).where(User.id == session.user_id).execute()


def live(user: User) -> list[Session]:
    """The sessions of a person that are not over, the last used first."""
    begun = Session.user == user, Session.ended_at.is_null(), Session.started_at > clock.now() - LONGEST
    found = Session.select(Session, User).join(User).where(*begun).order_by(Session.seen_at.desc(), Session.id.desc())
    return [session for session in found if session.is_live]


def end_message(token: str) -> str:
    """Why the session of the token is over, for the person who finds it so; empty when they ended it or it never was."""
    session = _of(token)
    if session is None or session.is_live:
        return ""
    if session.ended_at is not None:
        return MESSAGES.get(EndReason(session.ended_why), "") if session.ended_why else ""
    if clock.now() - session.seen_at >= IDLE:
        return "You were signed out after 30 minutes without activity. Sign in to continue where you were."
    return "You were signed out after 10 hours. Sign in to continue where you were."


def sign_out(token: str) -> None:
    with transaction():
        _end(EndReason.SIGNED_OUT, Session.token_hash == fingerprint(token))


def end_one(session: Session, why: EndReason) -> None:
    """End this session. Call inside the transaction of the cause."""
    _end(why, Session.id == session.id)


def end_all(user: User, why: EndReason, *, but: str = "") -> int:
    """End every session of a person, but the one of the token `but`; answers how many. Call inside the transaction of the cause."""
    return _end(why, Session.user == user, Session.token_hash != fingerprint(but))


def end_everyones(why: EndReason) -> int:
    """End every session of everyone; answers how many. Call inside the transaction of the cause."""
    return _end(why)


def _of(token: str) -> Session | None:
    for session, user in WITH_PERSON.run(f"WHERE t1.token_hash = {database.param}", [fingerprint(token)]):
        session.__rel__["user"] = user
        return session  # type: ignore[no-any-return]
    return None


def _has_signed_in(user: User | None, address: str) -> bool:
    here = Session.user == (user.id if user else 0), Session.address == address, Session.started_at > clock.now() - FAMILIAR
    return bool(address and Session.select().where(*here).exists())


def _end(why: EndReason, *which: peewee.Expression) -> int:
    return int(Session.update(ended_at=clock.now(), ended_why=why).where(Session.ended_at.is_null(), *which).execute())
