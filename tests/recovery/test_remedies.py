"""Every remedy of the catalogue, done as it says by somebody who can, ends in Exported: no advice that cannot be followed.

Spectrum is the simulator's own rules, in this process; what it never answers is scripted once, and the next call meets the rules.
"""

from dataclasses import replace
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from portal import clock, db
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.exporting import pausing
from portal.domain.imports import matching
from portal.domain.imports.entries import Entry
from portal.domain.lanes import Lane
from portal.domain.people import Membership
from portal.domain.projects import correct_codes, sending
from portal.domain.recovery import resolutions
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_lists import JOBS, PHASES, VENDORS, Reading, SpectrumJob, SpectrumPhase, SpectrumVendor
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused, Row, catalogue
from tests.conftest import sign_in
from tests.scene import GOOD, LINE

STEPS = {}


def remedy(code, *columns):
    """The function walks the remedies of these entries."""

    def kept(walk):
        STEPS.update({(code, column): walk for column in columns})
        return walk

    return kept


@pytest.mark.parametrize("key", [(one.code, one.column) for one in catalogue.ENTRIES if one.kind != "good"], ids="-".join)
def test_the_remedy_ends_in_exported(scene, key):
    STEPS[key](scene, key)

    assert scene.one.state is Status.EXPORTED


def test_no_remedy_belongs_to_a_cause_that_is_none():
    assert set(STEPS) == {(one.code, one.column) for one in catalogue.ENTRIES if one.kind != "good"}


def refused(key):
    code, column = key
    return Refused("Refused.", http=200, rows=[Row(code, "No", "Something_New" if column == catalogue.ANY else column)])


# Stopped by the portal's own checks


@remedy("check", "company", "settings")
def choose_the_settings(scene, key):
    Company.update(**({"code": ""} if key[1] == "company" else {"sub_status": ""})).execute()
    scene.blocked_at_accept()

    scene.settings()
    scene.accept()
    scene.turn()


@remedy("check", "executed")
def choose_proposed(scene, key):
    Company.update(sub_status="E").execute()
    scene.blocked_at_accept()

    scene.settings(sub_status="P")
    scene.accept()
    scene.turn()


@remedy("check", "job")
def import_under_the_job_number(scene, key):
    Job.update(number="", key="").execute()
    scene.blocked_at_send()

    entry = Entry("line 1", GOOD, "24-117", "SC-014", vendor_code="VOLTCO", subcontract="SC-014", customer="NORTHSIDE", job_name="Tower")
    with db.transaction():
        held = matching.MasterData(scene.one.company, scene.eve).commitment(entry)
        Membership.create(user=scene.dee, job=held.job)
        scene.id = sending.create(held, scene.dee, GOOD).id
    scene.through()


@remedy("check", "job missing", "contract")
def set_up_the_job(scene, key):
    row = {"number": "24-117", "customer": "NORTHSIDE", "contract": ""} if key[1] == "contract" else {}
    scene.listed(JOBS, SpectrumJob, **row)
    scene.blocked_at_send()

    scene.listed(JOBS, SpectrumJob, number="24-117", customer="NORTHSIDE", contract="24-117")
    scene.through()


@remedy("check", "phase", "phase complete")
def set_up_the_phase(scene, key):
    row = {"job": "24-117", "phase": "162000", "cost_type": "SUB"}
    scene.listed(PHASES, SpectrumPhase, "24-117", **(row | {"status": "C"} if key[1] == "phase complete" else {}))
    Reading.create(company=scene.one.company, listing="complete phases", job="24-117", refresh=1, read_at=clock.now(), complete=True)
    scene.blocked_at_send()

    scene.listed(PHASES, SpectrumPhase, "24-117", **row, status="A")
    scene.through()


@remedy("check", "vendor inactive")
def make_the_vendor_active(scene, key):
    scene.listed(VENDORS, SpectrumVendor)
    scene.blocked_at_send()

    scene.listed(VENDORS, SpectrumVendor, code="VOLTCO")
    scene.through()


CODES_SET = {  # the entry -> where its code stands, the kind of the code, and the right one
    "customer": (Job, "customer", "customer", "NORTHSIDE"),
    "vendor": (Vendor, "code", "vendor_code", "VOLTCO"),
    "subcontract": (Commitment, "subcontract", "subcontract", "SC-014"),
    "number too long": (
        Commitment,
        "subcontract",
        "subcontract",
        "SC-014",
    ),  # nothing longer than Spectrum's 10 characters is taken for one
}


