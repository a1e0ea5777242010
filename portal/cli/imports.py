"""`portal import FILE`: change orders from a file, as drafts or straight to accounting."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from portal import cli, db
from portal.cli.progress import progress
from portal.domain import companies
from portal.domain.imports import entries, history, import_run
from portal.domain.imports.entries import BadFile, Entry
from portal.domain.imports.summary import Summary
from portal.domain.lanes import Lost
from portal.domain.people import NotPermitted, User
from portal.intake import apart, files

MOST_PROBLEMS = 200  # that are listed


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--send", "sender", metavar="EMAIL", help="Send what nothing blocks to accounting, for this person.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "xlsx", "json", "procore"]), help="If it cannot be told from the file itself."
)
@cli.json_option
def import_(file: Path, sender: str | None, dry_run: bool, format_: files.Format | None, as_json: bool) -> None:
    """Read change orders from a CSV file, an Excel workbook, our JSON, or the JSON of Procore's REST API.

    New ones become drafts, those still being written are replaced where the file says something new, those already at
    accounting are skipped. If any row has an error, nothing is imported.
    """
    db.init(cli.settings().DATABASE_URL)
    with db.connected(), _refusals():
        _be_ready()
        by = import_run.sender_by(sender) if sender else None
        reading = apart.read(file, format_)
        found = import_run.prepare(reading.entries, reading.problems)
        for note in [*reading.told, *entries.currencies(found, companies.current().currency)]:
            click.echo(f"Note: {note}", err=True)
        if dry_run:
            with progress() as tell:
                summary = import_run.preview(found, by, tell)
            _tell(as_json, summary, by, "Would be", file.name)
        else:
            _import(found, file.name, reading.sha256, by, as_json)


def _import(found: list[Entry], name: str, sha256: str, by: User | None, as_json: bool) -> None:
    with import_run.alone() as run:
        if earlier := run.unfinished():
            click.echo(f"The import of {earlier.file} was interrupted; completing it first.", err=True)
            with progress() as tell:
                summary = run.complete(earlier, tell)
            _tell(as_json, summary, earlier.sender, f"{earlier.file}:", earlier.file)
        with progress() as tell:
            summary = run.complete(run.stage(found, name, sha256, by, tell), tell)
    _tell(as_json, summary, by, "Imported:", name)


def _tell(as_json: bool, summary: Summary, by: User | None, heading: str, file: str) -> None:
    """The outcome on standard output."""
    cli.tell(as_json, _sentences(summary, by, heading), file=file, **asdict(summary))


def _sentences(summary: Summary, by: User | None, heading: str) -> Iterator[str]:
    counts = history.in_words(summary.counts)
    yield f"{heading} {counts}" + (f"; {summary.sent} sent to accounting, {len(summary.not_sent)} not sent" if by else "") + "."
    if by and summary.joined:
        yield f"{by.name} is now a member of job {', '.join(summary.joined)}."
    yield from _list("Skipped:", summary.left)
    yield from _list(
        "Would be left out, because they look like others (tick them on the page Imports):", [row[1:] for row in summary.alike]
    )
    misread = "Would be left out, because Excel may have made their codes (tick them on the page Imports):"
    yield from _list(misread, [row[1:] for row in summary.misread])
    yield from _list("Not sent:", summary.not_sent)
    yield from (f"Kept: {sentence}" for sentence in summary.kept)


def _list(heading: str, rows: list[tuple[str, str]]) -> list[str]:
    return [heading, *(f"  {name}: {why}" for name, why in rows)] if rows else []


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Say what a person can fix in plain words, with exit status 2."""
    try:
        yield
    except BadFile as error:
        listed = [str(problem) for problem in error.problems[:MOST_PROBLEMS]]
        more = len(error.problems) - len(listed)
        ending = [f"... and {more} more."] if more else []
        raise cli.Refusal("\n".join(["Nothing was imported.", *listed, *ending])) from None
    except (NotPermitted, import_run.Busy, db.Busy) as error:
        raise cli.Refusal(str(error)) from None
    except apart.Stopped as error:
        raise click.ClickException(f"{error} Nothing was imported; what stands above is for support.") from None
    except Lost:
        raise cli.Refusal("Another import took over and completes this one.") from None
    except KeyboardInterrupt:
        raise click.ClickException("Interrupted. Either nothing was changed, or the next import completes this one first.") from None


def _be_ready() -> None:
    if not db.database.table_exists("import"):
        raise cli.Refusal("The database is not set up. Run: portal db migrate")
