"""Enhanced authentication as the simulator keeps it [D5]: secrets that run out, tokens that run out sooner.

Kept in the ledger's file, so that a rotated secret survives a restart. Not public and assumed: the form of errors, and that the old
secret dies with a rotation [A].
"""

import secrets
from datetime import UTC, datetime

from portal.spectrum.simulator.master import AuthorizationId
from portal.spectrum.simulator.world import World

DAY_S = 24 * 60 * 60


def granted(world: World, client_id: str, secret: str) -> AuthorizationId | None:
    """Whose secret this is, if it is the right one and has not run out."""
    identity = world.master.authorization_ids.get(client_id)
    if identity is None or not identity.active:
        return None
    right, expires = _current(world, identity)
    return identity if secrets.compare_digest(right.encode(), secret.encode()) and world.clock.now() < expires else None


def issue(world: World, identity: AuthorizationId) -> str:
    """A new token."""
    token = secrets.token_urlsafe(32)
    expires = world.clock.now() + world.options.token_s
    world.ledger.execute("INSERT INTO token VALUES (?, ?, ?)", token, identity.id, expires)
    return token


def owner(world: World, token: str) -> AuthorizationId | None:
    """Who holds this token, while it is good."""
    row = world.ledger.execute("SELECT client_id, expires FROM token WHERE value = ?", token).fetchone()
    return world.master.authorization_ids.get(row[0]) if row and world.clock.now() < row[1] else None


def rotate(world: World, identity: AuthorizationId) -> tuple[str, datetime]:
    """A new secret and when it runs out; the old one is dead."""
    secret = secrets.token_urlsafe(24)
    expires = world.clock.now() + identity.secret_days * DAY_S
    world.ledger.execute("INSERT OR REPLACE INTO secret VALUES (?, ?, ?)", identity.id, secret, expires)
    return secret, datetime.fromtimestamp(expires, UTC)


def expire_secret(world: World, identity: AuthorizationId) -> None:
    secret, _ = _current(world, identity)
    world.ledger.execute("INSERT OR REPLACE INTO secret VALUES (?, ?, ?)", identity.id, secret, world.clock.now())


def expire_tokens(world: World, identity: AuthorizationId) -> None:
    world.ledger.execute("DELETE FROM token WHERE client_id = ?", identity.id)


def _current(world: World, identity: AuthorizationId) -> tuple[str, float]:
    """The secret of the master data runs from the first time someone uses it."""
    row = world.ledger.execute("SELECT secret, expires FROM secret WHERE client_id = ?", identity.id).fetchone()
    if row is None:
        row = (identity.client_secret, world.clock.now() + identity.secret_days * DAY_S)
        world.ledger.execute("INSERT INTO secret VALUES (?, ?, ?)", identity.id, *row)
    return row[0], row[1]
