"""`portal keeper`: ring the workers when work is due, until told to stop."""

import signal
import threading

import click

from portal import cli, db, failpoints, logs
from portal.background import keeper as loop
from portal.background.outside_heartbeat import OutsideHeartbeat
from portal.domain.audit import heads


@click.command()
def keeper() -> None:
    """Ring the workers when work is due. Runs until SIGTERM; several may run."""
    settings = cli.settings()
    if not settings.REDIS_URL:
        raise cli.Refusal("REDIS_URL: the keeper needs the address of Redis, such as redis://127.0.0.1:6379/0.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logs.configure(settings.LOG_FORMAT)
    db.init(settings.DATABASE_URL)
    failpoints.begin(settings)
    tell_outside = OutsideHeartbeat(settings.HEARTBEAT_URL, settings.HEARTBEAT_CA_BUNDLE)
    loop.run(settings.REDIS_URL, stop.is_set, settings.PORTAL_DATA / heads.HEADS, tell_outside)
