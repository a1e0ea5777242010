"""What the simulated Spectrum has stored, and every call it received: one SQLite file that outlives the process.

The tables carry the names by which Info-Link shows them [P2] [D27] [O7].
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from portal.spectrum.fields import FIELDS
from portal.spectrum.outcomes import Row

NAMES = tuple(field.name for field in FIELDS)
KEYS = NAMES[2:6]
HEADER = NAMES[6:13] + NAMES[48:56]
ATTACHED = ("Change_Order_Number", "Draw_Number")  # set by people in Spectrum only; the second name is ours
NUMBERS = {field.name: field.decimals for field in FIELDS if field.kind == "number"}

AMOUNTS = ("Change_Request_Amount", "Sub_Amount")

#: Columns that Info-Link calls differently from the element.
COLUMNS = {"CR_Status": "Status", "CR_Phase_Code": "Phase_Code", "CR_Cost_Type": "Cost_Type"}
HEADERS_TABLE = "CR_CHNG_REQ_HDR_MC"


@dataclass(frozen=True)
class Section:
    """Details of a change request: stored when one of `given` has a value, found again by `keys`."""

    table: str
    names: Sequence[str]
    keys: Sequence[str]
    given: Sequence[str]


SECTIONS = {
    "lines": Section("CR_CHNG_REQ_CON_DET_MC", NAMES[13:33], (*NAMES[13:15], *NAMES[18:20], *NAMES[21:23]), NAMES[13:14]),
    "billing": Section("CR_CHNG_REQ_REV_MC", NAMES[41:48], NAMES[41:43], NAMES[41:43]),
    "markups": Section("sim_markup", NAMES[33:36], NAMES[33:34], NAMES[34:36]),
    "addons": Section("sim_addon", NAMES[36:41], NAMES[36:37], NAMES[36:37]),
}


def _columns(names: Sequence[str]) -> list[str]:
    return [COLUMNS.get(name, name) for name in names]


def _table(name: str, columns: Sequence[str]) -> str:
    listed = ", ".join(f"{one} TEXT NOT NULL DEFAULT ''" for one in columns)
    return f"CREATE TABLE IF NOT EXISTS {name} ({listed})"


def _index(table: str) -> str:
    return f"CREATE INDEX IF NOT EXISTS {table}_keys ON {table} ({', '.join(f'TRIM({one})' for one in KEYS)})"


TABLES = {
    HEADERS_TABLE: _columns([*KEYS, *HEADER, *ATTACHED]),
    **{section.table: _columns([*KEYS, *section.names]) for section in SECTIONS.values()},
    "sim_note": [*KEYS, "Notes_Text"],
}
SCHEMA = (
    *(_table(name, columns) for name, columns in TABLES.items()),
    *(_index(name) for name in TABLES),
    """CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, guid TEXT NOT NULL,
       outcome TEXT NOT NULL, fault TEXT NOT NULL, rows TEXT NOT NULL, elements TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS session (method TEXT NOT NULL, guid TEXT NOT NULL, authorization_id TEXT NOT NULL, used REAL NOT NULL,
       PRIMARY KEY (method, guid))""",
    "CREATE TABLE IF NOT EXISTS secret (client_id TEXT PRIMARY KEY, secret TEXT NOT NULL, expires REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, client_id TEXT NOT NULL, expires REAL NOT NULL)",
)


class Ledger:
    """One connection, used by one thread at a time; each `with ledger` is one transaction, on disk when it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "spectrum.db", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA synchronous = FULL")
        with self:
            for statement in SCHEMA:
                self._db.execute(statement)
            self._complete()

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
        for table in (*TABLES, "journal", "session", "secret", "token"):
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

    def store(self, values: Mapping[str, str], adds: bool = False) -> None:
        """Change or create the header by its four keys and the line by its six; empty keeps, nothing is deleted [D12].

        `adds`: the amounts of a line that is there are added to, not replaced.
        """
        self._upsert(HEADERS_TABLE, KEYS, [*HEADER, *ATTACHED], values)
        for section in SECTIONS.values():
            if any(values.get(name) for name in section.given):
                keys = (*KEYS, *section.keys)
                found = self._first(section.table, keys, values) if adds else None
                self._upsert(section.table, keys, section.names, values if found is None else _added(values, found))

    def billing(self, values: Mapping[str, str]) -> set[tuple[str, str]]:
        """Billing group and item of each billing entry of this change request."""
        section = SECTIONS["billing"]
        rows = self._db.execute(_where(section.table, KEYS), [values[name] for name in KEYS])
        return {(row[section.keys[0]], row[section.keys[1]]) for row in rows}

    def note(self, values: Mapping[str, str], text: str, append: bool) -> None:
        keys = [values[name] for name in KEYS]
        if not append:
            self._db.execute(f"DELETE FROM sim_note WHERE rowid IN (SELECT rowid FROM ({_where('sim_note', KEYS)}))", keys)  # noqa: S608
        self._db.execute("INSERT INTO sim_note VALUES (?, ?, ?, ?, ?)", [*keys, text])

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

    def _complete(self) -> None:
        """Add the columns that a file of an earlier version lacks."""
        for table, columns in TABLES.items():
            have = {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}
            for column in columns:
                if column not in have:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")

    def _first(self, table: str, keys: Sequence[str], values: Mapping[str, str]) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(_where(table, keys), [values[name] for name in keys]).fetchone()
        return row

    def _upsert(self, table: str, keys: Sequence[str], names: Sequence[str], values: Mapping[str, str]) -> None:
        found = self._first(table, keys, values)
        given = {name: _plain(name, values[name]) for name in dict.fromkeys((*keys, *names)) if values.get(name)}
        if found is None:
            columns = _columns(list(given))
            marks = ", ".join("?" * len(columns))
            self._db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(given.values()))  # noqa: S608
            return
        changed = {name: value for name, value in given.items() if name not in keys}
        setting = ", ".join(f"{one} = ?" for one in _columns(list(changed)))
        if setting:
            self._db.execute(f"UPDATE {table} SET {setting} WHERE rowid = ?", [*changed.values(), found["rowid"]])  # noqa: S608


def _where(table: str, keys: Sequence[str]) -> str:
    tests = " AND ".join(f"TRIM({one}) = ?" for one in _columns(keys))
    return f"SELECT rowid, * FROM {table} WHERE {tests} ORDER BY rowid"  # noqa: S608 -- names of our own tables and columns


def _key(record: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(record[name].strip() for name in KEYS)


def _renamed(row: sqlite3.Row) -> dict[str, str]:
    elements = {column: name for name, column in COLUMNS.items()}
    return {elements.get(column, column): row[column] for column in row.keys() if column != "rowid"}  # noqa: SIM118 -- no mapping


def _added(values: Mapping[str, str], found: sqlite3.Row) -> dict[str, str]:
    sums = {name: str(Decimal(values[name]) + Decimal(found[name] or 0)) for name in AMOUNTS if values[name] and name in found.keys()}  # noqa: SIM118
    return {**values, **sums}


def _plain(name: str, value: str) -> str:
    """Numbers with all their decimals, so that they compare as text."""
    return f"{Decimal(value):.{NUMBERS[name]}f}" if name in NUMBERS else value
