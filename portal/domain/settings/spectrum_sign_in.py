"""How the portal signs in to Spectrum: what an administrator entered, its secrets sealed and never shown again."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal import clock
from portal.crypto import Sealer, Unreadable
from portal.db import Model, transaction
from portal.db.writes import attempt
from portal.domain import events, outbox, people
from portal.domain.companies import Company, current
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User
from portal.domain.rules import spectrum_lists
from portal.domain.settings import company_settings
from portal.domain.settings.company_settings import Invalid

WARN_FROM = timedelta(days=14)
REMIND_AT = (0, 1, 3, 7, 14)  # days before the end; each once per secret and administrator
SECRETS = {"authorization_id": "Authorization ID", "client_secret": "client secret"}
SEALED = (*SECRETS, "token")


class Connection(Model):
    """The sign-in of one company. Sealed columns are written on the settings page and read by the worker only.

    authorization_id   sealed; empty: the one of the environment
    basic              HTTP Basic on SOAP calls too
    enhanced           enhanced authentication: client_id and client_secret (sealed) buy tokens
    secret_expires_on  the secret's last day; null while no one has said
    version            what Test connection names
    token              sealed JSON [token, end as ISO 8601]: bought by one process, used by the next
    """

    company = peewee.ForeignKeyField(Company, unique=True, on_delete="RESTRICT", backref="+")
    company_id: int
    authorization_id = peewee.TextField(default="")
    basic = peewee.BooleanField(default=False)
    enhanced = peewee.BooleanField(default=False)
    client_id = peewee.CharField(max_length=100, default="")
    client_secret = peewee.TextField(default="")
    secret_expires_on = peewee.DateField(null=True)
    version = peewee.CharField(max_length=7, default="1")
    token = peewee.TextField(default="")

    @property
    def days_left(self) -> int | None:
        """Days until the secret ends, negative afterwards; None where none is in use or no one said."""
        if not (self.enhanced and self.client_secret and self.secret_expires_on):
            return None
        today = clock.now().astimezone(ZoneInfo(self.company.time_zone)).date()
        return int((self.secret_expires_on - today).days)

    @property
    def ends_soon(self) -> bool:
        return self.days_left is not None and self.days_left <= WARN_FROM.days


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call needs, opened. `authorization_id` is empty where the environment names it."""

    authorization_id: str = field(repr=False)
    basic: bool
    enhanced: bool
    client_id: str
    client_secret: str = field(repr=False)
    sealed_secret: str = field(repr=False)


def one_line(longest: int, what: str) -> Any:
    """ASCII without blanks, as it goes into a header or an address."""

    def read(text: str) -> str:
        if text and not re.fullmatch(rf"[!-~]{{1,{longest}}}", text):
            raise ValueError(f"The {what} has 1 to {longest} characters: letters, digits and signs, no blanks.")
        return text

    return read


def version(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text):
        raise ValueError("The version is a whole number, or two with a point between them, such as 1.12.")
    return text


FIELDS: company_settings.Section = {
    "authorization_id": one_line(20, "Authorization ID"),
    "basic": company_settings.switch,
    "enhanced": company_settings.switch,
    "client_id": one_line(100, "client ID"),
    "client_secret": one_line(200, "client secret"),
    "secret_expires_on": company_settings.day("last day of the client secret"),
    "version": version,
}
SHOWN = tuple(name for name in FIELDS if name not in SECRETS)


def of(company: Company) -> Connection:
    """The company's, or one with nothing entered yet."""
    found: Connection = Connection.get_or_none(Connection.company == company) or Connection(company=company)
    return found


def change(values: Mapping[str, str], by: User, sealer: Sealer) -> None:
    """Keep what was entered; an empty secret leaves the one that is kept. Raises NotPermitted or Invalid."""
    wanted = company_settings.read(FIELDS, values)
    with transaction():
        by = people.require_administrator(by, "changes the connection to Spectrum")
        kept = of(current())
        _check(wanted, kept)
        secrets = {name: wanted.pop(name) for name in SECRETS}
        old = {name: getattr(kept, name) for name in wanted if getattr(kept, name) != wanted[name]}
        told = [f"{SECRETS[name]} replaced" for name, secret in secrets.items() if secret]
        sealed = {name: sealer.seal(secret) for name, secret in secrets.items() if secret}
        if kept.enhanced and not wanted["enhanced"] and kept.client_secret:
            sealed["client_secret"] = ""
            told.append("client secret removed")
        if not old and not sealed:
            return
        for name, value in {**wanted, **sealed, "token": ""}.items():
            setattr(kept, name, value)
        kept.save()
        if "authorization_id" in sealed:
            spectrum_lists.forget(current())
        facts = {"old": _for_event(old), "new": _for_event({name: wanted[name] for name in old}), "secrets": told}
        events.record("company", kept.company_id, "connection changed", by, **facts)


