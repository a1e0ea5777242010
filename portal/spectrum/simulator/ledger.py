"""What the simulated Spectrum has stored, and every call it received: one SQLite file that outlives the process."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from portal.spectrum.fields import FIELDS
from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import schema
from portal.spectrum.simulator.schema import ATTACHED, COLUMNS, HEADER, HEADERS_TABLE, HIDDEN, KEYS, SECTIONS, TABLES

__all__ = ["ATTACHED", "KEYS", "Ledger", "Repeat"]

NUMBERS = {field.name: field.decimals for field in FIELDS if field.kind == "number"}
AMOUNTS = ("Change_Request_Amount", "Sub_Amount")

#: What a line does that is there already: replaces it, adds its amounts to it, or stands beside it.
Repeat = Literal["upsert", "add", "append"]


class Ledger:
    """One connection, used by one thread at a time; each `with ledger` is one transaction, on disk when it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "spectrum.db", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA synchronous = FULL")
        with self:
            schema.create(self._db)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._db.__enter__()

    def __exit__(self, *error: Any) -> None:
        try:
            self._db.__exit__(*error)
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def empty(self) -> None:
        for table in (*TABLES, "journal", "session", "secret", "token", "readback"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        """For the parts of the simulator that keep other things in this file."""
        return self._db.execute(sql, values)

    def received(self, method: str, elements: Mapping[str, str], at: datetime) -> int:
        """Journal a call before anything is done about it. The Authorization ID is not kept."""
        kept = {name: value for name, value in elements.items() if name != "Authorization_ID"}
        sql = """INSERT INTO journal (at, method, guid, outcome, fault, rows, elements)
                 VALUES (?, ?, ?, 'received', '', '[]', ?) RETURNING seq"""
        seq: int = self._db.execute(
            sql, (at.isoformat(timespec="microseconds"), method, elements.get("GUID", ""), json.dumps(kept))
        ).fetchone()[0]
        return seq

    def settled(self, seq: int, outcome: str, rows: Sequence[Row] = (), fault: str = "") -> None:
        listed = json.dumps([{"error_code": row.code, "desc": row.text, "column": row.column} for row in rows])
        self._db.execute("UPDATE journal SET outcome = ?, rows = ?, fault = ? WHERE seq = ?", (outcome, listed, fault, seq))

    def header(self, values: Mapping[str, str]) -> dict[str, str] | None:
        """The change request of these four keys, compared trimmed, under element names."""
        found = self._first(HEADERS_TABLE, KEYS, values)
        return None if found is None else _renamed(found)

    def store(self, values: Mapping[str, str], repeat: Repeat = "upsert", shown_from: float = 0) -> None:
        """Change or create the header by its four keys and the line by its six; empty keeps, nothing is deleted [D12].

        `shown_from`: when Info-Link begins to show what is new, in seconds since 1970.
        """
        self._write(HEADERS_TABLE, [*KEYS, *HEADER, *ATTACHED], values, self._first(HEADERS_TABLE, KEYS, values), shown_from)
        for section in SECTIONS.values():
            if any(values.get(name) for name in section.given):
                keys = (*KEYS, *section.keys)
                found = None if repeat == "append" else self._first(section.table, keys, values)
                given = _added(values, found) if found and repeat == "add" else values
                self._write(section.table, dict.fromkeys((*keys, *section.names)), given, found, shown_from)

    def has_line(self, values: Mapping[str, str]) -> bool:
        section = SECTIONS["lines"]
        return self._first(section.table, (*KEYS, *section.keys), values) is not None

    def read_back_only(self, company: str) -> None:
        """Info-Link shows this company alone; blank: all of them."""
        self._db.execute("DELETE FROM readback")
        self._db.execute("INSERT INTO readback VALUES (?)", (company,))

    def billing(self, values: Mapping[str, str]) -> set[tuple[str, str]]:
        """Billing group and item of each billing entry of this change request."""
        section = SECTIONS["billing"]
        rows = self._db.execute(_where(section.table, KEYS), [values[name] for name in KEYS])
        return {(row[section.keys[0]], row[section.keys[1]]) for row in rows}

    def note(self, values: Mapping[str, str], text: str, append: bool) -> None:
        keys = [values[name] for name in KEYS]
        if not append:
            self._db.execute(f"DELETE FROM sim_note WHERE rowid IN (SELECT rowid FROM ({_where('sim_note', KEYS)}))", keys)  # noqa: S608
        self._db.execute("INSERT INTO sim_note VALUES (?, ?, ?, ?, ?, 0)", [*keys, text])

    def next_number(self, values: Mapping[str, str]) -> str:
        """A number for a request that came without one: the next whole number of its job and customer [A]."""
        sql = f"SELECT Change_Request_Number FROM {HEADERS_TABLE} WHERE Company_Code = ? AND Job_Number = ? AND Customer_Code = ?"  # noqa: S608
        used = [row[0].strip() for row in self._db.execute(sql, [values[name] for name in KEYS[:3]])]
        return str(1 + max((int(one) for one in used if one.isdecimal()), default=0))

    def session(self, method: str, guid: str) -> tuple[str, float] | None:
        """Who used this GUID with this method last, and when (seconds since 1970)."""
        row = self._db.execute("SELECT authorization_id, used FROM session WHERE method = ? AND guid = ?", (method, guid)).fetchone()
        return None if row is None else (row[0], row[1])

    def use_session(self, method: str, guid: str, authorization_id: str, now: float) -> None:
        self._db.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", (method, guid, authorization_id, now))

    def change_requests(self) -> list[dict[str, Any]]:
        """Every change request with its lines and other details, under Spectrum's element names."""
        found = [dict(_renamed(row)) for row in self._db.execute(f"SELECT * FROM {HEADERS_TABLE} ORDER BY rowid")]  # noqa: S608
        details = {name: self._details(section.table, section.names) for name, section in SECTIONS.items()}
        details["notes"] = self._details("sim_note", ["Notes_Text"])
        return [{**header, **{name: rows.get(_key(header), []) for name, rows in details.items()}} for header in found]

    def journal(self, last: int = -1) -> list[dict[str, Any]]:
        """The calls in the order they came; only the `last` so many if given."""
        rows = self._db.execute("SELECT * FROM (SELECT * FROM journal ORDER BY seq DESC LIMIT ?) ORDER BY seq", (last,))
        return [{**dict(row), "rows": json.loads(row["rows"]), "elements": json.loads(row["elements"])} for row in rows]

    def _details(self, table: str, names: Sequence[str]) -> dict[tuple[str, ...], list[dict[str, str]]]:
        """The rows of `table` by the keys of their change request."""
        found: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in self._db.execute(f"SELECT * FROM {table} ORDER BY rowid"):  # noqa: S608
            detail = _renamed(row)
            found.setdefault(_key(detail), []).append({name: detail[name] for name in names})
        return found

    def _first(self, table: str, keys: Sequence[str], values: Mapping[str, str]) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(_where(table, keys), [values[name] for name in keys]).fetchone()
        return row

    def _write(self, table: str, names: Iterable[str], values: Mapping[str, str], found: sqlite3.Row | None, shown_from: float) -> None:
        """Change the row that was found, or make one."""
        given = {COLUMNS.get(name, name): _plain(name, values[name]) for name in names if values.get(name)}
        if found is None:
            listed, marks = ", ".join([*given, "shown_from"]), ", ".join("?" * (len(given) + 1))
            self._db.execute(f"INSERT INTO {table} ({listed}) VALUES ({marks})", [*given.values(), shown_from])  # noqa: S608
            return
        changed = {column: value for column, value in given.items() if found[column].strip() != value}  # a key keeps its padding
        if changed:
            setting = ", ".join(f"{one} = ?" for one in changed)
            self._db.execute(f"UPDATE {table} SET {setting} WHERE rowid = ?", [*changed.values(), found["rowid"]])  # noqa: S608


def _where(table: str, keys: Sequence[str]) -> str:
    tests = " AND ".join(f"TRIM({one}) = ?" for one in schema.columns(keys))
    return f"SELECT rowid, * FROM {table} WHERE {tests} ORDER BY rowid"  # noqa: S608 -- names of our own tables and columns


def _key(record: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(record[name].strip() for name in KEYS)


def _renamed(row: sqlite3.Row) -> dict[str, str]:
    elements = {column: name for name, column in COLUMNS.items()}
    return {elements.get(column, column): row[column] for column in row.keys() if column not in HIDDEN}  # noqa: SIM118 -- no mapping


def _added(values: Mapping[str, str], found: sqlite3.Row) -> dict[str, str]:
    sums = {name: str(Decimal(values[name]) + Decimal(found[name] or 0)) for name in AMOUNTS if values[name] and name in found.keys()}  # noqa: SIM118
    return {**values, **sums}


def _plain(name: str, value: str) -> str:
    """Numbers with all their decimals, so that they compare as text."""
    return f"{Decimal(value):.{NUMBERS[name]}f}" if name in NUMBERS else value
