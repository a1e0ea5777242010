"""What `portal check` asks of what the portal talks to: one line for each."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import peewee
from redis import RedisError

from config import Settings
from portal import db, mail
from portal.background import doorbell
from portal.background import exports as background_exports
from portal.domain import companies
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.processes import KEEPER, WORKERS
from portal.domain.recovery import recount
from portal.domain.settings import spectrum_sign_in
from portal.domain.status import facts, parts
from portal.domain.status.parts import Health

CLOCKS_DIFFER = timedelta(seconds=30)
REPORTED = (KEEPER, *WORKERS, "clock", "audit", "backup")  # of what the status page judges


class Line(NamedTuple):
    """One part: whether it is in order, and what was found; for a fault with what to do."""

    name: str
    ok: bool
    text: str


def lines(settings: Settings) -> Iterator[Line]:
    """All of them, the database first: without it there is nothing more to say of what it holds."""
    database = _database()
    yield database
    yield _redis(settings)
    if database.ok:
        with db.connected():
            yield from _reported()
            yield _counts()
            yield _spectrum(settings)
    yield _mail(settings)


def _database() -> Line:
    try:
        with db.connected():
            pending = db.pending()
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        said = " ".join(str(error).split())
        empty = "schema_migration" in said
        text = "It has no tables. Run `portal db migrate`." if empty else f"DATABASE_URL: the database cannot be used ({said})."
        return Line("Database", False, text)
    return Line("Database", not pending, f"It lacks {', '.join(pending)}. Run `portal db migrate`." if pending else "It answers.")


def _redis(settings: Settings) -> Line:
    if not settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        return Line("Redis", False, "REDIS_URL names none, so keeper and workers do not start.")
    connection = doorbell.connect(settings.REDIS_URL)
    try:
        connection.ping()
    except RedisError as error:
        return Line("Redis", False, f"It does not answer ({error}). Start it, or correct REDIS_URL.")
    policy = doorbell.policy(connection)
    if policy not in ("", "noeviction"):
        return Line("Redis", False, f"It may throw rings away (maxmemory-policy {policy}). Set it to noeviction.")
    return Line("Redis", True, "It answers.")


def _reported() -> Iterator[Line]:
    """What keepers and workers say of themselves, and what the portal keeps of itself."""
    for part in parts.judged(facts.gather()):
        if part.name in REPORTED:
            ok = part.health in (Health.UP, Health.PAUSED)
            yield Line(part.name.capitalize(), ok, part.text if ok else f"{part.text} {part.action}".strip())


def _counts() -> Line:
    """What lists show as counts and sums, against the change orders themselves."""
    differ = [one.text for one in recount.differences()]
    what_next = "They are corrected in the coming night; the audit trail then says by how much."
    return Line("Counts", not differ, " ".join([*differ, what_next]) if differ else "The kept totals are those of the change orders.")


def _spectrum(settings: Settings) -> Line:
    """Under the lane's claim: no two calls of one Authorization ID are under way at once."""
    if not settings.SPECTRUM_URL:
        return Line("Spectrum", False, "SPECTRUM_URL is not set, so no change order can be exported.")
    company = companies.current()
    claim = Lane.take(company.lane, ONE_CALL)
    if claim is None:
        return Line("Spectrum", True, "A worker is calling it right now, so it was not asked.")
    try:
        found = background_exports.client(settings).test_connection(spectrum_sign_in.of(company).version)
    finally:
        Lane.release(company.lane, claim)
    return Line("Spectrum", found.ok, found.said if found.ok else f"{found.said} {found.advice}".strip())


def _mail(settings: Settings) -> Line:
    try:
        mail.reach(settings)
    except mail.TryLater as error:
        return Line("Mail server", False, f"{error}. Correct SMTP_HOST and what belongs to it.")
    return Line("Mail server", True, "The mail server takes mail from the portal.")
