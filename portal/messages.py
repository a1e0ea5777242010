"""What each mail says: one function per message. Text and HTML, a Message-ID that is the same for every copy."""

import hashlib
from collections.abc import Callable
from email import policy
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from flask import current_app, render_template, url_for

from config import Settings
from portal import clock
from portal.domain import money
from portal.domain.accounts import preferences, privilege_requests
from portal.domain.accounts.password_links import Invitation
from portal.domain.accounts.preferences import Kind
from portal.domain.audit import heads
from portal.domain.exporting.alerts import Alarm
from portal.domain.mail.daily_summary import Summary
from portal.domain.mail.letters import CodeCorrected, FourEyesOff, Letter, Notice, Question, Reminder
from portal.domain.mail.trial_mail import Trial
from portal.domain.outbox import Task
from portal.domain.people import User
from portal.domain.projects.resubmissions import Resubmitted
from portal.domain.recovery import clock_repair, stalled_work


class Unfolded(UnstructuredHeader, BaseHeader):
    """A header on one line: the library would cut a long address into encoded words, which no mail program reads as an address."""

    def fold(self, *, policy: policy.Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", Unfolded)
SEVEN_BIT = policy.default.clone(cte_type="7bit", header_factory=HEADERS)  # few servers say whether the next one takes 8 bits
PRIVILEGE = {  # a raised level grants what had no effect before
    privilege_requests.ASKED: "asked for",
    privilege_requests.DECLINED: "declined",
    privilege_requests.REMOVED: "removed",
}


def rejected(settings: Settings, letter: Letter) -> EmailMessage:
    """A change order was sent back: to its sender and creator, with the reason and the way to correct it."""
    subject = f"CCO {letter.change_order.number} sent back: {letter.change_order.title}"
    return compose(settings, letter.key, letter.to, subject, "rejected", letter=letter)


def question(settings: Settings, question: Question) -> EmailMessage:
    """An approver asks: to the sender and creator, with the way to answer."""
    subject = f"Question about CCO {question.change_order.number}: {question.change_order.title}"
    return compose(settings, question.key, question.to, subject, "question", question=question)


def resubmitted(settings: Settings, resubmitted: Resubmitted) -> EmailMessage:
    """A rejected change order came back: to the approver who rejected it and asked for this mail."""
    subject = f"Corrected and back: CCO {resubmitted.change_order.number}: {resubmitted.change_order.title}"
    return compose(settings, resubmitted.key, resubmitted.to, subject, "resubmitted", Kind.RESUBMITTED, resubmitted=resubmitted)


def secret_expires(settings: Settings, reminder: Reminder) -> EmailMessage:
    """The client secret for Spectrum ends soon: to an administrator, with the way to enter a new one."""
    subject = f"Spectrum client secret ends on {reminder.ends_on:%b} {reminder.ends_on.day}, {reminder.ends_on.year}"
    return compose(settings, reminder.key, reminder.to, subject, "secret_expires", reminder=reminder)


def daily_summary(settings: Settings, summary: Summary) -> EmailMessage:
    """What waits: to an approver, with a link to each change order."""
    waiting = f"{summary.count:,} change order{'' if summary.count == 1 else 's'}"
    subject = f"ERP Integrations Daily Summary: {waiting}, {money.dollars(summary.total)}"
    return compose(settings, summary.key, summary.to, subject, "daily_summary", Kind.SUMMARY, summary=summary)


def failed_exports(settings: Settings, alarm: Alarm) -> EmailMessage:
    """Mail that exports need a person: to those who asked for it, with the reason and a link to each."""
    exports = f"{alarm.count:,} export{'' if alarm.count == 1 else 's'}"
    subject = f"{exports} {alarm.standing}: {alarm.in_words}"
    return compose(settings, alarm.key, alarm.to, subject, "failed_exports", Kind.FAILURES, alarm=alarm)


def password_link(settings: Settings, invitation: Invitation) -> EmailMessage:
    """A link to choose a password: to the person of the account, and no one else."""
    subject = "Choose your password for the CCO Portal" if invitation.first else "A new password for the CCO Portal"
    return compose(settings, invitation.key, invitation.to, subject, "password_link", invitation=invitation)


def privilege(settings: Settings, notice: Notice) -> EmailMessage:
    """*Can Push to Accounting* was asked for, granted, declined or removed: to the administrators, and to the person."""
    done = PRIVILEGE.get(notice.event.action, "granted")
    subject = f"Can Push to Accounting {done}: {notice.about.name}"
    return compose(settings, notice.key, notice.to, subject, "privilege", notice=notice, done=done)


def four_eyes_off(settings: Settings, told: FourEyesOff) -> EmailMessage:
    """Four eyes was switched off: to every administrator."""
    return compose(settings, told.key, told.to, "Four eyes was switched off in the CCO Portal", "four_eyes_off", told=told)


def code_corrected(settings: Settings, told: CodeCorrected) -> EmailMessage:
    """A vendor, customer or subcontract code was corrected: to every administrator, also who did it."""
    changes = [(field.replace("_", " "), told.event.facts["old"][field], new) for field, new in told.event.facts["new"].items()]
    subject = f"Spectrum code corrected: {told.about}"
    return compose(settings, told.key, told.to, subject, "code_corrected", told=told, changes=changes)


def trial(settings: Settings, trial: Trial) -> EmailMessage:
    """A test mail: to the administrator who asked for it."""
    return compose(settings, trial.key, trial.to, "Test mail from the CCO Portal", "trial", trial=trial)


def standstill(settings: Settings, warning: stalled_work.Notice) -> EmailMessage:
    """Mail that due work is not being done: to those who get mail on failed exports."""
    subject = f"{stalled_work.KINDS[warning.standstill.kind][0]} still in the CCO Portal"
    return compose(settings, warning.key, warning.to, subject, "standstill", warning=warning)


def clock_ahead(settings: Settings, warning: clock_repair.Notice) -> EmailMessage:
    """A clock ran ahead: to the administrators, who can see to it."""
    return compose(settings, warning.key, warning.to, "A clock of the CCO Portal ran ahead", "clock_ahead", warning=warning)


def audit_in_doubt(settings: Settings, warning: heads.Notice) -> EmailMessage:
    """The file of heads of the audit trail is gone, or the trail contradicts it: to the administrators."""
    subject = "The audit trail of the CCO Portal is in doubt"
    return compose(settings, warning.key, warning.to, subject, "audit_in_doubt", warning=warning)


def compose(
    settings: Settings, key: str, to: User, subject: str, template: str, kind: Kind | None = None, **context: object
) -> EmailMessage:
    """The message out of templates/mail/TEMPLATE.txt and .html, whose links lead to PORTAL_URL.

    `kind`: the person asked for such mail, and stops it by a link, or their mail program does (RFC 8058).
    """
    message = EmailMessage(SEVEN_BIT)
    message["Subject"] = literal(subject)
    message["From"] = Address("CCO Portal", addr_spec=settings.MAIL_SENDER)
    message["To"] = Address(literal(to.name), addr_spec=to.email)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = message_id(key, settings.MAIL_SENDER)
    message["Auto-Submitted"] = "auto-generated"
    with current_app.test_request_context(base_url=settings.PORTAL_URL):
        context["unsubscribe"] = unsubscribe = _unsubscribe(settings, to, kind)
        if unsubscribe:
            message["List-Unsubscribe"] = f"<{unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(render_template(f"mail/{template}.txt", **context))
        message.add_alternative(render_template(f"mail/{template}.html", **context), subtype="html")
    return message


def _unsubscribe(settings: Settings, to: User, kind: Kind | None) -> str:
    """The address that stops this mail; empty for mail that someone has to get."""
    if kind is None or not getattr(to, kind.column):
        return ""
    return url_for("unsubscribing.show", token=preferences.link(settings.keys, to, kind), _external=True)


def literal(text: str) -> str:
    """The text on one line; what looks like an encoded word is kept from being decoded, to whatever it hides, by who reads the mail."""
    return " ".join(text.split()).replace("=?", "= ?")


def message_id(key: str, sender: str) -> str:
    """Fixed by the promise's key: a copy sent after a crash is recognised as the same mail."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


COMPOSE: dict[Task, Callable[[Settings, Any], EmailMessage]] = {
    Task.REJECTED: rejected,
    Task.QUESTION: question,
    Task.RESUBMITTED: resubmitted,
    Task.REMINDER: secret_expires,
    Task.DAILY: daily_summary,
    Task.FAILED_EXPORTS: failed_exports,
    Task.LINK: password_link,
    Task.PRIVILEGE: privilege,
    Task.FOUR_EYES: four_eyes_off,
    Task.CODE: code_corrected,
    Task.TRIAL: trial,
    Task.STANDSTILL: standstill,
    Task.CLOCK: clock_ahead,
    Task.AUDIT: audit_in_doubt,
}