@remedy("check", *CODES_SET)
def set_the_code(scene, key):
    table, column, kind, right = CODES_SET[key[1]]
    table.update(**{column: ""}).execute()
    scene.blocked_at_send()

    scene.correct(kind, right)
    scene.through()


@remedy("check", "purchase order")
def say_that_it_is_a_subcontract(scene, key):
    Commitment.update(kind="purchase order").execute()
    scene.blocked_at_send()

    correct_codes.say_subcontract(Commitment.get(), False, True, scene.eve)
    scene.through()


@remedy("check", "number")
def pick_another_number(scene, key):
    scene.other("077", "X-1")
    scene.send()
    with pytest.raises(Blocked):
        scene.accept(number="X-1")

    scene.accept(number="X-2")
    scene.turn()


FAULTS = {
    "text": {"description": "\u4e2d"},
    "cost type": {"lines": [replace(LINE, cost_type="SUBX")]},
    "quantity": {"lines": [replace(LINE, quantity=Decimal("1.234"))]},
    "amount": {"lines": [replace(LINE, amount=Decimal("99999999999.00"))]},
    "repeated pair": {"lines": [LINE, LINE]},
    "total": {"amount": Decimal("1.00")},
    "zero": {"lines": [replace(LINE, amount=Decimal("0.00"))]},
}


@remedy("check", *FAULTS)
def correct_it_and_send_it(scene, key):
    scene.edit(**FAULTS[key[1]])
    scene.blocked_at_send()

    scene.edit()
    scene.through()


@remedy("check", "bid item")
def give_the_line_its_bid_item(scene, key):
    Commitment.update(unit_price=True).execute()
    scene.blocked_at_send()

    scene.edit(lines=[replace(LINE, bid_item="7")])
    scene.through()


@remedy("check", "outdated")
def review_it_as_it_is_now(scene, key):
    scene.send()
    scene.accept()
    scene.settings(cost_reimbursable="Y")
    scene.turn()
    assert scene.one.state is Status.FAILED

    scene.review()


@remedy("check", "outdated in part")
def have_the_old_value_set_back(scene, key):
    scene.edit(lines=[LINE, replace(LINE, phase_code="03-3000")])
    scene.send()
    scene.accept()
    stored, scene.call = scene.call, lambda elements, guid: later(elements, guid)

    def later(elements, guid):
        if elements["CR_Phase_Code"] == "033000":
            raise NotSent("Out of reach.")
        return stored(elements, guid)

    scene.turn()
    scene.settings(cost_reimbursable="Y")
    scene.call = stored
    scene.turn()
    assert scene.one.state is Status.FAILED

    scene.settings()
    scene.retry()


# Nothing was sent, or Spectrum refused us


@remedy("connect", *(one.column for one in catalogue.ENTRIES if one.code == "connect"))
def it_is_tried_again_by_itself(scene, key):
    scene.answers = [NotSent("Not reached.", cause=key[1])]
    scene.through()
    assert scene.one.state is Status.QUEUED

    scene.turn()


@remedy("A", catalogue.ANY)
def make_the_id_active(scene, key):
    scene.master.authorization_ids["PORTALTEST"].active = False
    scene.fail()

    scene.master.authorization_ids["PORTALTEST"].active = True
    pausing.resume(scene.one.company.lane, scene.eve)
    scene.retry()


@remedy("A", "client_secret", "GUID")
@remedy("E", "GUID", catalogue.ANY)
@remedy("http", "401", "403")
def let_us_in_again(scene, key):
    scene.fail(Refused("Refused.", http=int(key[1])) if key[0] == "http" else refused(key))

    if Lane.is_paused(scene.one.company.lane):
        pausing.resume(scene.one.company.lane, scene.eve)
    scene.retry()


# Spectrum refused the record


TAKEN_OUT = {"Job_Number": ("jobs", ("ABC", "24-117")), "CR_Phase_Code": ("phases", ("ABC", "24-117", "162000", "SUB"))}


@remedy("I", *TAKEN_OUT)
def set_it_up_in_spectrum(scene, key):
    kind, code = TAKEN_OUT[key[1]]
    table = getattr(scene.master, kind)
    there = table.pop(code)
    scene.fail()

    table[code] = there
    scene.retry()


