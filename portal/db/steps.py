"""Reads of several rules sent as one statement: a page asks in a few steps, however many rules look at its rows.

A rule that asks in steps is a generator: it yields what it asks, is sent the answers, and returns its result. `side_by_side` goes
through several of them at once; what they ask in one step is one statement, whose rows come as JSON.
"""

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from portal.db import is_sqlite
from portal.db.reads import fetched

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Read(NamedTuple):
    """What is asked: columns, where from, and what becomes of the rows. They come in no order."""

    columns: str
    source: str
    parameters: Sequence[Any]
    made: Callable[[Iterable[Sequence[Any]]], Iterable[Any]] = list


Steps = Generator[list[Read], list[list[Any]], Result]


class Asks(Generic[Given, Result]):
    """A rule that asks in `steps`; when it is called, it asks alone."""

    def __init__(self, steps: Callable[Given, Steps[Result]]) -> None:
        self.steps = steps
        update_wrapper(self, steps)

    def __call__(self, *given: Given.args, **named: Given.kwargs) -> Result:
        return taken(self.steps(*given, **named))


def taken(work: Steps[Result]) -> Result:
    """The result of a rule whose steps go on alone."""
    answers: list[list[Any]] | None = None
    while True:
        try:
            asked = work.send(answers)  # type: ignore[arg-type]  # None begins
        except StopIteration as done:
            result: Result = done.value
            return result
        answers = answered(asked)


def side_by_side(*works: Steps[Any]) -> Steps[list[Any]]:
    """The result of each. They go on in their order, so that one can use what an earlier one has put into the same objects."""
    results: list[Any] = [None] * len(works)
    asked: dict[int, list[Read]] = {}

    def go_on(at: int, answers: list[list[Any]] | None) -> None:
        try:
            asked[at] = works[at].send(answers)  # type: ignore[arg-type]  # None begins
        except StopIteration as done:
            asked.pop(at, None)
            results[at] = done.value

    for at in range(len(works)):
        go_on(at, None)
    while asked:
        answers = iter((yield [read for reads in asked.values() for read in reads]))
        for at, reads in list(asked.items()):
            go_on(at, [next(answers) for _ in reads])
    return results


def answered(asked: list[Read]) -> list[list[Any]]:
    """What each read finds, in one statement."""
    if not asked:
        return []
    if len(asked) == 1:
        (read,) = asked
        return [list(read.made(fetched(f"SELECT {read.columns} {read.source}", list(read.parameters))))]
    found: list[list[Any]] = [[] for _ in asked]
    parts = " UNION ALL ".join(f"SELECT {_as_json(f'{at}, {read.columns}')} {read.source}" for at, read in enumerate(asked))
    rows = fetched(parts, [one for read in asked for one in read.parameters])
    for at, *row in json.loads(f"[{','.join(row for (row,) in rows)}]"):
        found[at].append(row)
    return [list(read.made(rows)) for read, rows in zip(asked, found, strict=True)]


def _as_json(columns: str) -> str:
    return f"json_array({columns})" if is_sqlite() else f"json_build_array({columns})::text"
