"""Signed-in sessions, kept on the server: the browser holds a random token, the table only its hash."""

import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta

import peewee

from portal import clock
from portal.db import Busy, Model, UtcField, transaction
from portal.domain import people
from portal.domain.people import User

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
NOTE_EVERY = timedelta(minutes=1)  # how often use is written down


class Session(Model):
    """One sign-in. It ends by sign-out, after 30 minutes without use, after 10 hours, or with the account."""

    token_hash = peewee.CharField(max_length=64, unique=True)
    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="sessions")
    user_id: int
    started_at = UtcField(default=clock.now)
    seen_at = UtcField(default=clock.now)
    ended_at = UtcField(null=True)

    @property
    def is_live(self) -> bool:
        now = clock.now()
        return self.ended_at is None and now - self.seen_at < IDLE and now - self.started_at < LONGEST and bool(self.user.active)


def sign_in(email: str, password: str) -> str | None:
    """The token of a new session, or None when address and password do not match an active person."""
    user = people.find(email)
    known = (user or User()).verify(password) if len(password.encode()) <= people.LONGEST_PASSWORD else False
    if not (user and known and user.active):
        return None
    token = secrets.token_urlsafe(32)
    with transaction():
        Session.create(token_hash=_hash(token), user=user)
        User.update(last_active_at=clock.now()).where(User.id == user.id).execute()
    return token


def find(token: str, *, by_person: bool = True) -> Session | None:
    """The live session of the token. `by_person` False: a poll, which does not count as use."""
    session: Session | None = Session.select(Session, User).join(User).where(Session.token_hash == _hash(token)).first()
    if session is None or not session.is_live:
        return None
    if by_person and clock.now() - session.seen_at > NOTE_EVERY:
        with suppress(Busy), transaction():  # who only reads is let in while nothing can be written; the next use is noted
            Session.update(seen_at=clock.now()).where(Session.id == session.id).execute()
            User.update(last_active_at=clock.now()).where(User.id == session.user_id).execute()
    return session


def farewell(token: str) -> str:
    """Why the session of the token is over, for the person who finds it so; empty when they ended it or it never was."""
    session: Session | None = Session.select(Session, User).join(User).where(Session.token_hash == _hash(token)).first()
    if session is None or session.ended_at is not None or session.is_live:
        return ""
    if clock.now() - session.seen_at >= IDLE:
        return "You were signed out after 30 minutes without activity. Sign in to continue where you were."
    return "You were signed out after 10 hours. Sign in to continue where you were."


def sign_out(token: str) -> None:
    with transaction():
        Session.update(ended_at=clock.now()).where(Session.token_hash == _hash(token), Session.ended_at.is_null()).execute()


def end_all(user: User) -> None:
    """End every session of a person: deactivated, or a new password. Call inside the transaction of that fact."""
    Session.update(ended_at=clock.now()).where(Session.user == user, Session.ended_at.is_null()).execute()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
