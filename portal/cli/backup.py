"""`portal backup`: a verified copy of everything but SECRET_KEY in one file."""

from pathlib import Path

import click

from portal import cli, db
from portal.backup import Refused, make
from portal.cli.progress import progress

NO_KEY = "BACKUP_KEY: is not set, so anyone who gets the file could read it. Set it, or say --unencrypted."


@click.command()
@click.argument("place", type=click.Path(path_type=Path))
@click.option("--unencrypted", is_flag=True, help="Write the backup so that anyone who gets the file can read it.")
@click.option("--keep", type=click.IntRange(min=1), help="Then remove the oldest backups in the folder PLACE, but for so many.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
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
