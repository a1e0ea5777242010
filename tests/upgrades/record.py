"""Records the database of the version at hand, for later versions to upgrade: `pytest tests/upgrades/record.py --database both`.

Run it once, when a version is cut. It needs nothing but the cast, so that it also runs with the code of an older version.
"""

import gzip
import sqlite3
import subprocess
from pathlib import Path

import pytest

from portal import db
from portal.version import VERSION
from tests.cast import LINES

FOLDER = Path(__file__).parent / "databases"
STATES = ("draft", "ready", "queued", "exporting", "exported", "failed", "unknown", "rejected", "retrieved", "void")
TWO_LINES = (*LINES, ("16-2100", "SUB", "-250.00"))


@pytest.mark.databases_differ("what a database is dumped by")
def test_record(make_change_order, ada, sam, eve, database_url):
    for state in STATES:
        make_change_order(state, lines=TWO_LINES, title=f"It is {state}")
    db.database.close()

    content = sqlite_file(database_url) if database_url.startswith("sqlite") else postgresql_dump(database_url)

    FOLDER.mkdir(exist_ok=True)
    name = f"{VERSION}.{'sqlite' if database_url.startswith('sqlite') else 'sql'}.gz"
    (FOLDER / name).write_bytes(gzip.compress(content, mtime=0))


def sqlite_file(url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as source, sqlite3.connect(":memory:") as copy:
        source.backup(copy)
        copy.execute("VACUUM")
        return copy.serialize()


def postgresql_dump(url):
    """Statements that any client can send, without the words of psql."""
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--dbname", url]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("\\", "--"))).encode()
