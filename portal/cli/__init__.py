"""The command line: `portal COMMAND`, or `python -m portal.cli COMMAND`."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

import config
from portal import failpoints

if TYPE_CHECKING:
    from portal.domain.people import User


class Place(NamedTuple):
    """Where a command lives; its module is imported only when the command is used, so that `portal --help` is quick."""

    module: str
    name: str
    help: str


COMMANDS = {
    "up": Place("portal.cli.up", "up", "Start everything on this machine."),
    "check": Place("portal.cli.check", "check", "Look at the settings and at each part: a line each."),
    "status": Place("portal.cli.status", "status", "Say whether exports are up, else what to do."),
    "support-bundle": Place("portal.cli.support_bundle", "support_bundle", "Write what support needs to one file, without secrets."),
    "env": Place("portal.cli.env", "env", "Print every setting with its meaning and default."),
    "reseal": Place("portal.cli.check", "reseal", "Seal the stored secrets under a new SECRET_KEY."),
    "db": Place("portal.cli.database", "db", "Migrate the database, or show what is pending."),
    "users": Place("portal.cli.users", "users", "Add and list people, grant and revoke their rights."),
    "import": Place("portal.cli.imports", "import_", "Read change orders from a file."),
    "exports": Place("portal.cli.exports", "exports", "Look after exports without Redis."),
    "demo": Place("portal.cli.demo", "demo", "Fill an empty database with change orders to look at and to measure."),
    "summary": Place("portal.cli.summary", "summary", "Show or send the daily summary of what waits."),
    "keeper": Place("portal.cli.keeper", "keeper", "Ring the workers when work is due."),
    "backup": Place("portal.cli.backup", "backup", "Write a verified backup, while the portal runs."),
    "restore": Place("portal.cli.backup", "restore", "Put a backup in the place of the database."),
    "audit": Place("portal.cli.audit", "audit", "Verify the audit trail, or show its head."),
    "simulator": Place("portal.cli.simulator", "simulator", "A stand-in for Spectrum, on the same wire."),
    "catcher": Place("portal.cli.catcher", "catcher", "A mail server that delivers to a web page."),
}


acting = click.option("--as", "acting", metavar="EMAIL", default="", help="The administrator who does it, for the audit trail.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
NO_TABLE = re.compile(r"no such (table|column)|(relation|column) \S+ does not exist")  # SQLite's words, then PostgreSQL's


class Lazy(click.Group):
    """A group that knows its commands by name and loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        place = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(place.module), place.name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Whatever the command does: what it lacks to do it is one sentence, and exit status 2."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if said := in_words(error):
                raise Refusal(said) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items()])


@click.group(cls=Lazy)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Accept or reject commitment change orders and export them to Spectrum, each exactly once."""
    ctx.call_on_close(partial(os.umask, os.umask(0o077)))  # what a command makes, a database above all, is its owner's alone


def settings() -> config.Settings:
    """The settings; ends the command with their fault in plain words and exit status 2."""
    try:
        loaded = config.load()
    except config.ConfigError as error:
        raise Refusal(str(error)) from None
    failpoints.begin(loaded)
    return loaded


def person(email: str) -> User:
    """Raises Refusal where no one has the address."""
    from portal.domain import people

    found = people.find(email)
    if found is None:
        raise Refusal(f"There is no account with the address {email}. See `portal users list`.")
    return found


def actor(email: str) -> User | None:
    """Who acts, as `--as` says; None is the command line. Raises Refusal where no one has the address."""
    return person(email) if email else None


def tell(as_json: bool, sentences: Iterable[str], **facts: object) -> None:
    """The result of a command: sentences for a person, or its facts as one line of JSON for a script."""
    for said in [json.dumps(facts, default=_plain)] if as_json else sentences:
        click.echo(said)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def in_words(error: Exception) -> str:
    """What the command lacks, for whom it can be brought; an empty text for a defect of ours, whose trace someone needs."""
    import peewee

    from portal.db import errors

    said = " ".join(str(error).split())
    no_table = isinstance(error, peewee.OperationalError | peewee.ProgrammingError) and NO_TABLE.search(said)
    if no_table or isinstance(error, errors.Unmigrated):
        return "The database is not set up for this version of the portal. Run `portal db migrate` first."
    if isinstance(error, config.ConfigError | errors.Busy):
        return str(error)
    if isinstance(error, peewee.OperationalError | peewee.InterfaceError) and "syntax error" not in said:
        return f"DATABASE_URL: the database cannot be used ({said}). Nothing is half done: run the command again when it is back."
    return ""


class Refusal(click.ClickException):
    """The command cannot start; the text says why and what to do."""

    exit_code = 2
