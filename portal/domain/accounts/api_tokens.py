"""Access tokens of upstream systems: made by an administrator, shown once, kept as a hash; each acts for one person.

The person is an account like any other: its jobs, its level and four eyes hold for everything done with the token, and
closing the account closes the token.
"""

import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.db.writes import attempt
from portal.domain import events, people
from portal.domain.people import User
from portal.hashing import fingerprint

SUBJECT = "token"
MARK = "cco_"  # so that people and secret scanners know one when they see it
SHOWN = len(MARK) + 4  # characters by which one is told from another
NOTE_EVERY = timedelta(minutes=1)  # how often use is written down
LONGEST_DAYS = 3650


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    SEND = "send"


class Invalid(Exception):
    """What was typed makes no token; `errors` has a sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class Token(Model):
    """The right to use the REST interface for one person.

    beginning   its first characters, for telling it from others
    hash        SHA-256 of the whole; the token itself is nowhere
    scopes      what it may do, separated by blanks
    user        for whom it acts
    """

    name = peewee.CharField(max_length=60)
    beginning = peewee.CharField(max_length=12)
    hash = peewee.CharField(max_length=64, unique=True)
    scopes = peewee.CharField(max_length=40)
    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    user_id: int
    made_by_id: int
    made_by = peewee.ForeignKeyField(User, on_delete="RESTRICT", backref="+")
    made_at = UtcField(default=clock.now)
    expires_at = UtcField(null=True)
    used_at = UtcField(null=True)
    revoked_at = UtcField(null=True)

    @property
    def allows(self) -> set[str]:
        return set(self.scopes.split())

    @property
    def state(self) -> str:
        """`Works`, or why it does not any more."""
        if self.revoked_at:
            return "Revoked"
        if self.expires_at and self.expires_at <= clock.now():
            return "Expired"
        return "Works" if self.user.active else "Account deactivated"

    @property
    def is_live(self) -> bool:
        return self.state == "Works"


def make(name: str, person: int | None, scopes: set[str], days: int | None, by: User) -> tuple[Token, str]:
    """A new token and its text, which is never seen again. `days` until it ends, None for never. Raises NotPermitted or Invalid."""
    text = MARK + secrets.token_urlsafe(32)
    name = " ".join(name.split())
    with transaction():
        by = people.require_administrator(by, "makes and revokes access tokens")
        user = people.by_id(person) if person else None
        if errors := _errors(name, user, scopes, days):
            raise Invalid(errors)
        token = Token.create(
            name=name,
            beginning=text[:SHOWN],
            hash=fingerprint(text),
            scopes=" ".join(scope for scope in Scope if scope in scopes),
            user=user,
            made_by=by,
            expires_at=clock.now() + timedelta(days=days) if days else None,
        )
        facts = {"name": name, "acts_for": token.user.email, "scopes": token.scopes.split(), "days": days}
        events.record(SUBJECT, token.id, "made", by, **facts)
    return token, text


def revoke(id: int, by: User) -> Token:
    """End a token, from its next use on; a second time changes nothing. Raises NotPermitted or Token.DoesNotExist."""
    with transaction():
        by, token = people.require_administrator(by, "makes and revokes access tokens"), Token.get_by_id(id)
        ended = Token.update(revoked_at=clock.now()).where(Token.id == id, Token.revoked_at.is_null()).execute()
        if ended:
            events.record(SUBJECT, id, "revoked", by, name=token.name)
        found: Token = Token.get_by_id(id)
        return found


def find(text: str) -> Token | None:
    """The live token with its person as they are now, or None; its use is noted once a minute."""
    token = _of(text)
    if token is None or not token.is_live:
        return None
    if token.used_at is None or clock.now() - token.used_at > NOTE_EVERY:
        attempt(Token.update(used_at=clock.now()).where(Token.id == token.id).execute)  # who only reads waits for no one who writes
    return token


def standing(text: str) -> str:
    """What is known of a token that was shown, for the log: never the token itself."""
    token = _of(text)
    return f"{token.name!r} ({token.state.lower()})" if token else "unknown"


def everything() -> list[Token]:
    """All tokens, those that are not revoked first, the newest first."""
    maker: Any = User.alias("maker")
    query = Token.select(Token, User, maker).join(User, on=Token.user).join_from(Token, maker, on=Token.made_by)
    return list(query.order_by(Token.revoked_at.is_null(False), Token.id.desc()))


def live() -> list[Token]:
    """The tokens that work, with whom they act for."""
    return [token for token in Token.select(Token, User).join(User, on=Token.user).where(Token.revoked_at.is_null()) if token.is_live]


def _errors(name: str, user: User | None, scopes: set[str], days: int | None) -> dict[str, str]:
    errors = {}
    if not (1 <= len(name) <= 60 and name.isprintable()):
        errors["name"] = "Give the token a name of 1 to 60 characters: the system that will use it."
    elif Token.select().where(Token.name == name, Token.revoked_at.is_null()).exists():
        errors["name"] = f"There is already a token {name}. Choose another name, or revoke that one first."
    if user is None or not user.active:
        errors["person"] = "Choose the person the token acts for. Deactivated accounts cannot be chosen."
    if not scopes or scopes - set(Scope):
        errors["scopes"] = "Choose at least one: read, write or send."
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        errors["days"] = f"Write a number of days from 1 to {LONGEST_DAYS}, or leave it empty for no end."
    return errors


def _of(text: str) -> Token | None:
    token: Token | None = Token.select(Token, User).join(User, on=Token.user).where(Token.hash == fingerprint(text)).first()
    return token
