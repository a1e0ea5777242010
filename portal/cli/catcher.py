"""`portal catcher`: the mail server of a laptop."""

import signal
import sys
from pathlib import Path

import click

from portal.standalone import mail_catcher as server


@click.command()
@click.option("--smtp-port", type=click.IntRange(1, 65535), required=True, help="Port that takes mail.")
@click.option("--http-port", type=click.IntRange(1, 65535), required=True, help="Port that shows it.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder that keeps it.")
def catcher(smtp_port: int, http_port: int, data: Path) -> None:
    """A mail server that takes every mail, delivers none and shows them on a page."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server.serve(smtp_port, http_port, data)
