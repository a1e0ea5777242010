"""What the project side does: write and correct a change order, and send it to accounting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, commitments, events, keys, people, transitions
from portal.domain.change_orders import EDITABLE, SUBJECT, ChangeOrder, LineItem, Overtaken, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.events import Action
from portal.domain.people import NotPermitted, User
from portal.domain.projects import resubmissions
from portal.domain.projects.revisions import snapshot
from portal.domain.rules import attention, checks, contributors, recheck
from portal.domain.rules.findings import Finding, require, verdict

WORDS = ("number", "key", "loose", "twin", "title", "description", "amount", "tax", "currency", "dated", "project_status")
NO_MEMBER = "You are not a member of job {}. Ask an administrator to add you."


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line as someone wrote it; `amount` is None while it is still missing."""

    phase_code: str
    cost_type: str
    amount: Decimal | None
    description: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    bid_item: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the sender can write. The total is the sum of the lines unless a document states another.

    project_status   as a document states it; None leaves it as it is
    currency         three letters; empty for the company's
    """

    number: str
    title: str
    description: str
    lines: Sequence[LineDraft]
    amount: Decimal | None = None
    project_status: str | None = None
    tax: Decimal = Decimal("0.00")
    currency: str = ""
    dated: date | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount is not None), Decimal("0.00")) if self.amount is None else self.amount


def create(commitment: Commitment, by: User | None, draft: Draft, **facts: Any) -> ChangeOrder:
    """A new draft, findings and all, in the caller's transaction; `facts` go into its event. Raises Blocked if the number is taken."""
    change_order = ChangeOrder(commitment=commitment, created_by=by)
    fill(change_order, draft)
    change_order.checks = verdict(_findings(change_order))
    change_order.save(force_insert=True)
    _store_lines(change_order)
    contributors.record_writing(change_order, by)
    events.record(SUBJECT, change_order.id, Action.CREATED, by, snapshot=snapshot(change_order), **facts)
    recheck.look_alikes(change_order)
    return change_order


def begin(commitment: Commitment, by: User, draft: Draft) -> ChangeOrder:
    """A new draft by a member of the job. Raises NotPermitted, or Blocked if the number is taken or none."""
    with transaction():
        by = people.as_held(by)
        ensure_member(commitment.job, by)
        commitments.hold(commitment)
        return create(commitment, by, draft)


def hold(id: int) -> ChangeOrder:
    """Lock its commitment, under which another draft may be taking the same number right now, and then the change order."""
    commitments.hold(ChangeOrder.get_by_id(id).commitment)
    return change_orders.hold(id)


def judge(id: int, draft: Draft) -> list[Finding]:
    """What the checks would say of the draft in place of what the change order says; nothing is kept."""
    change_order = change_orders.load(id)
    fill(change_order, draft)
    return checks.at_send(change_order)


def edit(id: int, by: User, version: int, draft: Draft, **facts: Any) -> list[Finding]:
    """Save what the sender wrote, findings and all; answers the findings. Raises NotPermitted, Overtaken or Blocked (number taken)."""
    with transaction():
        by, change_order = people.as_held(by), hold(id)
        ensure_may_write(change_order, by)
        return revise(change_order, by, version, draft, **facts)


def revise(change_order: ChangeOrder, by: User | None, version: int, draft: Draft, **facts: Any) -> list[Finding]:
    """Put the draft in place of what the change order says, in the caller's transaction. Raises Overtaken or Blocked (number taken)."""
    change_order.expect(version, *EDITABLE)
    before = change_order.loose
    fill(change_order, draft)
    findings = _findings(change_order)
    _save(change_order, version, checks=verdict(findings))
    LineItem.delete().where(LineItem.change_order == change_order).execute()
    _store_lines(change_order)
    contributors.record_writing(change_order, by)
    events.record(SUBJECT, change_order.id, Action.EDITED, by, revision=change_order.revision + 1, snapshot=snapshot(change_order), **facts)
    recheck.look_alikes(change_order, before)
    return findings


@recheck.beside
def send(id: int, by: User, version: int) -> ChangeOrder:
    """Draft, Rejected or Retrieved -> Ready: the next revision waits for accounting. Raises NotPermitted, Overtaken or Blocked."""
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.SENT, version)
        if is_repeat:
            return change_order
        ensure_may_write(change_order, by)
        change_order.expect(version, *EDITABLE)
        findings = checks.at_send(change_order)
        require(findings)
        resubmissions.promise(change_order)
        facts = {"revision": change_order.revision + 1, "sent_by": by, "sent_at": clock.now(), "sent_amount": change_order.amount}
        change_order.move(Status.READY, version, **facts, **change_order.new_revision, checks=verdict(findings))
        attention.keep(change_order)
        contributors.record_writing(change_order, by)
        transitions.record(change_order, Action.SENT, by, version, snapshot=snapshot(change_order))
        return change_order


