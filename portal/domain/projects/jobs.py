"""The project side's view: jobs, their commitments with what they are worth, and who sees what of their change orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import peewee

from portal.db import cents
from portal.domain import change_orders, keys
from portal.domain.change_orders import ChangeOrder, LineItem, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import Membership, User
from portal.domain.projects import sending
from portal.domain.rules import spectrum_lists
from portal.domain.rules.spectrum_lists import SpectrumPhase

PAGE = 50
MOST_PHASES = 2000
PENDING = (Status.READY, Status.QUEUED, Status.EXPORTING, Status.FAILED, Status.UNKNOWN)
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Worth:
    """A commitment with its change orders summed up, US dollars.

    approved  of those that are exported
    pending   of those that are with accounting
    """

    commitment: Commitment
    approved: Decimal = NOTHING
    pending: Decimal = NOTHING

    @property
    def revised(self) -> Decimal | None:
        """The original value with the approved changes; None while the original one is not known."""
        original: Decimal | None = self.commitment.original_amount
        return None if original is None else original + self.approved


@dataclass(frozen=True, slots=True)
class Page:
    """Change orders, newest first; `after` is the id that the next page comes after, None on the last one."""

    change_orders: list[ChangeOrder]
    after: int | None


def why_not_see(change_order: ChangeOrder, viewer: User) -> str:
    """Why this person may not look at it, or an empty text. What was never sent is its job's own business."""
    if viewer.may_look and change_order.sent_at is not None:
        return ""
    if viewer.is_member_of(change_order.job) or (viewer.active and viewer.id == change_order.created_by_id):
        return ""
    if not viewer.may_look:
        return "You need level Read Only, or membership of the job, to see this change order. Ask an administrator."
    return f"Only members of job {change_order.job.number} see its drafts. Ask an administrator to add you."


def all_jobs() -> list[Job]:
    """Every job, by number."""
    return list(Job.select().order_by(Job.number))


def other_jobs(viewer: User) -> list[Job]:
    """The jobs that the person may look at without being a member, by number."""
    theirs = Membership.select(Membership.job).where(Membership.user == viewer)
    return list(Job.select().where(Job.id.not_in(theirs)).order_by(Job.number)) if viewer.may_look else []


def closed_drafts(job: Job, viewer: User) -> list[ChangeOrder]:
    """Drafts of others that an administrator who is no member may void, the oldest first; what is in them only members see."""
    if not viewer.may_administer or viewer.is_member_of(job):
        return []
    foreign = ChangeOrder.created_by.is_null() | (ChangeOrder.created_by != viewer)
    query = change_orders.complete().where(
        Commitment.job == job, ChangeOrder.status == Status.DRAFT, ChangeOrder.sent_at.is_null(), foreign
    )
    return list(query.order_by(ChangeOrder.id).limit(PAGE))


def why_not(change_order: ChangeOrder, by: User) -> dict[str, str]:
    """Why send, retrieve and void cannot be pressed now; what can be pressed is not among them."""
    label, editable, ready = change_order.label, change_order.is_editable, change_order.is_ready
    over = "It is void for good." if change_order.state is Status.VOID else f"Accounting has answered: it is {label}."
    reasons = {
        "send": "" if editable else "It waits in accounting. Retrieve it to change it." if ready else over,
        "retrieve": "" if ready else "Nothing to retrieve: accounting doesn’t have it." if editable else over,
        "void": "" if editable else "It waits in accounting. Retrieve it first." if ready else over,
    }
    if editable and not sending.may_void(change_order, by):
        reasons["void"] = "Only the person who wrote it, or an administrator, can void it."
    return {way: reason for way, reason in reasons.items() if reason}


def jobs_of(viewer: User) -> list[Job]:
    """The jobs that the person is a member of, by number."""
    return list(Job.select().join(Membership).where(Membership.user == viewer).order_by(Job.number))


def job(id: int, viewer: User) -> Job:
    """The job, for its members and for people with a level. Raises Job.DoesNotExist, for anyone else too: that it is there is none of
    their business, and addresses are numbers that can be counted through."""
    found: Job = Job.get_by_id(id)
    if not viewer.may_look and not viewer.is_member_of(found):
        raise Job.DoesNotExist  # type: ignore[attr-defined]
    return found


def commitment(id: int, viewer: User) -> Commitment:
    """Return the commitment to a person who may see its job. Raises Commitment.DoesNotExist or Job.DoesNotExist."""
    found: Commitment = _commitments().where(Commitment.id == id).get()
    job(found.job.id, viewer)
    return found


