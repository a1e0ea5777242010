"""Who and what the tests are about: Ana approves, Lee too, Ben only looks, Dee sends, Eve is Admin, Sam is support."""

from decimal import Decimal

import pytest

from portal import db
from portal.background import tasks
from portal.domain import companies, outbox, people
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting import send
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import Level, Membership, User
from portal.domain.projects import sending
from portal.domain.review import decisions, signature
from portal.domain.wording import Wording
from portal.spectrum.records import OutcomeUnknown, Receipt, Refused, Row
from tests.conftest import PASSWORD

LINES = (("16-2000", "SUB", "4250.00"),)
ANSWERS = {
    Status.EXPORTED: Receipt(200),
    Status.FAILED: Refused("Refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")], answer="<x/>"),
    Status.UNKNOWN: OutcomeUnknown("No answer.", http=None),
}


@pytest.fixture(scope="session")
def password_hash(quick):
    return people.hasher.hash(PASSWORD)


@pytest.fixture
def make_user(database, password_hash):
    """A person by name; the address is the first name's. `level`, `can_push`, `active` as wanted."""

    def make(name, email="", **rights):
        handle = name.replace(" ", ".") if name.startswith("Approver") else name.split()[0]
        email = email or f"{handle.lower()}@example.test"
        return User.create(name=name, email=email, handle=people.handle_of(email), password=password_hash, **rights)

    return make


@pytest.fixture
def ana(make_user):
    """An approver."""
    return make_user("Ana Ortiz", level=Level.STANDARD, can_push=True)


@pytest.fixture
def lee(make_user):
    """Another approver."""
    return make_user("Lee Nakamura", level=Level.STANDARD, can_push=True)


@pytest.fixture
def ben(make_user):
    """Only looks."""
    return make_user("Ben Okafor", level=Level.READ_ONLY)


@pytest.fixture
def dee(make_user, job):
    """Sends: a member of the job without a level."""
    person = make_user("Dee Sørensen")
    Membership.create(user=person, job=job)
    return person


@pytest.fixture
def eve(make_user):
    """Admin, without the privilege."""
    return make_user("Eve Laurent", level=Level.ADMIN)


@pytest.fixture
def ada(make_user):
    """An administrator with the privilege."""
    return make_user("Ada Quist", level=Level.ADMIN, can_push=True)


@pytest.fixture
def sam(make_user):
    """Support: Standard without the privilege."""
    return make_user("Sam Ito", level=Level.STANDARD)


@pytest.fixture
def company(database):
    """The company, with all that exporting needs."""
    company = companies.current()
    company.name, company.code, company.cr_status, company.cost_reimbursable, company.sub_status = "Harbor Builders", "ABC", "CR", "N", "P"
    company.export_delay = 0
    company.save()
    return company


@pytest.fixture
def job(company):
    return Job.create(company=company, number="24-117", name="Harbor Tower", customer="NORTHSIDE")


@pytest.fixture
def vendor(company):
    return Vendor.create(company=company, name="Volt Electric Co", code="VOLTCO")


@pytest.fixture
def commitment(job, vendor):
    return Commitment.create(job=job, vendor=vendor, number="SC-014", title="Electrical", subcontract="SC-014")


@pytest.fixture
def make_change_order(commitment, dee, request):
    """A change order of Dee's in the wanted state, brought there as people and worker would; lines are (phase, cost type, amount)."""

    def make(status="ready", lines=LINES, number="", title="Relocate duct bank", description="", commitment=commitment):
        number = number or f"{ChangeOrder.select().count() + 1:03}"
        written = [sending.LineDraft(phase, cost_type, amount if amount is None else Decimal(amount)) for phase, cost_type, amount in lines]
        with db.transaction():
            draft = sending.create(commitment, dee, sending.Draft(number, title, description, written))
        bring(draft.id, Status(status), dee, request)
        return load(draft.id)

    return make


@pytest.fixture
def change_order(make_change_order):
    """One that is ready."""
    return make_change_order()


def bring(id, status, dee, request):
    """From draft to the state."""
    if status in (Status.DRAFT, Status.VOID):
        return status is Status.VOID and load(id).move(Status.VOID, load(id).version)
    sent = sending.send(id, by=dee, version=load(id).version)
    if status is Status.READY:
        return None
    if status is Status.RETRIEVED:
        return sent.move(Status.RETRIEVED, sent.version)
    ana = request.getfixturevalue("ana")
    if status is Status.REJECTED:
        return decisions.reject(id, by=ana, version=sent.version, reason="Wrong cost type on line 1")
    accepted = signed(id, by=ana, version=sent.version)
    if status is Status.EXPORTING:
        return accepted.move(Status.EXPORTING, accepted.version)
    return status is Status.QUEUED or export(accepted, ANSWERS[status])


def export(change_order, answer):
    """The worker's turn, with a Spectrum that gives this answer to every line."""

    def call(elements, guid):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    claim = Lane.take(change_order.company.lane, tasks.LEASE)
    send.step(Dispatch.get(Dispatch.subject == change_order.export, Dispatch.task == outbox.Task.EXPORT), claim, call)
    Lane.release(change_order.company.lane, claim)


def signed(id, by, version, removed=False, **typed):
    """Accept, by somebody who has just seen all of it as it is now, in the wording they typed."""
    return decisions.accept(id, by, version, signature.marks(load(id)), Wording(**typed), removed)


def seen(change_order, **typed):
    """The fields of the Accept form of somebody who has just opened it; `change_order` in the version they saw."""
    return {"version": change_order.version, "seen": signature.carried(signature.marks(load(change_order.id)))} | typed
