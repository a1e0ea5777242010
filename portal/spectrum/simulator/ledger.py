"""What the simulated Spectrum has stored, and every call it received: one SQLite file that outlives the process.

The tables carry the names by which Info-Link shows them [P2] [D27] [O7].
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from portal.spectrum.fields import FIELDS
from portal.spectrum.outcomes import Row

NAMES = tuple(field.name for field in FIELDS)
KEYS = NAMES[2:6]
HEADER = NAMES[6:13] + NAMES[48:55]
LINE_KEYS = ("CR_Phase_Code", "CR_Cost_Type", "Subcontractor_Code", "Subcontract_Number", "Sub_Bid_Group_Item_Code", "Sub_Bid_Item_Code")
LINE = NAMES[13:33]
MONEY = {"Change_Request_Amount", "Sub_Amount", "Change_Request_Hours", "Change_Request_Quantity"}

#: Columns that Info-Link calls differently from the element.
COLUMNS = {"CR_Status": "Status", "CR_Phase_Code": "Phase_Code", "CR_Cost_Type": "Cost_Type"}
HEADERS_TABLE = "CR_CHNG_REQ_HDR_MC"
LINES_TABLE = "CR_CHNG_REQ_CON_DET_MC"


def _columns(names: Sequence[str]) -> list[str]:
    return [COLUMNS.get(name, name) for name in names]


def _table(name: str, columns: Sequence[str]) -> str:
    listed = ", ".join(f"{one} TEXT NOT NULL DEFAULT ''" for one in columns)
    return f"CREATE TABLE IF NOT EXISTS {name} ({listed})"


def _index(table: str) -> str:
    return f"CREATE INDEX IF NOT EXISTS {table}_keys ON {table} ({', '.join(f'TRIM({one})' for one in KEYS)})"


SCHEMA = (
    _table(HEADERS_TABLE, [*_columns(KEYS + HEADER), "Change_Order_Number"]),
    _table(LINES_TABLE, _columns(KEYS + LINE)),
    _index(HEADERS_TABLE),
    _index(LINES_TABLE),
    """CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, guid TEXT NOT NULL,
       outcome TEXT NOT NULL, fault TEXT NOT NULL, rows TEXT NOT NULL, elements TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS session (method TEXT NOT NULL, guid TEXT NOT NULL, authorization_id TEXT NOT NULL, used REAL NOT NULL,
       PRIMARY KEY (method, guid))""",
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
        for table in (HEADERS_TABLE, LINES_TABLE, "journal", "session"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names

    def received(self, method: str, elements: Mapping[str, str]) -> int:
        """Journal a call before anything is done about it. The Authorization ID is not kept."""
        kept = {name: value for name, value in elements.items() if name != "Authorization_ID"}
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        sql = """INSERT INTO journal (at, method, guid, outcome, fault, rows, elements)
                 VALUES (?, ?, ?, 'received', '', '[]', ?) RETURNING seq"""
        seq: int = self._db.execute(sql, (at, method, elements.get("GUID", ""), json.dumps(kept))).fetchone()[0]
        return seq

    def settled(self, seq: int, outcome: str, rows: Sequence[Row] = (), fault: str = "") -> None:
        listed = json.dumps([{"error_code": row.code, "desc": row.text, "column": row.column} for row in rows])
        self._db.execute("UPDATE journal SET outcome = ?, rows = ?, fault = ? WHERE seq = ?", (outcome, listed, fault, seq))

    def header(self, values: Mapping[str, str]) -> dict[str, str] | None:
        """The change request of these four keys, compared trimmed, under element names."""
        found = self._first(HEADERS_TABLE, KEYS, values)
        return None if found is None else _renamed(found)

    def store(self, values: Mapping[str, str]) -> None:
        """Change or create the header by its four keys and the line by its six; empty keeps, nothing is deleted [D12]."""
        self._upsert(HEADERS_TABLE, KEYS, HEADER, values)
        if values["CR_Phase_Code"]:
            self._upsert(LINES_TABLE, KEYS + LINE_KEYS, LINE, values)

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
        """Every change request with its lines, under Spectrum's element names."""
        lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in self._db.execute(f"SELECT * FROM {LINES_TABLE} ORDER BY rowid"):  # noqa: S608
            line = _renamed(row)
            lines.setdefault(_key(line), []).append({name: line[name] for name in LINE})
        headers = map(_renamed, self._db.execute(f"SELECT * FROM {HEADERS_TABLE} ORDER BY rowid"))  # noqa: S608
        return [{**header, "lines": lines.get(_key(header), [])} for header in headers]

    def journal(self, last: int = -1) -> list[dict[str, Any]]:
        """The calls in the order they came; only the `last` so many if given."""
        rows = self._db.execute("SELECT * FROM (SELECT * FROM journal ORDER BY seq DESC LIMIT ?) ORDER BY seq", (last,))
        return [{**dict(row), "rows": json.loads(row["rows"]), "elements": json.loads(row["elements"])} for row in rows]

    def _first(self, table: str, keys: Sequence[str], values: Mapping[str, str]) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(_where(table, keys), [values[name] for name in keys]).fetchone()
        return row

    def _upsert(self, table: str, keys: Sequence[str], names: Sequence[str], values: Mapping[str, str]) -> None:
        found = self._first(table, keys, values)
        given = {name: _plain(name, values[name]) for name in dict.fromkeys((*keys, *names)) if values[name]}
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


def _plain(name: str, value: str) -> str:
    """Amounts with two decimals, so that they compare as text."""
    return f"{Decimal(value):.2f}" if name in MONEY else value
