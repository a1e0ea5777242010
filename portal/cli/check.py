"""`portal check`: are the settings fit, does every part work, is anything left of an older key; `portal reseal`: leave nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import peewee

import config
from portal import cli, db, logs, preflight
from portal.crypto import Sealer, Unreadable
from portal.domain import companies
from portal.domain.people import NotPermitted
from portal.domain.recovery import recount
from portal.domain.settings import spectrum_sign_in

if TYPE_CHECKING:
    from portal.cli import connections

NOT_YET = "The database cannot be read yet, so its accounts and stored secrets were not looked at."
SECRETS = spectrum_sign_in.SECRETS | {"token": "token of Spectrum"}


@click.command()
@click.option("--settings", "only_settings", is_flag=True, help="Look at the settings only: what must be right before the portal starts.")
@cli.json_option
def check(only_settings: bool, as_json: bool) -> None:
    """Look at the settings, and at each part of the running portal and all it talks to: a line each. Changes nothing.

    Ends with status 1 where anything must be fixed.
    """
    settings = cli.settings()
    logs.configure(settings.LOG_FORMAT)
    db.init(settings.DATABASE_URL)
    faults = [*preflight.faults(settings), *preflight.missing(settings), *(_of_database() if only_settings else [])]
    notes = [*(_notes(Sealer(*settings.keys)) if settings.SECRET_KEY else []), *([] if only_settings else _of_totals())]
    found = [] if only_settings else list(_parts(settings))
    asked = "as a portal that others reach" if settings.is_for_others else "as a portal on this machine alone, whose rules are looser"
    sentences = [
        *(f"FAULT    {fault}" for fault in faults),
        *(f"{'ok' if one.ok else 'FAULT':<9}{one.name}: {one.text}" for one in found),
        *(f"NOTE     {note}" for note in notes),
        f"{'Not fit' if faults else 'Fit'} to start {asked}: PORTAL_URL is {settings.PORTAL_URL}.",
    ]
    is_fit = not faults and all(one.ok for one in found)
    cli.tell(as_json, sentences, fit=is_fit, faults=faults, parts=[one._asdict() for one in found], notes=notes)
    if not is_fit:
        raise SystemExit(1)


def _parts(settings: config.Settings) -> Iterator[connections.Line]:
    from portal.cli import connections  # Zeep and more, which `--settings` needs not

    return connections.lines(settings)


@click.command()
@cli.acting
@cli.json_option
def reseal(acting: str, as_json: bool) -> None:
    """Reseal the stored secrets under the present SECRET_KEY, so that the older ones can go."""
    settings = cli.settings()
    if not settings.SECRET_KEY:
        raise cli.Refusal(f"SECRET_KEY: is not set, and there is none in {settings.PORTAL_DATA / config.KEY_FILE}. Set it to seal with it.")
    db.init(settings.DATABASE_URL)
    try:
        with db.connected():
            resealed = spectrum_sign_in.seal_anew(Sealer(*settings.keys), cli.actor(acting))
    except (Unreadable, NotPermitted) as error:
        raise cli.Refusal(str(error)) from None
    said = f"Resealed: {_named(resealed)}." if resealed else "Everything is sealed under the present SECRET_KEY already."
    cli.tell(as_json, [said], resealed=resealed)


def _of_database() -> list[str]:
    """Why the migrations, which come next, could not begin."""
    try:
        with db.connected():
            return []
    except peewee.OperationalError as error:
        return [f"DATABASE_URL: the database cannot be used ({' '.join(str(error).split())})."]


def _notes(sealer: Sealer) -> list[str]:
    try:
        with db.connected():
            kept = spectrum_sign_in.of(companies.current())
    except (peewee.OperationalError, peewee.ProgrammingError):
        return [NOT_YET]
    if not spectrum_sign_in.is_readable(kept, sealer):
        return [
            "Stored secrets were sealed with a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS. Enter them again on the page."
        ]
    old = spectrum_sign_in.under_older_keys(kept, sealer)
    return [f"Still sealed under an older key: {_named(old)}. Run `portal reseal` before that key goes."] if old else []


def _of_totals() -> list[str]:
    """Where the counts and sums that lists show are not those of the change orders."""
    try:
        with db.connected():
            return [f"{one.text} The recount of the coming night corrects it." for one in recount.differences()]
    except (peewee.OperationalError, peewee.ProgrammingError):
        return []  # told above, or nothing to count yet


def _named(columns: list[str]) -> str:
    return ", ".join(SECRETS[name] for name in columns)