@recheck.beside
def retrieve(id: int, by: User, version: int) -> ChangeOrder:
    """Ready -> Retrieved: back from accounting while no one has answered. Raises NotPermitted or Overtaken."""
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.RETRIEVED, version)
        if is_repeat:
            return change_order
        if not may_retrieve(change_order, by):
            ensure_may_write(change_order, by)
        change_order.expect(version, Status.READY)
        change_order.move(Status.RETRIEVED, version)
        transitions.record(change_order, Action.RETRIEVED, by, version)
        return change_order


def void(id: int, by: User, version: int) -> ChangeOrder:
    """Draft, Rejected or Retrieved -> Void, for good. Raises NotPermitted or Overtaken."""
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.VOIDED, version, hold=hold)
        if is_repeat:
            return change_order
        if not may_void(change_order, by):
            raise NotPermitted("Only the person who wrote it, or an administrator, can void it.")
        change_order.expect(version, *EDITABLE)
        change_order.move(Status.VOID, version)
        transitions.record(change_order, Action.VOIDED, by, version)
        recheck.look_alikes(change_order)
        return change_order


def available_actions(change_order: ChangeOrder, by: User) -> list[str]:
    """Project actions available to this person: retrieve, void."""
    if change_order.is_ready:
        return ["retrieve"] if may_retrieve(change_order, by) else []
    return ["void"] if change_order.is_editable and may_void(change_order, by) else []


def may_retrieve(change_order: ChangeOrder, by: User) -> bool:
    """A member of the job, or an administrator anywhere."""
    return bool(by.may_administer or by.is_member_of(change_order.job))


def may_void(change_order: ChangeOrder, by: User) -> bool:
    """Who wrote it, or an administrator."""
    return bool(by.may_administer or (by.active and by.id == change_order.created_by_id))


def ensure_may_write(change_order: ChangeOrder, by: User) -> None:
    ensure_member(change_order.job, by)


def ensure_member(job: Job, by: User) -> None:
    if not by.is_member_of(job):
        raise NotPermitted(NO_MEMBER.format(job.number))


def as_spelled(draft: Draft, here: ChangeOrder) -> Draft:
    """The draft with the number of the change order it is about, which it may spell in another way."""
    return replace(draft, number=here.number)


def fill(change_order: ChangeOrder, draft: Draft) -> None:
    """Put the draft's words and lines in place of the change order's, in memory only."""
    change_order.rename(draft.number)
    change_order.title = draft.title.strip()
    change_order.description, change_order.amount = draft.description.strip(), draft.total
    change_order.tax, change_order.dated = draft.tax, draft.dated
    change_order.currency = draft.currency.upper() or change_order.company.currency
    change_order.project_status = change_order.project_status if draft.project_status is None else draft.project_status
    change_order.lines = [_line(change_order, position, line) for position, line in enumerate(draft.lines, 1)]


def _line(change_order: ChangeOrder, position: int, line: LineDraft) -> LineItem:
    return LineItem(
        change_order=change_order,
        position=position,
        phase_code=keys.plain(line.phase_code),
        cost_type=keys.plain(line.cost_type),
        bid_item=keys.plain(line.bid_item),
        description=line.description.strip(),
        quantity=line.quantity,
        unit=line.unit.strip(),
        amount=line.amount,
    )


def _findings(change_order: ChangeOrder) -> list[Finding]:
    """All findings at Send; a number that another has is refused at once."""
    findings = checks.at_send(change_order)
    require([finding for finding in findings if finding.rule == 1])
    return findings


def _store_lines(change_order: ChangeOrder) -> None:
    for line in change_order.lines:
        line.change_order = change_order
    if change_order.lines:
        LineItem.bulk_create(change_order.lines, batch_size=100)


def _save(change_order: ChangeOrder, version: int, **changes: Any) -> None:
    """Guarded write of the words; the status stays."""
    words = {name: getattr(change_order, name) for name in WORDS}
    saved = (
        ChangeOrder.update(version=version + 1, **words, **changes)
        .where(ChangeOrder.id == change_order.id, ChangeOrder.version == version)
        .execute()
    )
    if not saved:
        raise Overtaken(change_orders.load(change_order.id))
    change_order.version = version + 1
