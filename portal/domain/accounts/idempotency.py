"""Answers kept under an idempotency key, so that a change asked for twice happens once and is answered the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain.accounts.api_tokens import Token

KEPT = timedelta(hours=24)


class OtherRequest(Exception):
    """The key was used for another request before."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str


class KeptAnswer(Model):
    """What a token was answered under a key. `request` is the SHA-256 of what was asked."""

    token = peewee.ForeignKeyField(Token, on_delete="RESTRICT", backref="+")
    key = peewee.CharField(max_length=255)
    request = peewee.CharField(max_length=64)
    status = peewee.IntegerField(default=0)
    body = peewee.TextField(default="")
    at = UtcField(default=clock.now, index=True)

    class Meta:
        indexes = ((("token", "key"), True),)


def once(token: Token, key: str, request: str, do: Callable[[], Answer]) -> tuple[Answer, bool]:
    """The answer of `do`, and whether it is a repeat; change and answer are written in one transaction.

    What raises changes nothing, and leaves the key free. Raises OtherRequest for a key that was used for another request.
    """
    with transaction():
        KeptAnswer.delete().where(KeptAnswer.at < clock.now() - KEPT).execute()
        taken = _take(token, key, request)
        if taken is None:
            return _repeated(token, key, request), True
        answer = do()
        KeptAnswer.update(status=answer.status, body=answer.body).where(KeptAnswer.id == taken.id).execute()
        return answer, False


def _take(token: Token, key: str, request: str) -> KeptAnswer | None:
    """Take the key if it is free; on PostgreSQL this waits for a transaction that is taking it."""
    try:
        with transaction():  # a savepoint: the refusal undoes no more than the insert
            return KeptAnswer.create(token=token, key=key, request=request)
    except peewee.IntegrityError:
        return None


def _repeated(token: Token, key: str, request: str) -> Answer:
    kept = KeptAnswer.get(KeptAnswer.token == token, KeptAnswer.key == key)
    if kept.request != request:
        raise OtherRequest
    return Answer(kept.status, kept.body)
