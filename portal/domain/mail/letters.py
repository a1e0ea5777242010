"""What a promised mail says, read fresh for each try; and what becomes of the promise when it cannot be sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.accounts import password_links, privilege_requests
from portal.domain.accounts.password_links import Invitation
from portal.domain.audit import heads, subjects
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.companies import current
from portal.domain.events import Action, Event
from portal.domain.exporting import alerts
from portal.domain.exporting.alerts import Alarm
from portal.domain.lanes import Lane
from portal.domain.mail import daily_summary, refusals, trial_mail
from portal.domain.mail.daily_summary import Summary
from portal.domain.mail.trial_mail import Trial
from portal.domain.outbox import Dispatch, DispatchOutcome, NotWanted, Task
from portal.domain.people import User
from portal.domain.projects import resubmissions
from portal.domain.projects.resubmissions import Resubmitted
from portal.domain.recovery import clock_repair, stalled_work
from portal.domain.review import questions

LEASE = timedelta(minutes=2)  # longer than the mail server's time-outs together
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (60, 120, 300, 900, 3600))
KEEPS_TRYING = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a "sent back" mail says.

    key  of the promise; the Message-ID derives from it, so that copies are recognised as one mail
    """

    key: str
    to: User
    change_order: ChangeOrder
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the mail with an approver's question says, while it has no answer."""

    key: str
    to: User
    change_order: ChangeOrder
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """What a "client secret ends" mail says. `ends_on` is the secret's last day."""

    key: str
    to: User
    ends_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """What a mail about *Can Push to Accounting* says: the event it tells of, and the person whose privilege it is, as they are now."""

    key: str
    to: User
    event: Event
    about: User

    @property
    def by(self) -> str:
        """Who did what the event tells."""
        if self.event.actor:
            return str(self.event.actor.name)
        return "The identity provider" if events.PROVIDER in self.event.facts else "An administrator at the command line"


@dataclass(frozen=True, slots=True)
class FourEyesOff:
    """What the mail says that tells who switched four eyes off, and when."""

    key: str
    to: User
    event: Event
    is_on_again: bool


@dataclass(frozen=True, slots=True)
class CodeCorrected:
    """What the mail says that tells who corrected a code of what (`about`), and how."""

    key: str
    to: User
    event: Event
    about: str


Mail = (
    CodeCorrected
    | FourEyesOff
    | Letter
    | Question
    | Resubmitted
    | Reminder
    | Summary
    | Alarm
    | Invitation
    | Notice
    | Trial
    | stalled_work.Notice
    | clock_repair.Notice
    | heads.Notice
)


def begin(dispatch: Dispatch, claim: int) -> Mail | None:
    """Count the try, and answer what to send; None when it was sent meanwhile, has to wait, or is not wanted. Raises lanes.Lost."""
    with transaction():
        Lane.renew(dispatch.lane, claim, LEASE)
        if not Dispatch.select().where(Dispatch.id == dispatch.id, Dispatch.finished_at.is_null()).exists():
            return None
        if refusals.hold(dispatch):
            return None
        outbox.begin(dispatch, back_off(dispatch.tries))
    try:  # apart from the counting: a letter that cannot be written must not stand first in line for ever
        return _write(dispatch)
    except NotWanted as why:
        outbox.finish(dispatch, f"not sent: {why}", DispatchOutcome.SKIPPED)
        return None


def _write(dispatch: Dispatch) -> Mail:
    with transaction():
        to = User.get_by_id(recipient(dispatch.key))
        if not to.active:
            raise NotWanted("the account was deactivated")
        return WRITE[Task(dispatch.task)](dispatch.key, to)


def not_now(dispatch: Dispatch, why: str) -> None:
    """Try again later: a summary until its day ends, a link for a password for its hour, other mail for three days."""
    now = clock.now()
    again = now + back_off(dispatch.tries)
    if dispatch.task == Task.DAILY:
        outbox.postpone(dispatch, min(again, daily_summary.expires_at(current(), daily_summary.day_of(dispatch.key))), why)
    elif dispatch.task == Task.LINK:
        outbox.postpone(dispatch, min(again, max(now, password_links.expires_at(dispatch.key))), why)
    elif now < max(dispatch.promised_at, refusals.last_over()) + KEEPS_TRYING:
        outbox.postpone(dispatch, again, why)
    else:
        outbox.finish(dispatch, f"not delivered in {KEEPS_TRYING.days} days: {why}", DispatchOutcome.FAILED)


def refused(dispatch: Dispatch, why: str) -> None:
    """The mail server will never take it: someone has to see that."""
    outbox.finish(dispatch, f"not delivered: {why}", DispatchOutcome.FAILED)


def _rejected(key: str, to: User) -> Letter:
    _, id, revision, _ = key.split(":")
    rejection = _rejection(int(id), int(revision))
    by = rejection.actor.name if rejection.actor else "Accounting"
    return Letter(key, to, change_orders.load(int(id)), by, rejection.facts["reason"])


def _question(key: str, to: User) -> Question:
    change_order = change_orders.load(int(key.split(":")[1]))
    last = questions.latest(change_order)
    if not (change_order.is_ready and change_order.is_asked and last and last.actor):
        raise NotWanted("it was answered or decided meanwhile")
    return Question(key, to, change_order, last.actor.name, last.facts["note"])


def _privilege(key: str, to: User) -> Notice:
    event = events.by_seq(int(key.split(":")[1]))
    about: User = User.get_by_id(event.ref)
    latest = privilege_requests.latest_of(about)
    if event.action == privilege_requests.ASKED and not (latest and latest.is_open):
        raise NotWanted("it was answered meanwhile")
    return Notice(key, to, event, about)


def _four_eyes_off(key: str, to: User) -> FourEyesOff:
    return FourEyesOff(key, to, events.by_seq(int(key.split(":")[1])), bool(current().four_eyes))


def _code_corrected(key: str, to: User) -> CodeCorrected:
    event = events.by_seq(int(key.split(":")[1]))
    return CodeCorrected(key, to, event, dict(subjects.named(event.subject, {event.ref}))[event.ref])


def _secret_expires(key: str, to: User) -> Reminder:
    return Reminder(key, to, date.fromisoformat(key.split(":")[2]))


WRITE: dict[Task, Callable[[str, User], Mail]] = {
    Task.REJECTED: _rejected,
    Task.QUESTION: _question,
    Task.RESUBMITTED: resubmissions.write,
    Task.REMINDER: _secret_expires,
    Task.DAILY: daily_summary.write,
    Task.FAILED_EXPORTS: alerts.write,
    Task.LINK: password_links.write,
    Task.PRIVILEGE: _privilege,
    Task.FOUR_EYES: _four_eyes_off,
    Task.CODE: _code_corrected,
    Task.TRIAL: trial_mail.write,
    Task.STANDSTILL: stalled_work.write,
    Task.CLOCK: clock_repair.write,
    Task.AUDIT: heads.write,
}


def _rejection(id: int, revision: int) -> events.Event:
    return next(
        event for event in reversed(events.history(SUBJECT, id)) if event.action == Action.REJECTED and event.facts["revision"] == revision
    )


def recipient(key: str) -> int:
    """The person a promise of mail is to: the last part of every key."""
    return int(key.rpartition(":")[2])


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]