def worths(job: Job) -> list[Worth]:
    """The job's commitments, by number, in two queries."""
    return _worths(_commitments().where(Commitment.job == job).order_by(Commitment.number))


def worth(commitment: Commitment) -> Worth:
    return _worths([commitment])[0]


def of_job(job: Job, viewer: User, after: int | None = None) -> Page:
    """The job's change orders that the person may see."""
    return _page(Commitment.job == job, job, viewer, after)


def of_commitment(commitment: Commitment, viewer: User, after: int | None = None) -> Page:
    return _page(ChangeOrder.commitment == commitment, commitment.job, viewer, after)


def known_phases(job: Job) -> dict[str, str]:
    """Cost codes to choose from, with their names: what Spectrum listed as open on the job, and what its change orders use."""
    listed = SpectrumPhase.select(SpectrumPhase.phase, SpectrumPhase.description).where(
        SpectrumPhase.company == job.company, SpectrumPhase.job == keys.job(job.number), SpectrumPhase.status != spectrum_lists.COMPLETE
    )
    names: dict[str, str] = {one.phase: one.description for one in listed.order_by(SpectrumPhase.phase).limit(MOST_PHASES)}
    used: Any = LineItem.select(LineItem.phase_code).distinct().join(ChangeOrder).join(Commitment).where(Commitment.job == job)
    written = {phase: names.pop(keys.phase(phase), "") for (phase,) in used.limit(MOST_PHASES).tuples() if phase}
    return dict(sorted((written | names).items()))


def next_number(commitment: Commitment) -> str:
    """One more than the highest plain number of the commitment's change orders: 001, 002 ... ; as long as that one is."""
    taken: Any = ChangeOrder.select(ChangeOrder.number).where(ChangeOrder.commitment == commitment).tuples()
    plain = [number for (number,) in taken if number.isascii() and number.isdigit()]
    highest = max(plain, key=int, default="000")
    return f"{int(highest) + 1:0{len(highest)}}"


def _page(condition: Any, job: Job, viewer: User, after: int | None) -> Page:
    query = change_orders.complete().where(condition)
    if not viewer.is_member_of(job):
        query = query.where(ChangeOrder.sent_at.is_null(False) | (ChangeOrder.created_by == viewer))
    if after is not None:
        query = query.where(ChangeOrder.id < after)
    found = list(query.order_by(ChangeOrder.id.desc()).limit(PAGE + 1))
    return Page(change_orders.with_lines(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def _commitments() -> Any:
    return Commitment.select(Commitment, Vendor, Job).join(Vendor, peewee.JOIN.LEFT_OUTER).switch(Commitment).join(Job)


def _worths(commitments: Iterable[Commitment]) -> list[Worth]:
    found = list(commitments)
    sums: Any = (
        ChangeOrder.select(ChangeOrder.commitment, ChangeOrder.status, peewee.fn.SUM(ChangeOrder.amount).coerce(False))
        .where(ChangeOrder.commitment.in_(found), ChangeOrder.status.in_([Status.EXPORTED, *PENDING]))
        .group_by(ChangeOrder.commitment, ChangeOrder.status)
        .tuples()
    )
    approved, pending = dict.fromkeys((one.id for one in found), NOTHING), dict.fromkeys((one.id for one in found), NOTHING)
    for id, status, total in sums:
        (approved if status == Status.EXPORTED else pending)[id] += cents(total)
    return [Worth(one, approved[one.id], pending[one.id]) for one in found]


def own(viewer: User) -> list[ChangeOrder]:
    """What a member of jobs can work on: drafts, what came back, then what waits and can be retrieved; newest first."""
    jobs = Membership.select(Membership.job).where(Membership.user == viewer)
    query = change_orders.complete().where(Job.id.in_(jobs), ChangeOrder.status.in_((*change_orders.EDITABLE, Status.READY)))
    waits = peewee.Case(None, ((ChangeOrder.status == Status.READY, 1),), 0)  # never pushes off the page what needs work
    return change_orders.with_lines(query.order_by(waits, ChangeOrder.id.desc()).limit(PAGE))


def left_behind(viewer: User) -> list[ChangeOrder]:
    """What the person wrote on jobs they are no member of, while it is with the project: they can void it. Newest first."""
    jobs = Membership.select(Membership.job).where(Membership.user == viewer)
    query = change_orders.complete().where(
        ChangeOrder.created_by == viewer, Job.id.not_in(jobs), ChangeOrder.status.in_(change_orders.EDITABLE)
    )
    return change_orders.with_lines(query.order_by(ChangeOrder.id.desc()).limit(PAGE))
