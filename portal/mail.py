"""Mail: the one way to send it, and what the mail server's answer means."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from config import Settings

PATIENCE_S = 10.0  # per step of the conversation with the mail server
READY, FOR_GOOD = 220, 500
TOO_LARGE = 552  # at MAIL, where the size is announced: of this mail
SIGN_IN_FIRST = (530, 534, 535, 538)  # at whatever step: we are to prove who we are, or to encrypt, before anything is taken


class TryLater(Exception):
    """The mail server asked us to come back; the text says what it said."""


class Away(TryLater):
    """The mail server could not be reached."""


class RefusesUs(TryLater):
    """The mail server takes nothing from the portal, whatever it is: all mail waits; the text says what it said."""


class Undeliverable(Exception):
    """The mail server will never take this mail; the text says why."""


def send(settings: Settings, message: EmailMessage) -> None:
    """Hand the message to the mail server. Raises Undeliverable, TryLater, RefusesUs or Away."""
    if not settings.SMTP_HOST:
        raise RefusesUs("SMTP_HOST is not set, so there is no mail server")
    with _told(), _conversation(settings) as server:
        server.send_message(message)


def reach(settings: Settings) -> None:
    """As far as a mail server takes us without a mail: greeting, encryption, sign-in. Raises TryLater, RefusesUs or Away."""
    if not settings.SMTP_HOST:
        raise RefusesUs("SMTP_HOST is not set, so there is no mail server")
    with _told(), _conversation(settings) as server:
        server.ehlo_or_helo_if_needed()
        server.noop()


@contextmanager
def _told() -> Iterator[None]:
    """What the mail server or the way to it does, as one of our kinds."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _failure(code, text, of_us=code in SIGN_IN_FIRST) from error
    except smtplib.SMTPDataError as error:
        raise _failure(error.smtp_code, error.smtp_error, of_us=error.smtp_code in SIGN_IN_FIRST) from error
    except smtplib.SMTPSenderRefused as error:
        raise _failure(error.smtp_code, error.smtp_error, of_us=error.smtp_code != TOO_LARGE) from error
    except smtplib.SMTPResponseException as error:  # at the greeting, EHLO, STARTTLS or AUTH
        raise _failure(error.smtp_code, error.smtp_error, of_us=True) from error
    except smtplib.SMTPServerDisconnected as error:
        raise Away(f"mail server not available: {error}") from error
    except (smtplib.SMTPException, ssl.SSLError) as error:  # it knows no TLS or no way to sign in, or no one vouches for it
        raise RefusesUs(f"mail server not available: {error}") from error
    except OSError as error:
        raise Away(f"mail server not available: {error}") from error


@contextmanager
def _conversation(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A mail server that knows who we are, where SMTP_USER names someone, and encrypts, where SMTP_TLS says so."""
    server = _connect(settings)
    try:
        if settings.SMTP_TLS == "starttls":
            code, said = server.starttls(context=_context(settings))
            if code != READY:
                raise smtplib.SMTPResponseException(code, said)
        if settings.SMTP_USER:
            server.login(settings.SMTP_USER, settings.SMTP_PASSWORD)
        yield server
    finally:
        with suppress(smtplib.SMTPException, OSError):  # what is said after the final dot undoes nothing
            server.quit()
        server.close()


def _connect(settings: Settings) -> smtplib.SMTP:
    place = settings.SMTP_HOST, settings.SMTP_PORT
    if settings.SMTP_TLS == "connect":
        return smtplib.SMTP_SSL(*place, timeout=PATIENCE_S, context=_context(settings))
    return smtplib.SMTP(*place, timeout=PATIENCE_S)


def _context(settings: Settings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.SMTP_CA_BUNDLE or None)


def _failure(code: int, text: bytes | str, *, of_us: bool) -> Exception:
    """What the server said: for now; for good to this mail; or for good to whatever we bring."""
    said = f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    if code < FOR_GOOD:
        return TryLater(said)
    return RefusesUs(said) if of_us else Undeliverable(said)
