"""`portal backup`: a verified copy of everything but SECRET_KEY in one file; `portal restore`: put one in place."""

from pathlib import Path

import click

from portal import cli, db
from portal.backup import Refused, make
from portal.backup import restore as restoring
from portal.cli.progress import progress

NO_KEY = "BACKUP_KEY: is not set, so anyone who gets the file could read it. Set it, or say --unencrypted."


@click.command()
@click.argument("place", type=click.Path(path_type=Path))
@click.option("--unencrypted", is_flag=True, help="Write the backup so that anyone who gets the file can read it.")
@click.option("--keep", type=click.IntRange(min=1), help="Then remove the oldest backups in the folder PLACE, but for so many.")
@cli.json_option
def backup(place: Path, unencrypted: bool, keep: int | None, as_json: bool) -> None:
    """Write a backup to PLACE: a folder, or a file that is not there yet. Nothing has to stop for it.

    It is opened again and compared with the database, and its audit trail is verified. Ends with status 1 when it must not be
    relied on: its name ends in .unverified then.
    """
    settings = cli.settings()
    if not settings.BACKUP_KEY and not unencrypted:
        raise cli.Refusal(NO_KEY)
    if keep and not place.is_dir():
        raise cli.Refusal(f"--keep: {place} is not a folder.")
    db.init(settings.DATABASE_URL)
    key = "" if unencrypted else settings.BACKUP_KEY
    try:
        with progress() as tell:
            made = make.make(settings, place, key, tell)
        removed = make.prune(place, keep) if keep and not made.faults else []
    except Refused as error:
        raise cli.Refusal(str(error)) from None
    except OSError as error:
        raise cli.Refusal(f"The backup could not be written: {error}. Nothing was changed.") from None
    cli.tell(as_json, _sentences(made, removed), file=made.path, bytes=made.bytes, taken_at=made.taken_at, encrypted=bool(key),
             verified=not made.faults, faults=made.faults, rows=made.snapshot.counts, last_event=made.snapshot.head[0],
             removed=removed)  # fmt: skip
    if made.faults:
        raise SystemExit(1)


def _sentences(made: make.Made, removed: list[Path]) -> list[str]:
    rows, events = sum(made.snapshot.counts.values()), made.snapshot.head[0]
    if made.faults:
        return [*made.faults, f"Do not rely on {made.path}."]
    said = f"{made.path}  {made.bytes:,} bytes, {rows:,} rows, {events:,} events; opened again and verified."
    return [said, *(f"Removed {file}" for file in removed)]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put it in the place of the data that the database holds.")
@cli.acting
@cli.json_option
def restore(file: Path, replace: bool, acting: str, as_json: bool) -> None:
    """Restore the backup FILE. Every process of the portal has to be stopped.

    Exports are paused afterwards, until they are compared with Spectrum or an approver resumes them. Everyone has to sign in again.
    """
    settings = cli.settings()
    db.init(settings.DATABASE_URL)
    try:
        with progress() as tell:
            done = restoring.restore(settings, file, replace=replace, tell=tell, by=acting)
    except Refused as error:
        raise cli.Refusal(f"{error} Nothing was replaced.") from None
    except OSError as error:
        raise cli.Refusal(f"The backup could not be restored: {error}.") from None
    manifest = done.manifest
    cli.tell(as_json, _told(done), taken_at=manifest.taken_at, version=manifest.version, rows=manifest.counts, last_event=manifest.head[0],
             kept=done.kept, migrations=done.applied, last_export=done.last_export, exports="paused")  # fmt: skip


def _told(done: restoring.Restored) -> list[str]:
    known = f"The last export it knows of is {done.last_export}." if done.last_export else "It knows of no export."
    return [
        f"Restored as of {done.manifest.taken_at}, with {done.manifest.head[0]:,} events. {known}",
        *(f"Kept what was there before: {file}" for file in done.kept),
        *(f"applied {name}" for name in done.applied),
        "Exports are paused. With read access to Spectrum they go on by themselves when all that waits was compared with it, in 15 minutes "
        "at the earliest; else an approver looks there, and resumes them.",
    ]
