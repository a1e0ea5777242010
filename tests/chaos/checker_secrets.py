"""Secrets: none of them stands in a log, in a page, in an excerpt of an answer, or anywhere in the database."""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.chaos.checker_evidence import Evidence, reading, select

OURS = ("run.json", "master.json", "secret_key")  # files whose business secrets are
BINARY = (".db", ".db-wal", ".db-shm", ".db-journal")
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
POSTGRES_TABLES = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"


def no_secret_is_told(evidence: Evidence) -> Iterator[str]:
    secrets = {name: _spellings(secret) for name, secret in _secrets(evidence).items() if len(secret) >= 4}
    for place, text in _texts(evidence):
        for name, spellings in secrets.items():
            if any(spelling in text for spelling in spellings):
                yield f"{name} stands in {place}"


def _secrets(evidence: Evidence) -> dict[str, str]:
    file = evidence.folder / "run.json"
    told = json.loads(file.read_text(encoding="utf-8")).get("secrets", {}) if file.exists() else {}
    return {**told, **{f"secret {number}": secret for number, secret in enumerate(evidence.secrets, 1)}}


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), html.escape(secret), json.dumps(secret)[1:-1]}


def _texts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Every place where something was written down, with what stands there."""
    for file in sorted(evidence.folder.rglob("*")):
        if file.is_file() and _is_read(file):
            yield str(file.relative_to(evidence.folder)), file.read_text(encoding="utf-8", errors="replace")
    for call in evidence.calls:
        yield f"Spectrum's journal (call {call['seq']})", f"{call['rows']} {json.dumps(call['elements'])}"
    is_sqlite = evidence.database_url.startswith("sqlite")
    with reading(evidence.database_url) as connection:
        for table in select(connection, TABLES if is_sqlite else POSTGRES_TABLES):
            for row in select(connection, f'SELECT * FROM "{table.name}"'):
                for column, value in vars(row).items():
                    if isinstance(value, str):
                        yield f"{table.name}.{column}", value


def _is_read(file: Path) -> bool:
    return file.name not in OURS and not file.name.endswith(BINARY)
