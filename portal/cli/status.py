"""`portal status`: what the status page says, for a terminal or a script."""

import click

from portal import cli, db
from portal.domain.status import facts, report, verdict
from portal.domain.status.parts import Health


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all facts as one line of JSON.")
def status(as_json: bool) -> None:
    """Say whether exports are up, else what to do; then each part in a line. Ends with status 1 unless all is well."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        found = verdict.of(facts.gather())
    lines = [f"{part.name:<18} {part.health:<9} {part.text} {part.action}".rstrip() for part in found.parts]
    cli.tell(as_json, [found.sentence, *lines], **report.of(found))
    if found.health is not Health.UP:
        raise SystemExit(1)