def _check(wanted: dict[str, Any], kept: Connection) -> None:
    """Enhanced authentication needs its three parts."""
    if not wanted["enhanced"]:
        if wanted["client_secret"]:
            raise Invalid(
                {"client_secret": "A client secret is of use with enhanced authentication only: switch it on, or leave this empty."}
            )
        wanted["secret_expires_on"] = None
        return
    errors = {}
    if not wanted["client_id"]:
        errors["client_id"] = "Enhanced authentication needs the client ID."
    if not wanted["client_secret"] and not kept.client_secret:
        errors["client_secret"] = "Enhanced authentication needs the client secret."  # noqa: S105 -- a sentence
    if errors:
        raise Invalid(errors)


def _for_event(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def is_readable(kept: Connection, sealer: Sealer) -> bool:
    """Whether what is sealed can be opened with this SECRET_KEY."""
    try:
        sealer.open(kept.authorization_id)
        sealer.open(kept.client_secret)
    except Unreadable:
        return False
    return True


def under_older_keys(kept: Connection, sealer: Sealer) -> list[str]:
    """Which sealed columns an older SECRET_KEY sealed; what cannot be opened at all is for `is_readable`."""
    return [name for name in SEALED if not sealer.is_present(getattr(kept, name))]


def seal_anew(sealer: Sealer, by: User | None = None) -> list[str]:
    """Seal under the present SECRET_KEY what an older one sealed; answers which columns.

    `by` None is the command line. Raises NotPermitted or crypto.Unreadable.
    """
    with transaction():
        by = by and people.require_administrator(by, "reseals the secrets")
        kept = of(current())
        old = under_older_keys(kept, sealer)
        for name in old:
            setattr(kept, name, sealer.seal(sealer.open(getattr(kept, name))))
        if old:
            kept.save()
            events.record("company", kept.company_id, "secrets resealed", by, secrets=old)
        return old


def credentials(company: Company, sealer: Sealer) -> Credentials:
    """Raises crypto.Unreadable when SECRET_KEY is not the one they were sealed with."""
    kept = of(company)
    return Credentials(
        sealer.open(kept.authorization_id),
        kept.basic,
        kept.enhanced,
        kept.client_id,
        sealer.open(kept.client_secret) if kept.enhanced else "",
        kept.client_secret,
    )


def token(company: Company, sealer: Sealer) -> tuple[str, datetime] | None:
    """The token and its end, while there is one."""
    sealed = of(company).token
    if not sealed:
        return None
    value, ends = json.loads(sealer.open(sealed))
    return value, datetime.fromisoformat(ends)


def keep_token(company: Company, sealer: Sealer, held: Credentials, bought: tuple[str, datetime] | None) -> None:
    """Keep what the held secret bought; nothing where another secret was entered meanwhile."""
    sealed = sealer.seal(json.dumps([bought[0], bought[1].isoformat()])) if bought else ""
    same = (Connection.company == company) & (Connection.client_secret == held.sealed_secret)
    attempt(Connection.update(token=sealed).where(same).execute)  # without it the next process buys one: no call waits for that


def plan_reminders() -> None:
    """Promise the mails about a secret that ends soon: once per secret, step and administrator, however many keepers there are."""
    kept = of(current())
    left = kept.days_left
    if left is None or kept.secret_expires_on is None or not kept.ends_soon:
        return
    step = next(days for days in REMIND_AT if left <= days)
    keys = [secret_expires_key(kept.id, kept.secret_expires_on, step, admin.id) for admin in people.administrators()]
    known = {dispatch.key for dispatch in Dispatch.select(Dispatch.key).where(Dispatch.key.in_(keys))}
    for key in keys:
        if key not in known:
            with transaction():
                outbox.promise(key, MAIL, Task.REMINDER, kept.id)


def secret_expires_key(connection: int, ends_on: date, step: int, person: int) -> str:
    return f"secret-expires:{connection}:{ends_on.isoformat()}:{step}:{person}"
