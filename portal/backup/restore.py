"""Put a backup in the place of the database. Exports are paused in it before anything can send from it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import peewee

from config import Settings
from portal import clock, db, preflight
from portal.backup import Progress, Refused, archive, postgres, sqlite, verify
from portal.backup.archive import DATABASE, HEADS, Manifest
from portal.domain import lanes, processes
from portal.domain.audit import chain, heads
from portal.domain.recovery import restored
from portal.standalone import machine

OTHER_KIND = "The backup is of a {held} database, and DATABASE_URL names a {wanted} one. Set DATABASE_URL to one of its kind."
Hold = Callable[[], None]  # what pauses exports in what was restored
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept` are the files that the restore put aside; `applied` the migrations that the backup lacked."""

    manifest: Manifest
    kept: list[Path]
    applied: list[str]
    last_export: str


def restore(settings: Settings, file: Path, *, replace: bool, tell: Progress, by: str = "") -> Restored:
    """Restore the backup, for the person with the address `by`. `replace`: there may be data in the database already.

    Raises Refused or OSError; nothing was replaced then.
    """
    wanted = preflight.database_file(settings)
    for place in (settings.PORTAL_DATA, *([wanted.parent] if wanted else [])):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=wanted.parent if wanted else settings.PORTAL_DATA) as name:
        folder = Path(name)
        manifest = archive.unpack(file, folder, settings.BACKUP_KEY, tell)
        _ensure_fits(manifest, "sqlite" if wanted else "postgresql")
        with _alone(settings):
            if not replace and _holds_data(wanted):
                raise Refused("The database holds data. Say --replace to put the backup in its place.")
            hold = partial(restored.hold, datetime.fromisoformat(manifest.taken_at), by)
            if wanted:
                applied, kept = _into_file(manifest, folder, wanted, tell, hold)
            else:
                applied, kept = _into_server(settings.DATABASE_URL, folder, tell, hold)
            kept += _put_heads(manifest, folder, settings.PORTAL_DATA / heads.HEADS)
    with db.connected():
        return Restored(manifest, kept, applied, restored.last_export())


def _ensure_fits(manifest: Manifest, kind: str) -> None:
    if manifest.kind != kind:
        raise Refused(OTHER_KIND.format(held=NAMES[manifest.kind], wanted=NAMES[kind]))
    known = {one.stem for one in db.MIGRATIONS.glob("[0-9]*.py")}
    if newer := sorted(set(manifest.migrations) - known):
        raise Refused(f"The backup is of a newer version of the portal ({manifest.version}, {newer[-1]}). Restore it with that one.")


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Raises Refused while anything else of the portal runs: it would go on with what is being replaced."""
    file = preflight.database_file(settings)
    locks = [settings.PORTAL_DATA / machine.LOCK, *([file.with_name(f"{file.name}.web")] if file else [])]
    with contextlib.ExitStack() as held:
        for lock in locks:
            try:
                held.enter_context(machine.hold(lock))
            except BlockingIOError:
                raise Refused(f"The portal runs: {lock} is held. Stop all of its processes first.") from None
        if running := [*_processes(file), *([] if file else postgres.others())]:
            raise Refused(f"The portal runs: {', '.join(running)}. Stop all of its processes first.")
        yield


def _processes(file: Path | None) -> list[str]:
    """Those that reported themselves; none where the database cannot be read, which is why it is restored."""
    if file and not file.exists():
        return []
    try:
        with db.connected():
            return [f"{one.kind} on {one.machine} (process {one.pid})" for one in processes.running()]
    except (peewee.DatabaseError, peewee.InterfaceError):
        return []


def _holds_data(file: Path | None) -> bool:
    """Also where it cannot be read: what is there may be wanted."""
    if file and not file.exists():
        return False
    try:
        with db.connected():
            return bool(db.database.get_tables())
    except (peewee.DatabaseError, peewee.InterfaceError):
        return True


def _into_file(manifest: Manifest, folder: Path, wanted: Path, tell: Progress, hold: Hold) -> tuple[list[str], list[Path]]:
    """The copy is verified, migrated and paused before it gets the name; what had the name is kept."""
    copy = folder / DATABASE
    if faults := verify.faults(manifest, folder, tell):
        raise Refused(" ".join([*faults, "Take another backup."]))
    with db.elsewhere(f"sqlite:///{copy}"), db.connected():
        applied = db.migrate()
        hold()
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    copy.chmod(0o600)
    sqlite.sync(copy)
    kept = [_aside(one) for one in (wanted.with_name(f"{wanted.name}-wal"), wanted.with_name(f"{wanted.name}-shm")) if one.exists()]
    if wanted.exists():
        kept.insert(0, _aside(wanted, os.link))
    copy.replace(wanted)
    sqlite.sync(wanted.parent)
    return applied, kept


def _into_server(url: str, folder: Path, tell: Progress, hold: Hold) -> tuple[list[str], list[Path]]:
    """In one transaction with the pause; what was there stays if any of it fails."""
    tell("Restored", 0, 1)
    postgres.restore(url, folder / DATABASE, lanes.RESTORED)
    tell("Restored", 1, 1)
    with db.connected():
        applied = db.migrate()
        hold()
    return applied, []


def _put_heads(manifest: Manifest, folder: Path, place: Path) -> list[Path]:
    """The file of heads that fits the trail; another one, which knows of events that are gone, is kept beside it."""
    kept = [_aside(place)] if place.exists() else []
    if HEADS in manifest.files:
        shutil.copyfile(folder / HEADS, place)
    else:
        with db.connected():
            place.write_text(f"{heads.line(chain.head())}\n")
    return kept


def _aside(file: Path, move: Callable[[Path, Path], object] = os.rename) -> Path:
    """Under a name that says when."""
    kept = file.with_name(f"{file.name}.before-{clock.now():%Y%m%d-%H%M%S}")
    move(file, kept)
    return kept
