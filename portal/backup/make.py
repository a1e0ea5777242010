"""Make a backup beside a running portal: copy, write, open again, compare, and only then give the file its name."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config import Settings
from portal import clock, db, preflight, version
from portal.backup import Progress, Refused, archive, postgres, sqlite, verify
from portal.backup.archive import DATABASE, HEADS, Manifest
from portal.backup.snapshot import Snapshot
from portal.db.errors import Unmigrated
from portal.domain import backups
from portal.domain.audit import heads

NAME = re.compile(r"portal-[0-9]{8}-[0-9]{6}\.backup", re.ASCII)
PART = ".unverified"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written. `faults` says why it must not be relied on; then its name ends in `.unverified`."""

    path: Path
    bytes: int
    taken_at: datetime
    snapshot: Snapshot
    faults: list[str]


def make(settings: Settings, place: Path, key: str, tell: Progress) -> Made:
    """The backup at `place`: a folder, where it is named by its moment, or a file that is not there yet. No key: not encrypted.

    Raises Refused, Unmigrated, or OSError where there is no room.
    """
    with db.connected():
        if db.pending():
            raise Unmigrated("A backup is made with the version of the portal that the database is of.")
    taken_at = clock.now()
    out = place / f"portal-{taken_at:%Y%m%d-%H%M%S}.backup" if place.is_dir() else place
    if out.exists():
        raise Refused(f"{out} is there already. Choose another name.")
    unverified = out.with_name(f"{out.name}{PART}")
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.PORTAL_DATA) as name:
        folder = Path(name)
        snapshot, manifest = _copy(settings, folder, taken_at, tell)
        unverified.unlink(missing_ok=True)
        archive.write(unverified, manifest, folder, key, tell)
        for file in folder.iterdir():
            file.unlink()
        again = archive.unpack(unverified, folder, key, tell)
        faults = verify.faults(again, folder, tell)
    path = unverified if faults else unverified.rename(out)
    with db.connected():
        backups.record(taken_at, path.name, path.stat().st_size, not faults)
    return Made(path, path.stat().st_size, taken_at, snapshot, faults)


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest backups of the folder that were named by their moment, but for so many; answers those removed."""
    old = sorted(file for file in folder.iterdir() if NAME.fullmatch(file.name))[:-keep]
    for file in old:
        file.unlink()
    return old


def _copy(settings: Settings, folder: Path, taken_at: datetime, tell: Progress) -> tuple[Snapshot, Manifest]:
    """The heads come first: the trail in the copy then holds all of them."""
    if (known := settings.PORTAL_DATA / heads.HEADS).exists():
        shutil.copyfile(known, folder / HEADS)
    file = preflight.database_file(settings)
    copied = sqlite.copy(file, folder / DATABASE, tell) if file else postgres.dump(settings.DATABASE_URL, folder / DATABASE)
    files = {one.name: archive.digest(one) for one in sorted(folder.iterdir()) if one.name in (DATABASE, HEADS)}
    kind = "sqlite" if file else "postgresql"
    told = Manifest(taken_at.isoformat(), version.VERSION, kind, copied.migrations, copied.counts, copied.head, files)
    return copied, told
