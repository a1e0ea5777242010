"""What a portal that others reach must not start with: everything told at once, each in a sentence with what to do.

A portal on a laptop, whose PORTAL_URL names this machine, is asked only for what could not work anywhere.
"""

import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import peewee
import structlog
from flask.helpers import get_debug_flag

import config
from config import Settings
from portal import db
from portal.demo import samples
from portal.domain.people import User

HERE = (None, "", "localhost", "127.0.0.1", "::1")
FEW_CHARACTERS = 8  # different ones: of 32 hex digits at random hardly ever fewer
GUESSABLE = ("secret", "password", "changeme", "change-me", "example", "12345678")
AUTHORITIES = ("SPECTRUM_CA_BUNDLE", "INFOLINK_CA", "OIDC_CA_BUNDLE", "SMTP_CA_BUNDLE", "HEARTBEAT_CA_BUNDLE")
REDIS = ("redis://", "rediss://", "unix://")
OTHERS = stat.S_IRWXO
KEY_HOW = "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"

log = structlog.get_logger()


def ensure_fit(settings: Settings) -> None:
    """Raises ConfigError with every fault."""
    if found := faults(settings):
        raise config.ConfigError("\n".join(found))


def faults(settings: Settings) -> list[str]:
    """Why the portal must not start with these settings on this machine. The models know their database already."""
    found = [*_of_database_file(settings), *_of_authorities(settings)]
    if settings.is_for_others:
        if get_debug_flag():
            found.append("FLASK_DEBUG: is on, which lets anyone who meets an error run programs on this machine. Unset it.")
        for ask in (_of_addresses, _of_servers, _of_keys, _of_files, _of_folders, _of_accounts):
            found += ask(settings)
    return found


def missing(settings: Settings) -> list[str]:
    """What some process of a portal that others reach would lack, and each works without what another one needs."""
    return list(_missing(settings)) if settings.is_for_others else []


def _missing(settings: Settings) -> Iterator[str]:
    if not settings.SPECTRUM_URL:
        yield "SPECTRUM_URL: is not set, so no change order can be exported. Name Spectrum's address: https://HOST:8482."
    if not settings.REDIS_URL:
        yield "REDIS_URL: is not set, so keeper and workers do not start. Name the address of Redis, such as redis://127.0.0.1:6379/0."
    elif not settings.REDIS_URL.startswith(REDIS):
        yield f"REDIS_URL: does not begin with {', '.join(REDIS[:-1])} or {REDIS[-1]}, so keeper and workers do not start."
    if not settings.SMTP_HOST:
        yield "SMTP_HOST: is not set, so no mail goes out. Name the mail server, or a relay on this machine."
    if settings.PORTAL_URL.startswith("https://") and not settings.TRUSTED_PROXIES:
        yield (
            f"TRUSTED_PROXIES: is 0, but {settings.PORTAL_URL} needs a proxy in front of the portal: everybody would seem to come from the "
            "proxy's address, and one visitor's wrong passwords would make all of them wait. Set it to the number of proxies, usually 1."
        )


def _of_authorities(settings: Settings) -> Iterator[str]:
    """Files that name who vouches for a server: without one that can be read, nothing goes to that server."""
    for name in AUTHORITIES:
        if (file := getattr(settings, name)) and (fault := _authority_fault(file)):
            yield f"{name}: {file} {fault}. Name a file with the authority's certificate in PEM form that the portal's user can read."
    for name, parameter in (("DATABASE_URL", "sslrootcert"), ("REDIS_URL", "ssl_ca_certs")):
        for file in parse_qs(urlsplit(getattr(settings, name)).query).get(parameter, []):
            if file != "system" and (fault := _authority_fault(file)):
                yield f"{name}: the file of {parameter}, {file}, {fault}. Name one with the authority's certificate in PEM form."


def _authority_fault(file: str) -> str:
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return "holds no certificate"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _of_database_file(settings: Settings) -> Iterator[str]:
    file = database_file(settings)
    if file is None:
        return
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        yield f"DATABASE_URL: cannot get at {file} ({error.strerror}). Let the user the portal runs as into its folder."
        return
    if stat.S_ISDIR(mode):
        yield f"DATABASE_URL: {file} is a folder. Name a file in it."
    elif not mode & stat.S_IWUSR:  # root could write all the same; someone meant it
        yield f"DATABASE_URL: {file} is read-only. Make it writable for the user the portal runs as: chmod 600 {file}"


