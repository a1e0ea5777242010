"""Models out of plain rows, by statements whose text is made once: on a page of fifty, making text and models costs more than the rest."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import cached_property
from typing import Any

import peewee

from portal.db import Model, database
from portal.db.reads import fetched
from portal.db.steps import Read

AS_THEY_ARE = (
    peewee.CharField,
    peewee.TextField,
    peewee.IntegerField,
    peewee.BigIntegerField,
    peewee.AutoField,
    peewee.ForeignKeyField,
)  # both databases give these as Python has them


class Shape:
    """How some columns of a row become one model; the first of them is its key."""

    def __init__(self, model: Any, *names: str) -> None:
        self.model: type[Model] = model.model if isinstance(model, peewee.ModelAlias) else model
        fields = self.model._meta.fields
        self.names = names or tuple(fields)
        self.columns = [getattr(model, name) for name in self.names]
        converted = ((at, fields[name]) for at, name in enumerate(self.names))
        self.converters = [(at, field.python_value) for at, field in converted if type(field) not in AS_THEY_ARE]

    def make(self, values: Sequence[Any]) -> Model:
        """The model of these values; what it is related to is for the caller to put in."""
        values = list(values)
        for at, convert in self.converters:
            values[at] = convert(values[at])
        made = self.model(__no_default__=1)
        made.__data__.update(zip(self.names, values, strict=True))
        return made


class Statement:
    """A query of these columns without a condition; `run` and `where` add one. What several rows share is one object, except the first
    shape."""

    def __init__(self, *shapes: Shape, query: Callable[..., Any]) -> None:
        self._shapes, self._query = shapes, query

    @cached_property
    def text(self) -> str:
        text, parameters = self._query(*(column for shape in self._shapes for column in shape.columns)).sql()
        if parameters:
            raise ValueError(f"parameters would stand before those of the condition: {text}")
        return str(text)

    def run(self, condition: str, parameters: Iterable[Any] = ()) -> Iterator[list[Any]]:
        """The models of each row, in the order of the shapes; None where an outer join found nothing."""
        return self._models(fetched(f"{self.text} {condition}", list(parameters)))

    def where(self, condition: str, parameters: Iterable[Any] = ()) -> Read:
        """As `run`, for a rule that asks in steps; in no order."""
        columns, _, source = self.text.removeprefix("SELECT ").partition(" FROM ")
        return Read(columns, f"FROM {source} WHERE {condition}", list(parameters), self._models)

    def _models(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        known: list[dict[Any, Any]] = [{} for _ in self._shapes]
        ends = [0]
        for shape in self._shapes:
            ends.append(ends[-1] + len(shape.names))
        for row in rows:
            models = []
            for at, shape in enumerate(self._shapes):
                key = row[ends[at]]
                if at == 0 or key not in known[at]:
                    known[at][key] = None if key is None else shape.make(row[ends[at] : ends[at + 1]])
                models.append(known[at][key])
            yield models


def places(values: Sized) -> str:
    """The marks of that many parameters: `(?, ?, ?)`."""
    return f"({', '.join([database.param] * len(values))})"


def read(query: Any) -> Read:
    """A query of plain columns, for a rule that asks in steps; in no order."""
    text, parameters = query.sql()
    columns, _, source = text.removeprefix("SELECT ").partition(" FROM ")
    return Read(columns, f"FROM {source}", parameters)
