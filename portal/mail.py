"""Mail: one function per message, one way to send. Text and HTML, a Message-ID that is the same for every copy."""

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from flask import current_app, render_template

from config import Settings
from portal import clock
from portal.domain import money
from portal.domain.accounts import privilege_requests
from portal.domain.accounts.password_links import Invitation
from portal.domain.audit import heads
from portal.domain.exporting.alerts import Alarm
from portal.domain.mail.daily_summary import Summary
from portal.domain.mail.letters import CodeCorrected, FourEyesOff, Letter, Notice, Reminder
from portal.domain.mail.trial_mail import Trial
from portal.domain.people import User
from portal.domain.recovery import clock_repair, stalled_work

PATIENCE_S = 10.0  # per step of the conversation with the mail server
SEVEN_BIT = policy.default.clone(cte_type="7bit")  # few servers say whether the next one takes 8 bits
READY, FOR_GOOD = 220, 500
TOO_LARGE = 552  # at MAIL, where the size is announced: of this mail
SIGN_IN_FIRST = (530, 534, 535, 538)  # at whatever step: we are to prove who we are, or to encrypt, before anything is taken
PRIVILEGE = {  # a raised level grants what had no effect before
    privilege_requests.ASKED: "asked for",
    privilege_requests.DECLINED: "declined",
    privilege_requests.REMOVED: "removed",
}


class TryLater(Exception):
    """The mail server asked us to come back; the text says what it said."""


class Away(TryLater):
    """The mail server could not be reached."""


class RefusesUs(TryLater):
    """The mail server takes nothing from the portal, whatever it is: all mail waits; the text says what it said."""


class Undeliverable(Exception):
    """The mail server will never take this mail; the text says why."""


def rejected(settings: Settings, letter: Letter) -> None:
    """A change order was sent back: to its sender and creator, with the reason and the way to correct it."""
    subject = f"CCO {letter.change_order.number} sent back: {letter.change_order.title}"
    send(settings, compose(settings, letter.key, letter.to, subject, "rejected", letter=letter))


def secret_expires(settings: Settings, reminder: Reminder) -> None:
    """The client secret for Spectrum ends soon: to an administrator, with the way to enter a new one."""
    subject = f"Spectrum client secret ends on {reminder.ends_on:%b} {reminder.ends_on.day}, {reminder.ends_on.year}"
    send(settings, compose(settings, reminder.key, reminder.to, subject, "secret_expires", reminder=reminder))


def daily_summary(settings: Settings, summary: Summary) -> None:
    """What waits: to an approver, with a link to each change order."""
    send(settings, compose_summary(settings, summary))


def compose_summary(settings: Settings, summary: Summary) -> EmailMessage:
    waiting = f"{summary.count:,} change order{'' if summary.count == 1 else 's'}"
    subject = f"ERP Integrations Daily Summary: {waiting}, {money.dollars(summary.total)}"
    return compose(settings, summary.key, summary.to, subject, "daily_summary", summary=summary)


def failed_exports(settings: Settings, alarm: Alarm) -> None:
    """Mail that exports need a person: to those who asked for it, with the reason and a link to each."""
    exports = f"{alarm.count:,} export{'' if alarm.count == 1 else 's'}"
    subject = f"{exports} {alarm.standing}: {alarm.in_words}"
    send(settings, compose(settings, alarm.key, alarm.to, subject, "failed_exports", alarm=alarm))


def password_link(settings: Settings, invitation: Invitation) -> None:
    """A link to choose a password: to the person of the account, and no one else."""
    subject = "Choose your password for the CCO Portal" if invitation.first else "A new password for the CCO Portal"
    send(settings, compose(settings, invitation.key, invitation.to, subject, "password_link", invitation=invitation))


def privilege(settings: Settings, notice: Notice) -> None:
    """*Can Push to Accounting* was asked for, granted, declined or removed: to the administrators, and to the person."""
    done = PRIVILEGE.get(notice.event.action, "granted")
    subject = f"Can Push to Accounting {done}: {notice.about.name}"
    send(settings, compose(settings, notice.key, notice.to, subject, "privilege", notice=notice, done=done))


def four_eyes_off(settings: Settings, told: FourEyesOff) -> None:
    """Four eyes was switched off: to every administrator."""
    send(settings, compose(settings, told.key, told.to, "Four eyes was switched off in the CCO Portal", "four_eyes_off", told=told))


def code_corrected(settings: Settings, told: CodeCorrected) -> None:
    """A vendor, customer or subcontract code was corrected: to every administrator, also who did it."""
    changes = [(field.replace("_", " "), told.event.facts["old"][field], new) for field, new in told.event.facts["new"].items()]
    subject = f"Spectrum code corrected: {told.about}"
    send(settings, compose(settings, told.key, told.to, subject, "code_corrected", told=told, changes=changes))


def trial(settings: Settings, trial: Trial) -> None:
    """A test mail: to the administrator who asked for it."""
    send(settings, compose(settings, trial.key, trial.to, "Test mail from the CCO Portal", "trial", trial=trial))


def standstill(settings: Settings, warning: stalled_work.Notice) -> None:
    """Mail that due work is not being done: to those who get mail on failed exports."""
    subject = f"{stalled_work.KINDS[warning.standstill.kind][0]} still in the CCO Portal"
    send(settings, compose(settings, warning.key, warning.to, subject, "standstill", warning=warning))


def clock_ahead(settings: Settings, warning: clock_repair.Notice) -> None:
    """A clock ran ahead: to the administrators, who can see to it."""
    send(settings, compose(settings, warning.key, warning.to, "A clock of the CCO Portal ran ahead", "clock_ahead", warning=warning))


def audit_in_doubt(settings: Settings, warning: heads.Notice) -> None:
    """The file of heads of the audit trail is gone, or the trail contradicts it: to the administrators."""
    subject = "The audit trail of the CCO Portal is in doubt"
    send(settings, compose(settings, warning.key, warning.to, subject, "audit_in_doubt", warning=warning))


def compose(settings: Settings, key: str, to: User, subject: str, template: str, **context: object) -> EmailMessage:
    """The message out of templates/mail/TEMPLATE.txt and .html, whose links lead to PORTAL_URL."""
    message = EmailMessage(SEVEN_BIT)
    message["Subject"] = literal(subject)
    message["From"] = Address("CCO Portal", addr_spec=settings.MAIL_SENDER)
    message["To"] = Address(literal(to.name), addr_spec=to.email)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = message_id(key, settings.MAIL_SENDER)
    message["Auto-Submitted"] = "auto-generated"
    with current_app.test_request_context(base_url=settings.PORTAL_URL):
        message.set_content(render_template(f"mail/{template}.txt", **context))
        message.add_alternative(render_template(f"mail/{template}.html", **context), subtype="html")
    return message


def literal(text: str) -> str:
    """The text on one line; what looks like an encoded word is kept from being decoded, to whatever it hides, by who reads the mail."""
    return " ".join(text.split()).replace("=?", "= ?")


def message_id(key: str, sender: str) -> str:
    """Fixed by the promise's key: a copy sent after a crash is recognised as the same mail."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


def send(settings: Settings, message: EmailMessage) -> None:
    """Hand the message to the mail server. Raises Undeliverable, TryLater, RefusesUs or Away."""
    if not settings.SMTP_HOST:
        raise RefusesUs("SMTP_HOST is not set, so there is no mail server")
    try:
        with _conversation(settings) as server:
            server.send_message(message)
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
