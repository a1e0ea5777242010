"""What stands in the books during and after a rehearsal, read beside the portal: states, and a count of what Spectrum holds."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from portal.spectrum.readback import StoredLine
from portal.spectrum.simulator.ledger import KEYS

UNDER_WAY = ("queued", "exporting")


@contextmanager
def reading(database_url: str) -> Iterator[Any]:
    """A connection that only reads."""
    if database_url.startswith("sqlite:///"):
        opened: Any = sqlite3.connect(f"file:{database_url.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=10)
    else:
        opened = psycopg.connect(database_url, autocommit=True, options="-c default_transaction_read_only=on")
    with closing(opened):
        yield opened


def states(database_url: str) -> Counter[str]:
    """How many change orders are in each state."""
    with reading(database_url) as connection:
        return Counter(dict(connection.execute("SELECT status, COUNT(*) FROM change_order GROUP BY status").fetchall()))


def failed(database_url: str) -> list[int]:
    """The change orders that failed, by id."""
    with reading(database_url) as connection:
        return [id for (id,) in connection.execute("SELECT id FROM change_order WHERE status = 'failed' ORDER BY id").fetchall()]


def compare(database_url: str, simulator: Path) -> dict[str, int]:
    """Exported change orders that Spectrum lacks, wholly or a line of it (lost); lines that are there twice or with another amount
    (doubled); and entries under numbers that nobody here exported, or whose fate the portal does not call open (strangers)."""
    with reading(database_url) as connection:
        rows = connection.execute(
            "SELECT change_order.status, export.frozen FROM export JOIN change_order ON change_order.id = export.change_order_id"
            " WHERE change_order.export = export.id"
        ).fetchall()
        ever = {key(json.loads(frozen)["header"]) for (frozen,) in connection.execute("SELECT frozen FROM export").fetchall()}
    found, result = ledger(simulator), Counter(lost=0, doubled=0, strangers=0)
    for status, frozen in rows:
        document = json.loads(frozen)
        sent = Counter(StoredLine.sent(document["header"] | line["elements"]) for line in document["lines"])
        there = found.get(key(document["header"]), Counter())
        if status == "exported":
            result["lost"] += bool(sent - there)
        result["doubled"] += bool(there - sent)
    result["strangers"] = len(found.keys() - ever)
    return dict(result)


def ledger(simulator: Path) -> dict[tuple[str, ...], Counter[StoredLine]]:
    """The cost lines that Spectrum holds, by the four keys of their change request."""
    columns = ", ".join(KEYS)
    found: dict[tuple[str, ...], Counter[StoredLine]] = {}
    with closing(sqlite3.connect(f"file:{simulator / 'spectrum.db'}?mode=ro", uri=True, timeout=10)) as connection:
        for *keys, phase, cost_type, amount in connection.execute(
            f"SELECT {columns}, Phase_Code, Cost_Type, Change_Request_Amount FROM CR_CHNG_REQ_CON_DET_MC"
        ):
            found.setdefault(tuple(map(str.strip, keys)), Counter())[StoredLine(phase, cost_type, Decimal(amount or 0))] += 1
    return found


def key(header: dict[str, str]) -> tuple[str, ...]:
    return tuple(header[name].strip() for name in KEYS)
