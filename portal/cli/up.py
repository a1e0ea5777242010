"""`portal up`: everything on one machine, from one command."""

import asyncio
import json
import textwrap
from typing import Any

import click

import config
from portal.cli import Refusal, settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="When everything is ready, print one line of JSON for scripts.")
@click.option("--catcher", is_flag=True, help="Keep mail on a page of this machine, also beside a real Spectrum.")
def up(as_json: bool, catcher: bool) -> None:
    """Start everything on this machine: web server, workers, keeper, and stand-ins for what is not configured.

    Ctrl-C stops it all. PORTAL_PORT and PORTAL_DATA move it; the README lists the other settings.
    """
    wanted = settings()
    from portal.standalone import machine, readiness, stack, valkey  # here, so that a setting is refused at once
    from portal.standalone.supervisor import KeepsDying

    try:
        with machine.data_folder(wanted.PORTAL_DATA) as folder, stack.socket_folder() as sockets:
            machine.check_port(wanted.PORTAL_PORT)
            asyncio.run(stack.Up(wanted, folder, sockets / "valkey.sock", announce_json if as_json else announce, catcher).run())
    except (machine.Unusable, valkey.NoServer, config.ConfigError) as error:
        raise Refusal(str(error)) from None
    except (KeepsDying, readiness.NotReady) as error:
        raise click.ClickException(f"{error} Everything was stopped.") from None


def announce_json(report: dict[str, Any]) -> None:
    """One line for a script."""
    click.echo(json.dumps(report))


def announce(report: dict[str, Any]) -> None:
    """The same for a person."""
    accounts = "\n".join(f"    {one['email']:<24} {one['password']:<24} {one['what']}" for one in report["accounts"])
    lines = [
        f"The portal is at {report['url']}",
        f"Sign in with one of these (e-mail, password):\n{accounts}" if accounts else "",
        f"Mail is not delivered; read it at {report['mail']}" if report["mail"] else "",
        f"Spectrum is a simulator; look into its ledger at {report['simulator']}" if report["simulator"] else "",
        "Ctrl-C stops everything.",
    ]
    click.echo("\n" + textwrap.indent("\n".join(filter(None, lines)), "  ") + "\n")
