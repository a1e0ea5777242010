"""`portal exports`: look after exports by hand, without Redis."""

from datetime import UTC

import click

from portal import cli, db
from portal.domain import outbox, pausing, people
from portal.domain.companies import current
from portal.domain.outbox import Dispatch, Lane


@click.group()
def exports() -> None:
    """Drain, pause and resume the line of exports."""


@exports.command()
def drain() -> None:
    """Work through what is due now, in this process, as the worker would."""
    from portal import create_app, tasks  # a command of its own weight: Flask, Zeep, RQ's task

    app = create_app(cli.settings())
    with app.app_context(), db.connected():
        for name in (current().lane, outbox.MAIL):
            tasks.drain(name)


@exports.command()
def status() -> None:
    """Say what waits and whether the line is paused."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        lane = Lane.get_by_id(current().lane)
        waiting = Dispatch.select().where(Dispatch.lane == lane.name, Dispatch.finished_at.is_null()).order_by(Dispatch.due_at)
        click.echo(f"{len(waiting)} waiting")
        for dispatch in waiting:
            click.echo(
                f"{dispatch.key}  due {dispatch.due_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z  tries {dispatch.tries}  {dispatch.error}"
            )
        if lane.paused_at:
            click.echo(f"Paused since {lane.paused_at:%Y-%m-%d %H:%M}Z: {lane.reason}")


@exports.command()
@click.argument("reason")
@click.option("--by", metavar="EMAIL", required=True, help="the administrator who pauses")
def pause(reason: str, by: str) -> None:
    """Stop sending, for REASON, which everybody sees. Accepted change orders wait in line."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        pausing.pause(current().lane, _administrator(by), reason)


@exports.command()
@click.option("--by", metavar="EMAIL", required=True, help="the administrator who resumes")
def resume(by: str) -> None:
    """Send again."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        pausing.resume(current().lane, _administrator(by))


def _administrator(email: str) -> people.User:
    person = people.find(email)
    if person is None or not person.may_administer:
        raise cli.Refusal(f"{email} is not an active administrator.")
    return person
