"""Who the company's identity provider says someone is, and which account that opens.

The key is issuer and subject, never the address: an address passes to someone else, a subject does not. A person's first
sign-in makes an account of level None, or opens the one that has their address already, if the provider says that the address
is verified and no other identity opens that account. The privilege is never given by the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee
import structlog

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import events, people
from portal.domain.accounts import rights, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.people import Level, User

log = structlog.get_logger()


class Unwelcome(Exception):
    """The provider vouches for the person, and still no account opens; the text says why and who can help."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of the person, verified. `proved_at`: when they last proved there who they are, if it says so."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    groups: frozenset[str]
    proved_at: datetime | None = None


class Identity(Model):
    """A person at the identity provider, and the account that opens for them; at most one each way.

    level   what their groups last gave the account; empty: nothing, so that its level is in the hands of the administrators
    """

    issuer = peewee.CharField(max_length=255)
    subject = peewee.CharField(max_length=255)
    user = peewee.ForeignKeyField(User, on_delete="RESTRICT", unique=True, backref="identities")
    user_id: int
    level = peewee.CharField(default="")
    linked_at = UtcField(default=clock.now)

    class Meta:
        indexes = ((("issuer", "subject"), True),)


def admit(claims: Claims, levels: Mapping[str, Level]) -> User:
    """The account of the person, made or linked if this is their first sign-in, with the level of their groups. Raises Unwelcome."""
    try:
        return _admit(claims, levels)
    except peewee.IntegrityError:  # their first sign-in, twice at the same moment: by now the other one is written down
        return _admit(claims, levels)


def of(user: User) -> Identity | None:
    """The identity that opens the account, if one does."""
    identity: Identity | None = Identity.get_or_none(Identity.user == user)
    return identity


def opens(user: int) -> bool:
    """Whether an identity opens the account with this id."""
    return bool(Identity.select().where(Identity.user == user).exists())


def linked() -> set[int]:
    """The ids of all accounts that an identity opens."""
    return {identity.user_id for identity in Identity.select(Identity.user)}


def find(issuer: str, subject: str) -> Identity | None:
    identity: Identity | None = (
        Identity.select(Identity, User).join(User).where(Identity.issuer == issuer, Identity.subject == subject).first()
    )
    return identity


def unlink(user: User, by: User | None = None) -> None:
    """Unlink all identities from the account, until one is linked again by its address; end its sessions.

    `by` None is the command line. Raises NotPermitted or rights.Refused.
    """
    with transaction():
        by = by and people.require_administrator(by, "unlinks identities")
        identity = of(user)
        if identity is None:
            raise rights.Refused(f"{user.email} signs in with a password only: there is no identity to unlink.")
        identity.delete_instance()
        sessions.end_all(user, EndReason.ADMINISTRATOR)
        events.record(rights.SUBJECT, user.id, "identity unlinked", by, issuer=identity.issuer, identity=identity.subject)


def _admit(claims: Claims, levels: Mapping[str, Level]) -> User:
    with transaction(), events.by_provider(claims.issuer):
        if levels:
            rights.hold_admins()  # before the first event, as every change of rights does, so that no one waits in a circle
        identity = find(claims.issuer, claims.subject) or _linked(claims)
        _ensure_open(identity.user)
        if levels:
            _apply_groups(identity, claims.groups, levels)
        return people.as_now(identity.user)


def _linked(claims: Claims) -> Identity:
    """The first sign-in: to the account with this address, or to a new one."""
    if not claims.email or not claims.email_verified:
        raise Unwelcome(
            "Your identity provider does not say that your e-mail address is verified, so that no account could be found for you. "
            "Have the address verified there, or ask an administrator."
        )
    user = people.find(claims.email) or _created(claims)
    _ensure_open(user)
    if of(user):
        raise Unwelcome(
            f"The account {user.email} belongs to another person at your identity provider. Ask an administrator to unlink that one first."
        )
    identity: Identity = Identity.create(issuer=claims.issuer, subject=claims.subject, user=user)
    events.record(rights.SUBJECT, user.id, "identity linked", identity=claims.subject)
    return identity


def _created(claims: Claims) -> User:
    name = claims.name if not rights.problem(claims.email, claims.name) else claims.email[:100]
    if problem := rights.problem(claims.email, name):
        raise Unwelcome(f"Your identity provider gives an e-mail address that the portal cannot use. {problem}")
    user: User = User.create(email=claims.email, handle=people.handle_of(claims.email), name=name, level=Level.NONE)
    events.record(rights.SUBJECT, user.id, "account created", level=Level.NONE, can_push=False)
    return user


def _ensure_open(user: User) -> None:
    if not user.active:
        raise Unwelcome("Your account in the portal is deactivated. Ask an administrator.")


def _apply_groups(identity: Identity, groups: frozenset[str], levels: Mapping[str, Level]) -> None:
    """The highest level of their groups. Without any, what groups gave is taken back; what an administrator gave stays."""
    given = max((levels[group] for group in groups if group in levels), key=lambda level: level.rank, default=None)
    was: Any = identity.user.level
    if given is None and (not identity.level or identity.level != was):
        return _note(identity, "")
    try:
        rights.set_level(identity.user_id, given or Level.NONE)
    except rights.Refused as refusal:
        log.warning("level of the groups not applied", user=identity.user_id, level=str(given or Level.NONE), reason=str(refusal))
        return None
    return _note(identity, given or "")


def _note(identity: Identity, level: str) -> None:
    if identity.level != level:
        Identity.update(level=level).where(Identity.id == identity.id).execute()
