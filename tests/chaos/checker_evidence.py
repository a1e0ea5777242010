"""What is left after a rehearsal, read only: the portal's database, Spectrum's books and journal, the mails, what people saw, the logs.

Nothing is read through the portal's own code, so that a defect there cannot hide itself here.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from portal.spectrum.simulator.schema import COLUMNS, KEYS
from portal.standalone.mail_catcher import read as read_mail

Row = SimpleNamespace  # one row of a table of the portal, by column
Book = tuple[str, ...]  # company, job, customer, number: what Spectrum knows a change request by
UNDECIDED = ("not seen", "no reading")  # readings that say nothing of a line
STORED, UNCERTAIN = ("sent", "present"), ("unknown", "lost", None)  # None: an attempt that is still open
ELEMENTS = {column: element for element, column in COLUMNS.items()}


@dataclass(frozen=True)
class Violation:
    """A broken invariant, with a sentence that names the things it is about."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


@dataclass
class Frozen:
    """An Export with its lines (position to elements 3-56) and the attempts at them."""

    row: Row
    header: dict[str, str]
    lines: dict[int, dict[str, str]]
    attempts: list[Row] = field(default_factory=list)

    @property
    def book(self) -> Book:
        return book(self.header)

    @cached_property
    def outcomes(self) -> dict[int, Any]:
        """The latest of each line; none while one is open. A check of what sending again does says nothing about the line."""
        telling = (attempt for attempt in self.attempts if attempt.kind != "check" and attempt.outcome not in UNDECIDED)
        return {attempt.line: attempt.outcome for attempt in telling}

    @property
    def stored(self) -> set[int]:
        return {line for line, outcome in self.outcomes.items() if outcome in STORED}

    @property
    def doubtful(self) -> set[int]:
        return {line for line, outcome in self.outcomes.items() if outcome in UNCERTAIN}


@dataclass
class Evidence:
    """The folder of a rehearsal, and its database.

    secrets     what must be nowhere, besides the `secrets` of run.json
    typed       Spectrum numbers that people use in Spectrum themselves: nothing under them is ours
    simulator   the simulator's data folder, where that is not `folder`/simulator
    quiet_s     the quiet window, in the portal's seconds
    slack_s     how far the clocks of the portal's processes differed
    still       the portal's clock did not run with the simulator's, so moments of the two cannot be compared
    """

    folder: Path
    database_url: str
    secrets: tuple[str, ...] = ()
    typed: frozenset[str] = frozenset()
    simulator: Path | None = None
    quiet_s: float = 900
    slack_s: float = 0
    still: bool = False
    _tables: dict[str, list[Row]] = field(default_factory=dict, repr=False)

    def rows(self, table: str) -> list[Row]:
        """A table of the portal, by its first column."""
        if table not in self._tables:
            with reading(self.database_url) as connection:
                self._tables[table] = select(connection, f'SELECT * FROM "{table}" ORDER BY 1')
        return self._tables[table]

    @cached_property
    def change_orders(self) -> dict[int, Row]:
        return {row.id: row for row in self.rows("change_order")}

    @cached_property
    def people(self) -> dict[str, int]:
        """The id of each person, by address."""
        return {row.email: row.id for row in self.rows("user")}

    @cached_property
    def events(self) -> dict[int, list[Row]]:
        """What happened to each change order, in order; `facts` is what `data` says."""
        found: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows("event"):
            if row.subject == "change_order":
                row.facts = json.loads(row.data)
                found[row.ref].append(row)
        return found

    @cached_property
    def exports(self) -> dict[int, Frozen]:
        found = {}
        for row in self.rows("export"):
            content = json.loads(row.frozen)
            lines = {line["position"]: content["header"] | line["elements"] for line in content["lines"]}
            found[row.id] = Frozen(row, content["header"], lines)
        for attempt in self.rows("attempt"):
            found[attempt.export_id].attempts.append(attempt)
        return found

    @cached_property
    def exports_of(self) -> dict[int, list[Frozen]]:
        """The Exports of each change order, oldest first."""
        found: dict[int, list[Frozen]] = defaultdict(list)
        for frozen in self.exports.values():
            found[frozen.row.change_order_id].append(frozen)
        return found

    def open_export(self, change_order: Row) -> Frozen | None:
        return self.exports.get(change_order.export)

    def named(self, id: int) -> str:
        """How a sentence calls a change order."""
        row, exports = self.change_orders.get(id), self.exports_of.get(id, [])
        number = f", {exports[-1].row.number} in Spectrum" if exports else ""
        return f"CCO {row.number} (id {id}{number}, {row.status})" if row else f"change order {id}"

    @property
    def books_file(self) -> Path:
        return (self.simulator or self.folder / "simulator") / "spectrum.db"

    @cached_property
    def headers(self) -> Counter[Book]:
        """The change requests that Spectrum holds."""
        return Counter(book(row) for row in self._spectrum("SELECT * FROM sim_header"))

    @cached_property
    def held(self) -> dict[Book, list[dict[str, str]]]:
        """The cost lines that Spectrum holds."""
        found: dict[Book, list[dict[str, str]]] = defaultdict(list)
        for row in self._spectrum("SELECT * FROM sim_line ORDER BY rowid"):
            found[book(row)].append({ELEMENTS.get(name, name): value for name, value in row.items()})
        return found

    @cached_property
    def calls(self) -> list[dict[str, Any]]:
        """The change requests that Spectrum received, in order."""
        rows = self._spectrum("SELECT * FROM journal WHERE method = 'ARChangeRequest' ORDER BY seq")
        return [{**row, "elements": json.loads(row["elements"])} for row in rows]

    def _spectrum(self, sql: str) -> list[dict[str, Any]]:
        if not self.books_file.exists():
            return []
        with closing(sqlite3.connect(f"{self.books_file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    @cached_property
    def mails(self) -> list[dict[str, Any]]:
        return [read_mail(kept) for kept in self._lines("mails.jsonl")]

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """What people asked for and were told."""
        return list(self._lines("history.jsonl"))

    @cached_property
    def answers(self) -> list[dict[str, Any]]:
        """What workers were answered, where they wrote it down themselves: {guid, phase, outcome}."""
        return list(self._lines("answers.jsonl"))

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        for file in sorted(self.folder.rglob(name)):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)

    def portal_time(self, real: datetime) -> datetime:
        """What the portal's clock showed at a moment of the machine's."""
        file = self.folder / "rehearsal" / "clock.json"
        if not file.exists():
            return real
        told = json.loads(file.read_text(encoding="utf-8"))
        started = float(told["started"])
        return datetime.fromtimestamp(started + (real.timestamp() - started) * told.get("speed", 1) + told.get("offset_s", 0), UTC)


def book(elements: Mapping[str, str]) -> Book:
    return tuple(str(elements[name]).strip().upper() for name in KEYS)


@contextmanager
def reading(database_url: str) -> Iterator[Any]:
    """A connection that only reads."""
    if database_url.startswith("sqlite:///"):
        file = Path(database_url.removeprefix("sqlite:///"))
        opened: Any = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    else:
        opened = psycopg.connect(database_url, autocommit=True, options="-c default_transaction_read_only=on")
    with closing(opened):
        yield opened


def select(connection: Any, sql: str) -> list[Row]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [Row(**{name: _value(name, value) for name, value in zip(names, row, strict=True)}) for row in cursor.fetchall()]


def _value(name: str, value: Any) -> Any:
    """Moments as moments of UTC, whichever database they come from."""
    if (name == "at" or name.endswith("_at") or name == "until") and value is not None:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC)
    return value
