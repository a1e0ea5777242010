"""A sample of each mail, with invented people and change orders, so that an administrator sees what the portal sends."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal import clock
from portal.domain.accounts import privilege_requests
from portal.domain.accounts.password_links import VALID, Invitation
from portal.domain.audit import heads
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import current
from portal.domain.events import Event, canonical
from portal.domain.exporting.alerts import Alarm
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.lanes import MAIL
from portal.domain.mail.daily_summary import Summary
from portal.domain.mail.letters import CodeCorrected, FourEyesOff, Letter, Mail, Notice, Question, Reminder
from portal.domain.mail.trial_mail import Trial
from portal.domain.outbox import Task
from portal.domain.people import Level, User
from portal.domain.projects.resubmissions import Resubmitted
from portal.domain.projects.revisions import Comparison, Difference
from portal.domain.recovery import clock_repair, stalled_work

KEY = "sample"
APPROVER, SENDER = "Ana Ortiz", "Dee Parker"
QUESTION = "Does line 2 include the fittings?"
REASON = "Line 2 belongs to phase 26-0519.\nPlease correct it and send it again."


def of(task: Task, to: User) -> Mail:
    """The sample of one mail, addressed to the person who looks at it."""
    return SAMPLES[task](to)


def change_order(id: int = 1, number: str = "004", title: str = "Relocate duct bank", amount: str = "4250.00") -> ChangeOrder:
    """An invented change order; nothing of it is in the database."""
    job = Job(company=current(), number="24-117", name="Harbor Tower", customer="NORTHSIDE")
    held = Commitment(
        job=job, vendor=Vendor(name="Volt Electric Co", code="VOLTCO"), number="SC-014", title="Electrical", subcontract="SC-014"
    )
    sent = {
        "sent_by": User(name=SENDER),
        "sent_at": clock.now() - timedelta(days=2, hours=4),
        "sent_amount": Decimal(amount),
        "revision": 1,
    }
    return ChangeOrder(id=id, commitment=held, number=number, title=title, amount=Decimal(amount), status=Status.READY, **sent)


def _event(action: str, subject: str = SUBJECT, **facts: Any) -> Event:
    return Event(seq=1, at=clock.now(), actor=User(id=1, name=APPROVER), subject=subject, ref=1, action=action, data=canonical(facts))


def _two() -> list[ChangeOrder]:
    return [change_order(), change_order(2, "007", "Credit for fixtures", "-1500.00")]


def _summary(to: User) -> Summary:
    shown = _two()
    return Summary(KEY, to, 27, Decimal("418220.50"), shown, failed=3, unknown=1)


def _failures(to: User) -> Alarm:
    shown, cause = _two(), FailureCause(id=1, kind="data", code="I", field="CR_Phase_Code", text="Phase is not on the job")
    said = {one.id: "Phase 07-84-13 is Complete on job 24-117." for one in shown}
    return Alarm(KEY, to, "data", 2, Decimal("2750.00"), shown, said, cause)


def _privilege(to: User) -> Notice:
    about = User(id=2, name="Ben Okafor", email="ben@example.test", level=Level.STANDARD)
    return Notice(KEY, to, _event(privilege_requests.ASKED, "user", note="I stand in for Ana in December."), about)


def _code(to: User) -> CodeCorrected:
    changed = {"old": {"subcontract": "SC-14"}, "new": {"subcontract": "SC-014"}}
    return CodeCorrected(KEY, to, _event("code corrected", "commitment", **changed), "commitment SC-014")


def _clock(to: User) -> clock_repair.Notice:
    text = "A clock of the portal ran ahead: what it dated more than 15 minutes in the future counts as over."
    return clock_repair.Notice(KEY, to, _event("clock noticed", "company", text=text))


SAMPLES: dict[Task, Callable[[User], Mail]] = {
    Task.DAILY: _summary,
    Task.REJECTED: lambda to: Letter(KEY, to, change_order(), APPROVER, REASON),
    Task.QUESTION: lambda to: Question(KEY, to, change_order(), APPROVER, QUESTION),
    Task.RESUBMITTED: lambda to: Resubmitted(KEY, to, change_order(), Comparison(1, 2, [Difference("Line 2", "16-3000 M", "16-3000 SUB")])),
    Task.FAILED_EXPORTS: _failures,
    Task.PRIVILEGE: _privilege,
    Task.LINK: lambda to: Invitation(KEY, to, "sample", True, clock.now() + VALID),
    Task.REMINDER: lambda to: Reminder(KEY, to, clock.now().date() + timedelta(days=14)),
    Task.FOUR_EYES: lambda to: FourEyesOff(KEY, to, _event("settings changed", "company"), is_on_again=False),
    Task.CODE: _code,
    Task.STANDSTILL: lambda to: stalled_work.Notice(KEY, to, stalled_work.Standstill(MAIL, clock.now() - timedelta(minutes=20))),
    Task.CLOCK: _clock,
    Task.AUDIT: lambda to: heads.Notice(KEY, to, "The file of heads of the audit trail is gone.", is_over=False),
    Task.TRIAL: lambda to: Trial(KEY, to, clock.now()),
}
