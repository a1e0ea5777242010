"""Whether a backup that was unpacked is what its manifest says, and its audit trail as it was written."""

from pathlib import Path

from portal import db
from portal.backup import Progress, postgres, sqlite
from portal.backup.archive import DATABASE, HEADS, Manifest
from portal.domain.audit import chain
from portal.domain.audit.heads import Unreadable, read_heads


def faults(manifest: Manifest, folder: Path, tell: Progress) -> list[str]:
    """A sentence for each. A dump is read back beside the tables of the present database, which have to be of the same shape."""
    copy = folder / DATABASE
    if manifest.kind == "postgresql":
        with db.connected(), postgres.loaded(copy, manifest.counts, tell) as found:
            return [*_of_counts(manifest, found), *_of_trail(manifest, folder)]
    if damaged := sqlite.faults(copy):
        return damaged
    with db.elsewhere(f"sqlite:///{copy}"), db.connected():
        held = sqlite.facts(db.database.connection())
        return [*_of_counts(manifest, held.counts), *_of_trail(manifest, folder)]


def _of_counts(manifest: Manifest, found: dict[str, int]) -> list[str]:
    differ = sorted(table for table in manifest.counts.keys() | found.keys() if manifest.counts.get(table) != found.get(table))
    return [f"The table {table} has {found.get(table, 0):,} rows in the backup, not {manifest.counts.get(table, 0):,}." for table in differ]


def _of_trail(manifest: Manifest, folder: Path) -> list[str]:
    try:
        heads = read_heads(folder / HEADS) if HEADS in manifest.files else []
    except Unreadable as error:
        return [str(error)]
    verdict = chain.verify(heads)
    if verdict.fault:
        return [verdict.fault.text]
    ends = verdict.events, verdict.hash
    return [] if ends == manifest.head else [f"The audit trail ends with event {verdict.events:,}, not {manifest.head[0]:,}."]
