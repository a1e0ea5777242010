"""`portal db migrate` and `portal db status`."""

import click
from playhouse.migrations import Runner

from portal import cli, failpoints
from portal import db as store


@click.group()
def db() -> None:
    """Migrate the database, or show what is pending."""
    settings = cli.settings()
    store.init(settings.DATABASE_URL)
    failpoints.begin(settings)


@db.command()
def migrate() -> None:
    """Apply the migrations that are pending."""
    if not store.migrate(tell=lambda name: click.echo(f"applied {name}")):
        click.echo("The database is up to date.")


@db.command()
def status() -> None:
    """Every migration with the time it was applied; ends with status 1 when one is pending."""
    rows = Runner(store.database.obj, str(store.MIGRATIONS)).status()
    for row in rows:
        click.echo(f"{row.name:40} {row.applied or 'pending'}")
    if any(row.applied is None for row in rows):
        raise SystemExit(1)
