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
@cli.json_option
def migrate(as_json: bool) -> None:
    """Apply the migrations that are pending."""
    applied = store.migrate(tell=str if as_json else lambda name: click.echo(f"applied {name}"))
    cli.tell(as_json, [] if applied else ["The database is up to date."], applied=applied)


@db.command()
@cli.json_option
def status(as_json: bool) -> None:
    """Every migration with the time it was applied; ends with status 1 when one is pending."""
    rows = Runner(store.database.obj, str(store.MIGRATIONS)).status()
    lines = [f"{row.name:40} {row.applied or 'pending'}" for row in rows]
    cli.tell(as_json, lines, migrations=[{"name": row.name, "applied_at": row.applied} for row in rows])
    if any(row.applied is None for row in rows):
        raise SystemExit(1)
