"""A town to attack: people of every kind, a change order in every state, and one thing of everything else that has an address."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from portal import addin_workbook, db
from portal.background import tasks
from portal.domain import companies
from portal.domain.accounts import api_tokens, password_links, request_privilege
from portal.domain.change_orders import Status, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.exporting import pausing
from portal.domain.imports import uploads
from portal.domain.people import Membership
from portal.domain.projects import sending
from portal.domain.recovery import workbook
from portal.domain.settings import connection_tests, refresh_lists, resend_check
from tests.attacks.catalogue import CANARY
from tests.import_files import text_of

DRAFT, DESCRIPTION = "Toms draft of the north pier", "RFI 7 of the harbor master"


@pytest.fixture(autouse=True)
def clock(clock):
    """Time stands still on a Monday morning: the same requests get the same answers every day."""
    clock.set(datetime(2026, 11, 23, 15, tzinfo=UTC))
    return clock


@pytest.fixture
def tom(make_user, company):
    """Sends on another job and has no level."""
    job = Job.create(company=company, number="25-001", name="Pier Nine", customer="PORT")
    vendor = Vendor.create(company=company, name="Ölmann & Söhne", code="OLMANN")
    Commitment.create(job=job, vendor=vendor, number="PO-001", title="Paint", kind="purchase order", subcontract="PO-001")
    person = make_user("Tom Adler")
    Membership.create(user=person, job=job)
    return person


@pytest.fixture
def ivy(make_user):
    """Somebody without level and without a job."""
    return make_user("Ivy Novak")


@pytest.fixture
def toms_draft(clock, tom):
    """A draft that only Tom may see."""
    with db.transaction():
        return sending.create(Commitment.get(number="PO-001"), tom, sending.Draft("001", DRAFT, DESCRIPTION, []))


@pytest.fixture
def orders(clock, make_change_order, dee, ana, ada):
    """A change order of Dee's job in each state, by its state; `revised` waits for the second time, `left` is in a workbook."""
    made = {"left": make_change_order("queued", title="Left as a workbook")}
    workbook.leave(ada, addin_workbook.write)
    made |= {status: make_change_order(status, title=f"Is {status}") for status in Status}
    revised = make_change_order("rejected", title="Was sent back")
    words = sending.Draft(revised.number, "Was corrected", "", [sending.LineDraft("16-2000", "SUB", revised.amount)])
    sending.edit(revised.id, dee, load(revised.id).version, words)
    sending.send(revised.id, dee, load(revised.id).version)
    return {name: load(one.id) for name, one in (made | {"revised": revised}).items()}


@pytest.fixture
def town(app, clock, orders, toms_draft, ana, lee, ben, dee, eve, ada, sam, tom, ivy):
    """All of it, and no time passing. `people` by their first names; `tokens` are those of three systems, by scope."""
    Company.update(test_company=True, look_rules="finding credit").execute()
    resend_check.ask(orders[Status.EXPORTED].id, ada, companies.current().code)
    connection_tests.ask(eve)
    refresh_lists.ask(eve)
    uploads.receive("good.csv", text_of({"cco_number": "901"}).encode(), dee)
    uploads.receive("bad.csv", text_of({"amount": "=1+1"}).encode(), dee)
    with app.app_context():
        tasks.drain(uploads.LANE)
    uploads.receive("unread.csv", text_of({"cco_number": "902"}).encode(), dee)
    made = {scope: api_tokens.make(f"A system that may {scope}", dee.id, {scope}, None, ada)[1] for scope in ("read", "write", "send")}
    pausing.pause(companies.current().lane, eve, "month-end close")
    request_privilege.ask(sam, f"I approve {CANARY} from Monday")
    people = {"ana": ana, "lee": lee, "ben": ben, "dee": dee, "eve": eve, "ada": ada, "sam": sam, "tom": tom, "ivy": ivy}
    return SimpleNamespace(people=people, orders=orders, tokens=made, draft=toms_draft, link=password_links.make(tom))
