"""The audit trail: one event per fact, in the transaction of the fact, chained by hash.

Writers are serialised (SQLite by nature, PostgreSQL by the advisory lock taken here), so `seq` has no gaps and every
hash covers its predecessor. An event is the last insert of its transaction, to hold that lock as briefly as can be.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Any

import peewee

from portal import clock, failpoints
from portal.db import Model, UtcField, database, is_sqlite
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain.people import User

GENESIS = "0" * 64
LAST = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
CHAIN_LOCK = 0x0CC0  # PostgreSQL advisory lock: one chain, one writer
PROVIDER = "identity_provider"  # the fact of an event that came about by a sign-in there: its issuer
MAKER = "token_made_by"  # the fact of an event that came by an access token: who made it, and could have used it
BULK_ACTION = "bulk_action"  # the fact of an event that is a part of one: its id
_way: ContextVar[dict[str, Any] | None] = ContextVar("way", default=None)


class Action(StrEnum):
    """What is recorded of change orders. The values are stored in the trail and never change."""

    CREATED = "created"
    EDITED = "edited"
    SENT = "sent"
    SAID_DISTINCT = "said to be another one"
    RETRIEVED = "retrieved"
    VOIDED = "voided"
    ASKED = "asked"
    ANSWERED = "answered"
    HELD = "held"
    RELEASED = "released"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RECALLED = "recalled"
    REVIEWED_AGAIN = "reviewed again"
    EXPORTING = "exporting"
    POSTPONED = "postponed"
    EXPORTED = "exported"
    FOUND = "found"
    ADOPTED = "adopted"
    QUEUED_AGAIN = "queued again"
    FAILED = "failed"
    OUTCOME_UNKNOWN = "outcome unknown"
    VERIFICATION_ENDED = "verification ended"
    RETRIED = "retried"
    SAID_PRESENT = "said present"
    SAID_ABSENT = "said absent"
    ENTERED_BY_HAND = "entered by hand"
    LEFT_AS_WORKBOOK = "left as a workbook"
    UNLINKED = "unlinked"
    LOOKED_UP = "looked up"
    DIFFERS = "differs"
    AGREES_AGAIN = "agrees again"


class Event(Model):
    """Who did what to what, when.

    subject   the kind of thing (`change_order`, `user`, `company`)
    ref       its id
    action    a past participle: `accepted`, `sent`, `privilege granted`
    data      facts of the action as JSON; never a secret, never a float
    """

    seq = peewee.BigIntegerField(primary_key=True)
    at = UtcField()
    actor = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    actor_id: int | None
    subject = peewee.CharField()
    ref = peewee.IntegerField()
    action = peewee.CharField()
    data = peewee.TextField(default="{}")
    previous = peewee.CharField(max_length=64)
    hash = peewee.CharField(max_length=64, unique=True)

    class Meta:
        indexes = ((("subject", "ref", "seq"), False),)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.data)
        return facts

    def seal(self) -> str:
        """SHA-256 over seq, the previous hash and the canonical JSON of all other columns."""
        content = {
            "at": _fixed(self.at),
            "actor": self.actor_id,
            "subject": self.subject,
            "ref": self.ref,
            "action": self.action,
            "data": self.data,
        }
        return hashlib.sha256(f"{self.seq}|{self.previous}|{canonical(content)}".encode()).hexdigest()


def record(subject: str, ref: int, action: str, actor: User | None = None, **data: Any) -> Event:
    """Write the event. Call as the last insert of the transaction whose fact it tells."""
    if not is_sqlite():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (CHAIN_LOCK,))
    last = database.execute_sql(LAST).fetchone() or (0, GENESIS)
    event = Event(
        seq=last[0] + 1,
        at=clock.now(),
        actor=actor,
        subject=subject,
        ref=ref,
        action=action,
        data=canonical(data | (_way.get() or {})),
        previous=last[1],
    )
    event.hash = event.seal()
    failpoints.hit("audit.before_insert")
    event.save(force_insert=True)
    return event


def by_token(name: str, maker: int) -> AbstractContextManager[None]:
    """Every event of the block also names the access token by which it came about, and who made that."""
    return _by({"token": name, MAKER: maker})


def maker() -> int | None:
    """Who made the access token by which what is being recorded comes about; None where none is used."""
    made: int | None = (_way.get() or {}).get(MAKER)
    return made


def by_provider(issuer: str) -> AbstractContextManager[None]:
    """Every event of the block also names the identity provider on whose word it came about."""
    return _by({PROVIDER: issuer})


def by_bulk_action(id: int) -> AbstractContextManager[None]:
    """Every event of the block also names the bulk action that it is a part of."""
    return _by({BULK_ACTION: id})


@contextmanager
def _by(way: dict[str, Any]) -> Iterator[None]:
    before = _way.set((_way.get() or {}) | way)
    try:
        yield
    finally:
        _way.reset(before)


def history(subject: str, ref: int) -> list[Event]:
    """All events of one thing, oldest first, with their actors."""
    return list(with_actors().where(Event.subject == subject, Event.ref == ref).order_by(Event.seq))


def by_seq(seq: int) -> Event:
    """One event, with its actor. Raises Event.DoesNotExist."""
    event: Event = with_actors().where(Event.seq == seq).get()
    return event


@Asks
def latest(subject: str, refs: Iterable[int], *, of: tuple[str, ...] = (), besides: tuple[str, ...] = ()) -> Steps[dict[int, Event]]:
    """The last event of each thing, in one query; only those of the actions `of`, if any are named, and none of `besides`."""
    if not (wanted := list(refs)):
        return {}
    actions, which = (of, "IN") if of else (besides, "NOT IN")
    chosen = f"AND action {which} {places(actions)}" if actions else ""
    newest = f"SELECT MAX(seq) FROM event WHERE subject = {database.param} AND ref IN {places(wanted)} {chosen} GROUP BY ref"  # noqa: S608
    (found,) = yield [WITH_ACTORS.where(f"t1.seq IN ({newest})", [subject, *wanted, *actions])]
    return {event.ref: _by_actor(event, actor) for event, actor in found}


def _by_actor(event: Event, actor: User | None) -> Event:
    if actor:
        event.__rel__["actor"] = actor
    return event


def canonical(content: dict[str, Any]) -> str:
    """JSON with sorted keys, no blanks, NFC text: the same content is the same bytes."""
    return unicodedata.normalize("NFC", json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str))


def with_actors(*columns: Any) -> Any:
    """Events with who did it, in one query."""
    return Event.select(*columns or (Event, User)).join(User, peewee.JOIN.LEFT_OUTER)


WITH_ACTORS = Statement(Shape(Event), Shape(User), query=with_actors)


def _fixed(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
