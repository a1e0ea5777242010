"""What upstream systems do: deliver a change order by its job, commitment and number, and follow what becomes of it."""

from dataclasses import dataclass
from typing import Any

from portal.db import transaction
from portal.domain import change_orders, commitments, events, keys, people
from portal.domain.change_orders import ChangeOrder, Overtaken, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.companies import Company
from portal.domain.events import Action
from portal.domain.people import Membership, NotPermitted, User
from portal.domain.projects import revisions, sending, statements
from portal.domain.projects.sending import Draft
from portal.domain.projects.statements import News


class CameBack(Exception):
    """It came back from accounting, and what the system said last is not known: what its project made of it is not replaced unseen."""

    def __init__(self, change_order: ChangeOrder) -> None:
        super().__init__(f"CCO {change_order.number} came back")
        self.change_order = change_order


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which change orders to list; what is empty does not count. `after`: only those made after the one with this id."""

    statuses: tuple[Status, ...] = ()
    job: str = ""
    commitment: str = ""
    number: str = ""
    after: int = 0


def put(job: str, commitment: str, draft: Draft, by: User, version: int | None = None) -> tuple[ChangeOrder, bool]:
    """Create the change order, or put the draft in its place; answers it and whether it is new.

    The draft that stands here, or that the system delivered last, writes nothing: what was corrected meanwhile stays, unless
    the version says that it was seen.

    Raises Commitment.DoesNotExist, NotPermitted, Blocked (the number is none), Overtaken when it is ready or further, or
    not in the version that was seen, and CameBack.
    """
    with transaction():
        by, owner = people.as_held(by), _commitment(job, commitment, by)
        commitments.hold(owner)
        here = _known(owner, draft.number)
        if here is None and version is None:
            made = sending.create(owner, by, draft)
            statements.keep(made, draft, statements.system(by))
            return change_orders.load(made.id), True
        if here is None:
            raise ChangeOrder.DoesNotExist  # type: ignore[attr-defined]
        return _replace(here, by, draft, version), False


def _replace(here: ChangeOrder, by: User, draft: Draft, version: int | None) -> ChangeOrder:
    if not here.is_editable or version not in (None, here.version):
        raise Overtaken(here)
    source = statements.system(by)
    news = statements.weigh(here, draft, source)
    if news is News.UNKNOWN and version is None:
        raise CameBack(here)
    if news is not News.NONE and (news is not News.OLD or version is not None):
        sending.revise(here, by, here.version, sending.as_spelled(draft, here))
    statements.keep(here, draft, source)
    return change_orders.load(here.id)


def visible(id: int, viewer: User) -> ChangeOrder:
    """The change order, if the person may see it. Raises ChangeOrder.DoesNotExist."""
    return _one(ChangeOrder.id == id, viewer)


def named(job: str, commitment: str, number: str, viewer: User) -> ChangeOrder:
    """The change order of these numbers, if the person may see it. Raises ChangeOrder.DoesNotExist."""
    same = (Job.key == keys.job(job)) & (Commitment.key == keys.commitment(commitment)) & (ChangeOrder.key == keys.change_order(number))
    return _one(same, viewer, job, commitment, number)


def listed(wanted: Wanted, viewer: User, size: int) -> tuple[list[ChangeOrder], bool]:
    """The next change orders the person may see, in the order in which they were made, and whether there are more."""
    query = change_orders.complete().where(_seen_by(viewer), ChangeOrder.id > wanted.after)
    if wanted.statuses:
        query = query.where(ChangeOrder.status.in_(wanted.statuses))
    for column, value in ((Job.key, wanted.job), (Commitment.key, wanted.commitment), (ChangeOrder.key, wanted.number)):
        query = query.where(column == keys.canonical(value)) if value else query
    found = list(query.order_by(ChangeOrder.id).limit(size + 1))
    shown = change_orders.with_lines(found[:size])
    revisions.show_as_sent(shown, viewer)
    return shown, len(found) > size


def reason(change_order: ChangeOrder) -> str:
    """Why it was sent back, while it is; else an empty text."""
    if change_order.state is not Status.REJECTED:
        return ""
    told = events.latest(change_orders.SUBJECT, [change_order.id], of=(Action.REJECTED,))
    return str(told[change_order.id].facts["reason"])


def _one(condition: Any, viewer: User, *spelled: str) -> ChangeOrder:
    """The first, or of several with one key the one that is `spelled` so: job, commitment, number."""
    exact = [column != keys.plain(text) for column, text in zip((Job.number, Commitment.number, ChangeOrder.number), spelled, strict=False)]
    order = [*exact, Job.twin, Commitment.twin, ChangeOrder.twin]
    found = change_orders.with_lines([change_orders.complete().where(condition, _seen_by(viewer)).order_by(*order).get()])
    revisions.show_as_sent(found, viewer)
    return found[0]


def _seen_by(viewer: User) -> Any:
    """As on the pages: members see all of their jobs, writers what they wrote, who has a level what was sent to accounting."""
    theirs = Job.id.in_(Membership.select(Membership.job).where(Membership.user == viewer)) | (ChangeOrder.created_by == viewer)
    return theirs | ChangeOrder.sent_at.is_null(False) if viewer.may_look else theirs


def _commitment(job: str, number: str, by: User) -> Commitment:
    """The commitment of a job the person is a member of. Raises Commitment.DoesNotExist or NotPermitted."""
    same = Job.key == keys.job(job), Commitment.key == keys.commitment(number)
    order = Job.number != keys.plain(job), Commitment.number != keys.plain(number), Job.twin, Commitment.twin
    found: Commitment = Commitment.select(Commitment, Job, Company).join(Job).join(Company).where(*same).order_by(*order).get()
    if not by.is_member_of(found.job):
        raise NotPermitted(f"{by.name}, for whom the token acts, is not a member of job {job}. Ask an administrator to add them.")
    return found


def _known(commitment: Commitment, number: str) -> ChangeOrder | None:
    found = ChangeOrder.meant(number, commitment=commitment)
    return change_orders.hold(found.id) if found else None