@remedy("I", "Sub_Change_Order_Date")
def open_the_period(scene, key):
    company = scene.master.companies["ABC"]
    company.ar_period, wide = ("01/01/2000", "01/31/2000"), company.ar_period
    scene.fail()

    company.ar_period = wide
    scene.retry()


@remedy("I", "CR_Cost_Type")
@remedy("M", "CR_Phase_Code", "CR_Cost_Type")
def have_the_line_corrected(scene, key):
    scene.edit(lines=[replace(LINE, phase_code="99-9999")])
    scene.fail(refused(key))

    scene.send_back(lines=[LINE])


@remedy("I", "Sub_Bid_Item_Code")
def have_the_bid_item_given(scene, key):
    subcontract = scene.master.subcontracts["ABC", "SC-014"]
    subcontract.unit_price, subcontract.bid_items = True, ["7"]
    scene.fail()

    scene.send_back(lines=[replace(LINE, bid_item="7")])


CODES_REFUSED = {  # the element -> where its code stands, what stands there, the kind of the code, and the right one
    "Customer_Code": (Job, {"customer": "WRONG"}, "customer", "NORTHSIDE"),
    "Subcontract_Number": (Commitment, {"subcontract": "SC-999"}, "subcontract", "SC-014"),
    "Subcontractor_Code": (Vendor, {"code": "WRONG"}, "vendor_code", "VOLTCO"),
}


@remedy("I", *CODES_REFUSED)
def correct_the_code(scene, key):
    table, wrong, kind, right = CODES_REFUSED[key[1]]
    table.update(**wrong).execute()
    scene.fail(*([refused(key)] if table is Vendor else []))  # the simulator names another element for a vendor it does not know

    scene.correct(kind, right)
    scene.review()


WRONG = {
    "Company_Code": {"code": "XYZ"},
    "CR_Status": {"cr_status": "ZZ"},
    "Cost_Reimbursable_Flag": {"cr_status": "AP"},
    "Sub_Status": {"sub_status": "R"},
    "Sub_Change_Order_Number": {"sub_status": "R"},
}


@remedy("I", *WRONG)
@remedy("M", "CR_Status", "Sub_Status", "Sub_Change_Order_Number")
def choose_another_setting(scene, key):
    Company.update(**WRONG[key[1]]).execute()
    scene.fail(refused(key))

    scene.settings()
    scene.review()


@remedy("I", "Change_Request_Number", "Origination_Date", "Approved_Date", "GL_Account", catalogue.ANY)
@remedy("M", catalogue.ANY)
def correct_it_in_spectrum(scene, key):
    scene.fail(refused(key))

    scene.retry()


# Nobody knows


@remedy("answer", *(one.column for one in catalogue.ENTRIES if one.code == "answer"))
def look_and_say(scene, key):
    scene.answers = [OutcomeUnknown("No usable answer.", cause=key[1])]
    scene.through()
    assert scene.one.state is Status.UNKNOWN

    resolutions.mark_present(scene.id, scene.ana, scene.one.version, "S014-001", "Looked in AR, change requests.")


def test_what_may_have_been_sent_and_is_not_there_goes_out_by_retry(scene, clock):
    scene.answers = [OutcomeUnknown("No usable answer.", cause="timeout")]
    scene.through()
    clock.tick(minutes=16)

    resolutions.mark_absent(scene.id, scene.ana, scene.one.version, "Looked in AR, change requests.")
    scene.retry()

    assert scene.one.state is Status.EXPORTED
    assert ChangeOrder.select().count() == 1


def test_retry_says_that_it_sends_the_lines_as_they_were_accepted(client, ana, make_change_order):
    failed = make_change_order("failed")

    row = BeautifulSoup(sign_in(client, ana).get("/change-orders?view=failed").text, "html.parser").find(id=f"change-order-{failed.id}")

    button = row.find("button", string="Retry")
    assert (
        row.find(id=button["aria-describedby"].split()[-1]).get_text()
        == "Retry sends the lines as they were accepted, with nothing changed."
    )


def test_what_is_not_approved_on_the_project_is_approved_there_and_brought_again(scene):
    scene.edit(project_status="Pending")
    scene.blocked_at_send()

    scene.edit(project_status="Approved")  # as a file or the REST interface says it
    scene.through()

    assert scene.one.state is Status.EXPORTED
