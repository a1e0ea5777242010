"""`portal demo`: a full portal to look at, or to measure."""

import click

from portal import cli, db
from portal.cli.progress import progress
from portal.demo import samples, years


@click.command()
@click.option("--rows", default=1_000, type=click.IntRange(1, 10_000_000), show_default=True, help="How many change orders.")
@click.option("--days", default=30, type=click.IntRange(1, 3_650), show_default=True, help="Over how many days they were sent.")
@cli.json_option
def demo(rows: int, days: int, as_json: bool) -> None:
    """Migrate an empty database and fill it: sample people, their password, and change orders with their history.

    A tenth waits for a decision, one in a hundred failed for one of several causes, four were sent back; the others are exported.
    """
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        db.migrate()
        try:
            with progress() as tell:
                years.load(rows, days, lambda done: tell("Change orders", done, rows))
        except years.Occupied as error:
            raise cli.Refusal(str(error)) from None
    said = f"{rows:,} change orders over {days} days. Sign in as ana@example.test with: {samples.PASSWORD}"
    cli.tell(as_json, [said], rows=rows, days=days, email="ana@example.test", password=samples.PASSWORD)
