"""What a database holds at one moment, as far as a copy of it is compared: rows by table, migrations, the end of the audit trail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.events import GENESIS

Execute = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    counts: dict[str, int]
    migrations: list[str]
    head: tuple[int, str]


def take(execute: Execute, tables: list[str]) -> Snapshot:
    """By statements that all see the same moment."""
    counts = {table: int(execute(f'SELECT count(*) FROM "{table}"')[0][0]) for table in sorted(tables)}  # noqa: S608 -- our own names
    migrations = sorted(name for (name,) in execute("SELECT name FROM schema_migration"))
    last = execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")
    return Snapshot(counts, migrations, (last[0][0], last[0][1]) if last else (0, GENESIS))
