"""What was read from the database while something was worked out: where all of it would be read the same again, so is the result."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from portal.db import database

Statement = tuple[str, tuple[Any, ...]]  # and its parameters


class Reads:
    """What one result rests on, with the reads of the results that it was made of.

    noted   rows by statement
    strays  statements that were sent past `fetched`: what they found is not known
    """

    def __init__(self) -> None:
        self.noted: dict[Statement, list[Any]] = {}
        self.strays = 0

    def note(self, statement: Statement, rows: list[Any]) -> None:
        if self.noted.setdefault(statement, rows) != rows:
            self.strays += 1  # it found something else the second time

    def add(self, others: "Reads") -> None:
        for statement, rows in others.noted.items():
            self.note(statement, rows)
        self.strays += others.strays

    @property
    def are_same(self) -> bool:
        """Whether all would find now what they found; False where that cannot be told."""
        with unnoted():
            return not self.strays and all(_sent(statement) == rows for statement, rows in self.noted.items())


_reads: ContextVar[Reads | None] = ContextVar("reads", default=None)
_answers: ContextVar[dict[Statement, list[Any]] | None] = ContextVar("answers", default=None)


def fetched(text: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """The rows of a statement that only reads."""
    statement = text, tuple(parameters)
    with unnoted():
        rows = _sent(statement)
    if reads := _reads.get():
        reads.note(statement, rows)
    return rows


def used(earlier: Reads) -> None:
    """What is being worked out uses a result of these reads."""
    if reads := _reads.get():
        reads.add(earlier)


@contextmanager
def noted() -> Iterator[Reads]:
    """What the block reads, by `fetched` or past it."""
    database.obj.query_hooks = [*(hook for hook in database.obj.query_hooks if hook is not _count), _count]
    with _set(_reads, Reads()) as reads:
        yield reads
    used(reads)


def unnoted() -> AbstractContextManager[None]:
    """What the block reads is known by other means to the result that is being worked out."""
    return _set(_reads, None)


@contextmanager
def once() -> Iterator[None]:
    """Each statement that the block sends by `fetched`, or to see whether a result is the same, is sent once."""
    answers = _answers.get()
    with _set(_answers, {} if answers is None else answers):
        yield


@contextmanager
def _set(variable: ContextVar[Any], value: Any) -> Iterator[Any]:
    before = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(before)


def _sent(statement: Statement) -> list[Any]:
    answers = _answers.get()
    if answers is not None and statement in answers:
        return answers[statement]
    rows: list[Any] = database.execute_sql(*statement).fetchall()
    if answers is not None:
        answers[statement] = rows
    return rows


def _count(_: object) -> None:
    """Called by Peewee with each statement."""
    if reads := _reads.get():
        reads.strays += 1
