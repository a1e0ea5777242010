"""Mail: one function per message, one way to send. Text and HTML, a Message-ID that is the same for every copy."""

import hashlib
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from flask import current_app, render_template

from config import Settings
from portal import clock
from portal.domain import money, privilege_requests
from portal.domain.alarms import Alarm
from portal.domain.letters import Letter, Notice, Reminder
from portal.domain.links import Invitation
from portal.domain.mail_trials import Trial
from portal.domain.people import User
from portal.domain.summaries import Summary

PATIENCE_S = 10.0  # per step of the conversation with the mail server
PRIVILEGE = {  # a raised level grants what had no effect before
    privilege_requests.ASKED: "asked for",
    privilege_requests.DECLINED: "declined",
    privilege_requests.REMOVED: "removed",
}


class TryLater(Exception):
    """The mail server could not be reached or asked us to come back; the text says what it said."""


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
    """Exports need a person: to whoever asked to be told, with the reason and a link to each."""
    exports = f"{alarm.count:,} export{'' if alarm.count == 1 else 's'}"
    subject = f"{exports} {'failed' if alarm.has_failed else 'to look at'}: {alarm.in_words}"
    send(settings, compose(settings, alarm.key, alarm.to, subject, "failed_exports", alarm=alarm))


def password_link(settings: Settings, invitation: Invitation) -> None:
    """A link to choose a password: to the person of the account, and nobody else."""
    subject = "Choose your password for the CCO Portal" if invitation.first else "A new password for the CCO Portal"
    send(settings, compose(settings, invitation.key, invitation.to, subject, "password_link", invitation=invitation))


def privilege(settings: Settings, notice: Notice) -> None:
    """*Can Push to Accounting* was asked for, granted, declined or removed: to the administrators, and to the person."""
    done = PRIVILEGE.get(notice.event.action, "granted")
    subject = f"Can Push to Accounting {done}: {notice.about.name}"
    send(settings, compose(settings, notice.key, notice.to, subject, "privilege", notice=notice, done=done))


def trial(settings: Settings, trial: Trial) -> None:
    """A test mail: to the administrator who asked for it."""
    send(settings, compose(settings, trial.key, trial.to, "Test mail from the CCO Portal", "trial", trial=trial))


def compose(settings: Settings, key: str, to: User, subject: str, template: str, **context: object) -> EmailMessage:
    """The message out of templates/mail/TEMPLATE.txt and .html, whose links lead to PORTAL_URL."""
    message = EmailMessage()
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
    """Hand the message to the mail server, encrypted where SMTP_TLS says so. Raises TryLater or Undeliverable."""
    try:
        with smtplib.SMTP(settings.SMTP_HOST, settings.SMTP_PORT, timeout=PATIENCE_S) as server:
            if settings.SMTP_TLS:
                server.starttls(context=ssl.create_default_context(cafile=settings.SMTP_CA_BUNDLE or None))
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _failure(code, text) from error
    except smtplib.SMTPResponseException as error:
        raise _failure(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TryLater(f"mail server not available: {error}") from error


def _failure(code: int, text: bytes | str) -> Exception:
    said = f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return Undeliverable(said) if code >= 500 else TryLater(said)