def _of_addresses(settings: Settings) -> Iterator[str]:
    if not settings.PORTAL_URL.startswith("https://"):
        yield (
            f"PORTAL_URL: {settings.PORTAL_URL} is not https://, so passwords and sessions would cross the network in the open. "
            "Put a proxy with TLS in front and name its address."
        )
    if settings.SPECTRUM_URL.startswith("http://"):
        yield "SPECTRUM_URL: is plain http, so it is not the company's Spectrum. Name its https:// address."


def _of_servers(settings: Settings) -> Iterator[str]:
    """What goes to another machine is encrypted, for a server whose certificate someone vouches for."""
    database, redis = urlsplit(settings.DATABASE_URL), urlsplit(settings.REDIS_URL)
    if database.hostname not in HERE and "sslmode=verify-full" not in database.query.split("&"):
        yield (
            f"DATABASE_URL: everything would cross the network to {database.hostname}, which need not prove who it is. "
            "End the URL with ?sslmode=verify-full, and &sslrootcert=FILE for an authority of your own."
        )
    if redis.scheme == "redis" and redis.hostname not in HERE:
        yield f"REDIS_URL: what is due would cross the network to {redis.hostname} in the open. Begin the URL with rediss://."
    if settings.SMTP_HOST not in HERE and settings.SMTP_TLS == "off":
        yield (
            f"SMTP_TLS: is off, so mail would cross the network to {settings.SMTP_HOST} in the open. "
            "Set SMTP_TLS=starttls (or connect), or name a relay on this machine."
        )


def _of_keys(settings: Settings) -> Iterator[str]:
    if not settings.SECRET_KEY:
        yield f"SECRET_KEY: is not set. {KEY_HOW}"
    for name, keys in (
        ("SECRET_KEY", settings.keys[:1]),
        ("SECRET_KEY_FALLBACKS", settings.keys[1:]),
        ("METRICS_TOKEN", (settings.METRICS_TOKEN,)),
    ):
        if any(key and is_weak(key) for key in keys):
            yield f"{name}: can be guessed: it repeats itself or holds a word everybody tries. {KEY_HOW}"


def is_weak(key: str) -> bool:
    """Long enough is not enough: few different characters, a repeated piece, or a word everyone tries."""
    repeats = any(key == (key[:length] * len(key))[: len(key)] for length in range(1, len(key) // 2 + 1))
    return repeats or len(set(key)) < FEW_CHARACTERS or any(word in key.lower() for word in GUESSABLE)


def _of_files(settings: Settings) -> Iterator[str]:
    for what, path in _private(settings):
        try:
            mode = path.stat().st_mode
        except OSError:  # not there, or out of reach: the code that needs it says so
            continue
        if mode & OTHERS:
            yield f"{what}: everybody on this machine can get at {path} (mode {stat.S_IMODE(mode):o}). Close it: chmod o= {path}"


def _of_folders(settings: Settings) -> Iterator[str]:
    """Who may write to a folder may put another file in the place of one that they cannot open."""
    private = list(_private(settings))
    around = {path.parent: what for what, path in private}
    for folder, what in around.items():
        try:
            mode = folder.stat().st_mode
        except OSError:
            continue
        told_already = folder in [path for _, path in private]
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX and not told_already:
            yield f"{what}: everybody on this machine can replace what is in {folder}. Close it: chmod o-w {folder}"


def _private(settings: Settings) -> Iterator[tuple[str, Path]]:
    """What no one else on the machine may read or write."""
    yield "PORTAL_DATA", settings.PORTAL_DATA
    yield "PORTAL_DATA", settings.PORTAL_DATA / config.KEY_FILE
    if file := database_file(settings):
        yield from (("DATABASE_URL", Path(f"{file}{end}")) for end in ("", "-wal", "-shm"))
    yield from (("A secret", path) for path in settings.secret_files)


def _of_accounts(settings: Settings) -> Iterator[str]:
    """The sample people have a password that everyone can read in the repository."""
    known = [one["email"] for one in samples.ACCOUNTS]
    try:
        with db.connected():
            found = list(User.select().where(User.active, User.email.in_(known)).order_by(User.email))
    except (peewee.OperationalError, peewee.ProgrammingError) as error:  # not there yet, or not migrated: /readyz tells
        log.warning("could not look for sample accounts", error=str(error))
        return
    here = [user.email for user in found if user.verify(samples.PASSWORD)]
    if here:
        yield (
            f"Sample accounts are open, with a password everybody knows: {', '.join(here)}. "
            "Close each: portal users revoke EMAIL --account. Better, begin with an empty database."
        )


def database_file(settings: Settings) -> Path | None:
    """The file of a SQLite database."""
    kind, _, path = settings.DATABASE_URL.partition(":///")
    return Path(path.partition("?")[0]).absolute() if kind == "sqlite" and path and not path.startswith(":memory:") else None
