"""`portal support-bundle`: what support needs to see of this installation, in one file, without its secrets."""

import importlib.metadata
import json
import platform
import sys
import zipfile
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

import click
import peewee

import config
from portal import cli, clock, db
from portal.db.errors import ERRORS
from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting.exports import Attempt
from portal.domain.outbox import Dispatch
from portal.domain.status import facts, report, verdict
from portal.version import VERSION

LINES, ATTEMPTS, PROMISES = 2_000, 200, 200
SHORTEST_SECRET = 4  # characters: what is shorter would blot out ordinary words
READ_ME = """This file was written by `portal support-bundle`. It holds versions, settings, states and log lines of one portal.
Values of secret settings are left out, and replaced wherever else they stood. There are no change orders in it, but error
texts and log lines may name people, addresses and codes: read it before you pass it on.
"""
NO_LOG = """No log was given. On a server with systemd:
journalctl -u 'portal-*' -n 2000 -o cat | portal support-bundle --log -
"""


@click.command("support-bundle")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--log", "logs", type=click.File(errors="replace"), multiple=True, help=f"A log of which the last {LINES:,} lines go in; - for stdin."
)
@cli.json_option
def support_bundle(file: Path | None, logs: tuple[TextIO, ...], as_json: bool) -> None:
    """Write versions, settings without secrets, states and the last log lines to FILE; by default named by the time, here."""
    settings = cli.settings()
    db.init(settings.DATABASE_URL)
    place = file or Path(f"portal-support-{clock.now():%Y%m%dT%H%M%SZ}.zip")
    parts = {
        "README.txt": READ_ME,
        "versions.json": _json(_versions()),
        "settings.json": _json(_settings(settings)),
        "status.json": _json(_read(_status)),
        "states.json": _json(_read(_states)),
        "log.txt": "".join(line for log in logs for line in deque(log, LINES)) or NO_LOG,
    }
    try:
        with place.open("xb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in parts.items():
                bundle.writestr(name, _without(secrets_of(settings), text))
    except FileExistsError:
        raise cli.Refusal(f"{place} is there already. Choose another name.") from None
    except OSError as error:
        raise cli.Refusal(f"The file could not be written: {error}") from None
    cli.tell(as_json, [f"{place}  Read it before you pass it on."], file=place, parts=list(parts))


def secrets_of(settings: config.Settings) -> dict[str, str]:
    """What must not leave, by what it is: values of secret settings, and the passwords and paths inside their addresses."""
    found: dict[str, str] = {}
    for name in config.SECRETS:
        value = str(getattr(settings, name))
        address = urlsplit(value)
        inside = [address.password or "", unquote(address.password or ""), address.path.strip("/") if name == "HEARTBEAT_URL" else ""]
        pieces = [value, *value.split(), *inside] if value != config.Settings.model_fields[name].default else []
        found |= {piece: name for piece in pieces if len(piece) >= SHORTEST_SECRET}
    return found


def _without(secrets: dict[str, str], text: str) -> str:
    """Every secret replaced by the name of its setting, the longest first; also as JSON writes it."""
    for secret in sorted(secrets, key=len, reverse=True):
        for written in {secret, json.dumps(secret)[1:-1]}:
            text = text.replace(written, f"[{secrets[secret]}]")
    return text


def _versions() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}
    return {
        "portal": VERSION,
        "python": sys.version,
        "system": platform.platform(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _settings(settings: config.Settings) -> dict[str, Any]:
    """Of a secret only whether it is set."""
    return {name: ("set" if value else "empty") if name in config.SECRETS else str(value) for name, value in settings.model_dump().items()}


def _read(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the database says, or why it says nothing: a portal without its database needs support most."""
    try:
        with db.connected():
            return ask()
    except (*ERRORS, db.Busy) as error:
        return {"error": f"The database cannot be used ({' '.join(str(error).split())})."}


def _status() -> dict[str, Any]:
    return report.of(verdict.of(facts.gather()))


def _states() -> dict[str, Any]:
    """Counts, promised work and the last attempts: ids, codes and times, nothing of what is in a change order."""
    counted: Any = ChangeOrder.select(ChangeOrder.status, peewee.fn.COUNT(ChangeOrder.id)).group_by(ChangeOrder.status)
    promised = Dispatch.select().where(Dispatch.finished_at.is_null()).order_by(Dispatch.due_at).limit(PROMISES)
    attempts = Attempt.select().order_by(Attempt.id.desc()).limit(ATTEMPTS)
    return {
        "change_orders": dict(counted.tuples()),
        "promised": _rows(promised, "id", "lane", "task", "due_at", "tries", "error"),
        "attempts": _rows(attempts, "id", "export_id", "line", "kind", "claim", "started_at", "ended_at", "outcome", "http", "codes"),
        "pending_migrations": db.pending(),
    }


def _rows(query: Iterable[Any], *columns: str) -> list[dict[str, Any]]:
    return [{column: getattr(row, column) for column in columns} for row in query]


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, default=str) + "\n"
