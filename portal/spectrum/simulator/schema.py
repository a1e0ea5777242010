"""The tables of the simulator's books, and the views on them by the names under which Info-Link shows Spectrum's [P2] [D27] [O7]."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from portal.spectrum.fields import FIELDS

NAMES = tuple(field.name for field in FIELDS)
KEYS = NAMES[2:6]
HEADER = NAMES[6:13] + NAMES[48:56]
ATTACHED = ("Change_Order_Number", "Draw_Number")  # set by people in Spectrum only; the second name is ours
HIDDEN = ("rowid", "shown_from")  # columns that are no element: from when on (seconds since 1970) Info-Link shows the row

#: Columns that Info-Link calls differently from the element.
COLUMNS = {"CR_Status": "Status", "CR_Phase_Code": "Phase_Code", "CR_Cost_Type": "Cost_Type"}
HEADERS_TABLE = "sim_header"


@dataclass(frozen=True)
class Section:
    """Details of a change request: stored when one of `given` has a value, found again by `keys`."""

    table: str
    names: Sequence[str]
    keys: Sequence[str]
    given: Sequence[str]


SECTIONS = {
    "lines": Section("sim_line", NAMES[13:33], (*NAMES[13:15], *NAMES[18:20], *NAMES[21:23]), NAMES[13:14]),
    "billing": Section("sim_billing", NAMES[41:48], NAMES[41:43], NAMES[41:43]),
    "markups": Section("sim_markup", NAMES[33:36], NAMES[33:34], NAMES[34:36]),
    "addons": Section("sim_addon", NAMES[36:41], NAMES[36:37], NAMES[36:37]),
}


def columns(names: Sequence[str]) -> list[str]:
    """The columns of these elements."""
    return [COLUMNS.get(name, name) for name in names]


TABLES = {
    HEADERS_TABLE: columns([*KEYS, *HEADER, *ATTACHED]),
    **{section.table: columns([*KEYS, *section.names]) for section in SECTIONS.values()},
    "sim_note": [*KEYS, "Notes_Text"],
}
VIEWS = {"CR_CHNG_REQ_HDR_MC": HEADERS_TABLE, "CR_CHNG_REQ_CON_DET_MC": "sim_line", "CR_CHNG_REQ_REV_MC": "sim_billing"}

OTHERS = (
    """CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, guid TEXT NOT NULL,
       outcome TEXT NOT NULL, fault TEXT NOT NULL, rows TEXT NOT NULL, elements TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS session (method TEXT NOT NULL, guid TEXT NOT NULL, authorization_id TEXT NOT NULL, used REAL NOT NULL,
       PRIMARY KEY (method, guid))""",
    "CREATE TABLE IF NOT EXISTS secret (client_id TEXT PRIMARY KEY, secret TEXT NOT NULL, expires REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, client_id TEXT NOT NULL, expires REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS readback (company TEXT NOT NULL)",
)


def create(db: sqlite3.Connection) -> None:
    """Make what is missing; a file of an earlier version keeps its rows."""
    for view, table in VIEWS.items():
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = ? AND type = 'table'", (view,)).fetchone():
            db.execute(f"ALTER TABLE {view} RENAME TO {table}")
        db.execute(f"DROP VIEW IF EXISTS {view}")
    for name, listed in TABLES.items():
        db.execute(_table(name, listed))
        _complete(db, name, listed)
        db.execute(f"CREATE INDEX IF NOT EXISTS {name}_keys ON {name} ({', '.join(f'TRIM({one})' for one in KEYS)})")
    for statement in OTHERS:
        db.execute(statement)
    for view, table in VIEWS.items():
        db.execute(_view(view, table))


def _table(name: str, listed: Sequence[str]) -> str:
    given = "".join(f"{one} TEXT NOT NULL DEFAULT '', " for one in listed)
    return f"CREATE TABLE IF NOT EXISTS {name} ({given}shown_from REAL NOT NULL DEFAULT 0)"


def _view(name: str, table: str) -> str:
    """What Info-Link shows: nothing before its time, and where one is set, one company alone. Its reader is another process."""
    now = "(julianday('now') - 2440587.5) * 86400"
    return f"""CREATE VIEW {name} AS SELECT {", ".join(TABLES[table])} FROM {table}
        WHERE shown_from <= {now} AND NOT EXISTS (SELECT 1 FROM readback WHERE company NOT IN ('', TRIM({table}.Company_Code)))"""  # noqa: S608


def _complete(db: sqlite3.Connection, table: str, listed: Sequence[str]) -> None:
    """Add the columns that a file of an earlier version lacks."""
    have = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
    for column in listed:
        if column not in have:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
    if "shown_from" not in have:
        db.execute(f"ALTER TABLE {table} ADD COLUMN shown_from REAL NOT NULL DEFAULT 0")
