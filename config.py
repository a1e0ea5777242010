"""Settings of the portal, from the environment: each with its meaning, unit and default; all errors at once.

A secret `NAME` may be given as a file instead: set `NAME_FILE` to its path.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "REDIS_URL",
    "SPECTRUM_AUTHORIZATION_ID",
    "INFOLINK_PASSWORD",
    "OIDC_CLIENT_SECRET",
    "SMTP_PASSWORD",
    "BACKUP_KEY",
    "METRICS_TOKEN",
    "HEARTBEAT_URL",
)
LEVELS = ("None", "Read Only", "Standard", "Admin")  # of portal.domain.people, which knows no settings


KEY_FILE = "secret_key"  # in the data folder
ZONES = frozenset(available_timezones())  # once: it reads a whole folder
HERE = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


class ConfigError(Exception):
    """One or more settings are unusable; the text names each of them and what to do."""


class Settings(BaseSettings):
    """What an installation can set. Names are those of the environment variables."""

    model_config = SettingsConfigDict(env_prefix="", case_sensitive=True, extra="ignore", env_ignore_empty=True)

    PORTAL_PORT: Annotated[int, Field(ge=1, le=65535, description="TCP port of the web server on 127.0.0.1")] = 8000
    PORTAL_DATA: Annotated[Path, Field(description="folder for the database, keys and ledgers of `portal up`")] = Path("var")
    PORTAL_URL: Annotated[str, Field(description="address people type, for links in mail; default http://127.0.0.1:PORT")] = ""
    TRUSTED_PROXIES: Annotated[
        int,
        Field(
            ge=0,
            le=5,
            description="how many proxies of ours each request passes; their X-Forwarded-For and -Proto are believed, others never",
        ),
    ] = 0
    SECRET_KEY: Annotated[
        str,
        Field(
            repr=False,
            description="signs cookies and seals the secrets in the database, at least 32 characters; "
            "default: made once in the data folder",
        ),
    ] = ""
    SECRET_KEY_FALLBACKS: Annotated[
        str, Field(repr=False, description="older keys, separated by blanks, that still open what they signed and sealed")
    ] = ""
    DATABASE_URL: Annotated[
        str, Field(repr=False, description="sqlite:///FILE or postgresql://...; default: portal.db in the data folder")
    ] = ""
    REDIS_URL: Annotated[str, Field(repr=False, description="redis:// or unix://; empty: an embedded server is started")] = ""
    SPECTRUM_URL: Annotated[str, Field(description="base URL of Spectrum Data Exchange, https://HOST:8482; empty: the simulator")] = ""
    SPECTRUM_AUTHORIZATION_ID: Annotated[str, Field(max_length=20, repr=False, description="Authorization ID of the web service")] = (
        "PORTALTEST"
    )
    SPECTRUM_CONNECT_S: Annotated[float, Field(gt=0, le=60, description="seconds to connect")] = 10.0
    SPECTRUM_DEADLINE_S: Annotated[
        float, Field(gt=0, le=120, description="seconds for one SOAP call in all; the lane is renewed for 10 s more")
    ] = 120.0
    SPECTRUM_CA_BUNDLE: Annotated[str, Field(description="file with the certificate authority of Spectrum's server")] = ""
    INFOLINK_SERVER: Annotated[
        str, Field(description="HOST[:PORT]/DATABASE of Info-Link, to read back what Spectrum holds; simulator; empty: off")
    ] = ""
    INFOLINK_USER: Annotated[str, Field(description="database user of Info-Link, with the right to read only")] = ""
    INFOLINK_PASSWORD: Annotated[str, Field(repr=False, description="its password")] = ""
    INFOLINK_CA: Annotated[str, Field(description="file with the certificate authority of Info-Link's server")] = ""
    OIDC_ISSUER: Annotated[
        str, Field(description="address of the company's OpenID provider, https://..., exactly as it names itself; empty: passwords only")
    ] = ""
    OIDC_CLIENT_ID: Annotated[str, Field(description="the portal's client ID there")] = ""
    OIDC_CLIENT_SECRET: Annotated[str, Field(repr=False, description="its secret there")] = ""
    OIDC_CA_BUNDLE: Annotated[str, Field(description="file with the certificate authority of the provider's server")] = ""
    OIDC_LABEL: Annotated[str, Field(min_length=1, max_length=40, description="what follows “Sign in with” on the button")] = (
        "your company account"
    )
    OIDC_GROUPS_CLAIM: Annotated[str, Field(min_length=1, description="claim in which the provider lists a person's groups")] = "groups"
    OIDC_LEVELS: Annotated[
        str, Field(description="levels by group: finance=Standard,portal-admins=Admin; empty: administrators set levels by hand")
    ] = ""
    SMTP_HOST: Annotated[str, Field(description="mail server; empty: the catcher of `portal up`")] = ""
    SMTP_PORT: Annotated[int, Field(ge=1, le=65535, description="port of the mail server")] = 25
    SMTP_TLS: Annotated[
        Literal["off", "starttls", "connect"],
        Field(description="encrypt what the mail server gets, or send nothing: starttls (or true), or connect, usually on port 465"),
    ] = "off"
    SMTP_USER: Annotated[str, Field(description="who the portal signs in as at the mail server; empty: it does not sign in")] = ""
    SMTP_PASSWORD: Annotated[str, Field(repr=False, description="its password")] = ""
    SMTP_CA_BUNDLE: Annotated[str, Field(description="file with the certificate authority of the mail server")] = ""
    MAIL_SENDER: Annotated[str, Field(description="From address of all mail")] = "portal@localhost.test"
    TIME_ZONE: Annotated[str, Field(description="IANA zone for times shown before a company sets its own")] = "America/Chicago"
    BACKUP_KEY: Annotated[
        str,
        Field(
            repr=False,
            description="encrypts backups, at least 32 characters; keep it apart from them; empty: only `--unencrypted` ones",
        ),
    ] = ""
    METRICS_TOKEN: Annotated[
        str, Field(repr=False, description="what Prometheus shows as bearer token for /metrics, at least 32 characters; empty: no metrics")
    ] = ""
    HEARTBEAT_URL: Annotated[
        str, Field(repr=False, description="https:// address that the keeper calls every minute while exports are up; empty: none")
    ] = ""
    HEARTBEAT_CA_BUNDLE: Annotated[str, Field(description="file with the certificate authority of that address")] = ""
    PORTAL_REHEARSAL: Annotated[
        str, Field(description="folder of a rehearsal of disasters, for tests only; refused unless everything is on this machine")
    ] = ""
    PORTAL_REHEARSAL_NAME: Annotated[str, Field(description="this process's name in the rehearsal")] = ""
    API_PER_MINUTE: Annotated[
        int, Field(ge=1, le=60_000, description="requests a minute that one access token may make to /api/v1, in each web process")
    ] = 300
    LOG_FORMAT: Annotated[Literal["json", "console"], Field(description="how log lines are written")] = "json"

    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def keys(self) -> tuple[str, ...]:
        """SECRET_KEY, then the older ones, newest first: the first signs and seals, all of them open."""
        return (self.SECRET_KEY, *self.SECRET_KEY_FALLBACKS.split())

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that settings were read from."""
        return self._files

    @property
    def is_for_others(self) -> bool:
        """Production: people reach the portal from other machines, because PORTAL_URL does not name this one."""
        return not f"{self.PORTAL_URL}:".replace("https:", "http:", 1).startswith(HERE)

    @field_validator("TIME_ZONE")
    @classmethod
    def zone_is_known(cls, value: str) -> str:
        if value not in ZONES:
            raise ValueError("is not an IANA time zone such as America/Chicago")
        return value

    @field_validator("SECRET_KEY", "SECRET_KEY_FALLBACKS", "BACKUP_KEY", "METRICS_TOKEN")
    @classmethod
    def key_is_long_enough(cls, value: str, info: ValidationInfo) -> str:
        keys = value.split() if info.field_name == "SECRET_KEY_FALLBACKS" else [value]
        if value and min(map(len, keys), default=0) < 32:
            raise ValueError("needs at least 32 characters; make one with: python -c 'import secrets; print(secrets.token_hex(32))'")
        return value

    @field_validator("DATABASE_URL", "REDIS_URL")
    @classmethod
    def address_can_be_read(cls, value: str) -> str:
        """A later reader's error would quote the part of the password that it took for a port."""
        try:
            urlsplit(value).port  # noqa: B018 -- which reads it
        except ValueError:
            raise ValueError("cannot be read. Inside a password write / ? # @ and : as %2F %3F %23 %40 and %3A") from None
        return value

    @field_validator("DATABASE_URL")
    @classmethod
    def database_is_one_of_two(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("is neither sqlite:///FILE nor postgresql://USER@HOST/NAME")
        return value

    @field_validator("INFOLINK_SERVER")
    @classmethod
    def infolink_names_a_database(cls, value: str) -> str:
        if value not in ("", "simulator") and not re.fullmatch(r"[^/:\s]+(:[0-9]{1,5})?/[^/\s]+", value):
            raise ValueError("is not HOST/DATABASE or HOST:PORT/DATABASE")
        return value

    @field_validator("SPECTRUM_URL")
    @classmethod
    def spectrum_is_https_or_local(cls, value: str) -> str:
        if value and not value.startswith(("https://", *HERE)):
            raise ValueError("must start with https:// (plain http only to this machine)")
        return value.rstrip("/").removesuffix("/ws")

    @field_validator("HEARTBEAT_URL")
    @classmethod
    def heartbeat_is_https(cls, value: str) -> str:
        address = urlsplit(value)
        if value and (address.scheme != "https" or not address.hostname or "@" in address.netloc or not value.isascii() or " " in value):
            raise ValueError("must be an https:// address without a user name")
        return value

    @field_validator("SMTP_TLS", mode="before")
    @classmethod
    def true_is_starttls(cls, value: object) -> object:
        """A switch it was before."""
        known = dict.fromkeys(("true", "1", "yes", "on"), "starttls") | dict.fromkeys(("false", "0", "no"), "off")
        said = str(value).strip().lower()
        return known.get(said, said)

    @field_validator("SMTP_USER", "SMTP_PASSWORD")
    @classmethod
    def mail_servers_know_ascii(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable():
            raise ValueError("has characters that signing in to a mail server cannot carry: letters, digits and signs of ASCII only")
        return value

    @field_validator("OIDC_ISSUER")
    @classmethod
    def provider_is_https_or_local(cls, value: str) -> str:
        if value and (not value.startswith(("https://", *HERE)) or set(value) & set("?# ")):
            raise ValueError("must start with https:// (plain http only to this machine) and end before any ? or #")
        return value

    @field_validator("OIDC_LEVELS")
    @classmethod
    def levels_are_known(cls, value: str) -> str:
        for part in filter(None, map(str.strip, value.split(","))):
            group, _, level = part.rpartition("=")
            if not group.strip() or ";" in group or level.strip() not in LEVELS:
                raise ValueError(f"{part} is not GROUP=LEVEL with one of the levels {', '.join(LEVELS)}")
        return value

    @model_validator(mode="after")
    def provider_is_complete(self) -> "Settings":
        needed = {name: getattr(self, name) for name in ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")}
        missing = [name for name, value in needed.items() if not value]
        if missing and (len(missing) < len(needed) or self.OIDC_LEVELS):
            raise ValueError(f"signing in with an OpenID provider also needs {', '.join(missing)}. Set all three, or no OIDC_ setting")
        return self

    @model_validator(mode="after")
    def mail_password_is_safe(self) -> "Settings":
        if self.SMTP_USER and not self.SMTP_PASSWORD:
            raise ValueError("SMTP_USER is set, and signing in to the mail server also needs SMTP_PASSWORD. Set both, or neither")
        if self.SMTP_USER and self.SMTP_TLS == "off" and self.SMTP_HOST not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError("SMTP_USER is set, so SMTP_TLS must be starttls or connect: the password would cross the network in the open")
        return self

    @property
    def levels_by_group(self) -> dict[str, str]:
        """OIDC_LEVELS, read."""
        pairs = [part.rpartition("=") for part in self.OIDC_LEVELS.split(",") if part.strip()]
        return {group.strip(): level.strip() for group, _, level in pairs}

    @model_validator(mode="after")
    def fill_in(self) -> "Settings":
        self.PORTAL_DATA = self.PORTAL_DATA.absolute()
        self.PORTAL_URL = (self.PORTAL_URL or f"http://127.0.0.1:{self.PORTAL_PORT}").rstrip("/")
        self.DATABASE_URL = self.DATABASE_URL or f"sqlite:///{self.PORTAL_DATA / 'portal.db'}"
        return self

    @model_validator(mode="after")
    def rehearsals_touch_nothing_real(self) -> "Settings":
        """A rehearsal kills processes and turns the clock: only where Spectrum and the portal are on this machine."""
        if self.PORTAL_REHEARSAL and not (self.SPECTRUM_URL.startswith(HERE) and f"{self.PORTAL_URL}:".startswith(HERE)):
            raise ValueError("PORTAL_REHEARSAL is set, which is for tests only: it stops processes and turns the clock. Unset it")
        return self


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise ConfigError with one sentence per unusable one."""
    values = {name: environ[name] for name in Settings.model_fields if environ.get(name)}
    files = {name: environ[f"{name}_FILE"] for name in SECRETS if environ.get(f"{name}_FILE")}
    values |= {name: _secret(name, path) for name, path in files.items()}
    if "SECRET_KEY" not in values:
        values |= _key_of(Path(values.get("PORTAL_DATA", Settings.model_fields["PORTAL_DATA"].default)))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentence(detail["loc"], detail["msg"]) for detail in error.errors())) from None
    settings._files = tuple(map(Path, files.values()))
    return settings


def _secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}_FILE: cannot read {path} ({error.strerror}). Point it at a readable file.") from None


def _key_of(folder: Path) -> dict[str, str]:
    """The key that `portal up` made in the data folder: whatever runs beside it seals and signs with the same one."""
    try:
        return {"SECRET_KEY": (folder / KEY_FILE).read_text(encoding="utf-8").strip()}
    except (OSError, UnicodeDecodeError):
        return {}


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, location))}: {message.removeprefix('Value error, ')}."
