"""Every finding that blocks says what to do, and doing it as it says ends in Exported: no advice that cannot be followed."""

import ast
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from portal import clock, db
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.imports import matching
from portal.domain.imports.entries import Entry
from portal.domain.people import Membership
from portal.domain.projects import confirm_distinct, correct_codes, sending
from portal.domain.rules import checks, duplicates
from portal.domain.rules.findings import Blocked, blocking
from portal.domain.rules.spectrum_lists import COMPLETE_PHASES, JOBS, PHASES, VENDORS, Reading, SpectrumJob, SpectrumPhase, SpectrumVendor
from portal.domain.rules.spectrum_rules import IMPORT_JOB
from portal.domain.rules.text_rules import CORRECT_CODE, SET_CODE
from tests.scene import GOOD, LINE, assert_said

HUGE = Decimal("99999999999.00")
JOB = {"number": "24-117", "customer": "NORTHSIDE", "contract": "24-117"}
PHASE = {"job": "24-117", "phase": "162000", "cost_type": "SUB"}
RULES = [ast.parse(path.read_text(encoding="utf-8")) for path in Path("portal/domain/rules").glob("*.py")]


def of_line(**changes):
    return {"lines": [replace(LINE, **changes)]}


WRITTEN = [  # what the project team corrects on the form: how the finding begins, its fix, and what was written
    ("The title is empty", "Give it a title of 1 to 30 characters.", {"title": ""}),
    ("The title has 31", "Shorten the title.", {"title": "x" * 31}),
    ("The change order is “Pending”", "Approve it in the project system, and bring it from there again.", {"project_status": "Pending"}),
    ("There are no lines", "Add at least one line with cost code, cost type and amount.", {"lines": []}),
    ("Line 1 has no cost type", "Fill it in.", of_line(cost_type="")),
    ("Cost type SUBX", "Use Spectrum's code of the cost type.", of_line(cost_type="SUBX")),
    ("Cost type S/B", "Correct the code.", of_line(cost_type="S/B")),
    ("Bid item", "Correct the code.", of_line(bid_item="7" * 11)),
    ("Cost code 1111", "Shorten it.", of_line(phase_code="1" * 21)),
    ("Cost code “16-2000 -”", "Delete the blank.", of_line(phase_code="16-2000 -")),
    ("Lines 1 and 2 use", "Combine them into one line.", {"lines": [LINE, LINE]}),
    ("The amount on line 1", "Correct the amount.", of_line(amount=HUGE)),
    ("The total has more", "Correct the total.", {"amount": HUGE}),
    ("Quantity", "Correct the quantity or leave it empty.", of_line(quantity=Decimal("1.234"))),
    ("The total of 4,260.00", "State the total without the tax.", {"amount": Decimal("4260.00"), "tax": Decimal("10.00")}),
    ("The lines add up", "Correct the lines or the total.", {"amount": Decimal("1.00")}),
    ("The change order states a tax", "Leave the tax out, or have an administrator allow it", {"tax": Decimal("10.00")}),
    ("The amounts are in CAD", "State the change order in USD.", {"currency": "CAD"}),
    ("All lines are zero", "Enter the amounts or void the change order.", of_line(amount=Decimal("0.00"))),
    ("The description contains control", "Delete them; they often come with copied text.", {"description": "a\x07b"}),
    ("The title contains characters", "Replace them.", {"title": "\u4e2d"}),
]


@pytest.mark.parametrize(("begins", "fix", "changes"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_what_the_project_team_corrects_goes_out(scene, begins, fix, changes):
    scene.edit(**changes)
    assert_said(checks.at_send(scene.one), begins, fix)
    scene.blocked_at_send()

    scene.edit(project_status="Approved")
    goes_out(scene)


ON_PAGE, CORRECTED = SET_CODE, CORRECT_CODE


def bid_item(scene):
    scene.edit(lines=[replace(LINE, bid_item="7")])


def give_vendor(scene):
    correct_codes.give_vendor(Commitment.get(), None, Vendor.get().id, "", "", scene.eve)


def say_subcontract(scene):
    correct_codes.say_subcontract(Commitment.get(), False, True, scene.eve)


def bring_under_the_job(scene):
    entry = Entry("line 1", GOOD, "24-117", "SC-014", vendor_code="VOLTCO", subcontract="SC-014", customer="NORTHSIDE", job_name="Tower")
    with db.transaction():
        held = matching.MasterData(scene.one.company, scene.eve).commitment(entry)
        Membership.create(user=scene.dee, job=held.job)
        scene.id = sending.create(held, scene.dee, GOOD).id


def code(kind, right):
    return lambda scene: scene.correct(kind, right)


STANDS = [  # what was filled in on the commitment, its job and its vendor: the finding, its fix, what stands there, and the fix done
    (
        "Spectrum takes change orders",
        "Enter the order in Spectrum as a subcontract and",
        Commitment,
        {"kind": "purchase order"},
        say_subcontract,
    ),
    ("Commitment SC-014 has no Spectrum", ON_PAGE, Commitment, {"subcontract": ""}, code("subcontract", "SC-014")),
    ("Subcontract number", CORRECTED, Commitment, {"subcontract": "SC-01400000"}, code("subcontract", "SC-014")),
    ("Subcontract number", CORRECTED, Commitment, {"subcontract": "SC/014"}, code("subcontract", "SC-014")),
    ("Commitment SC-014 has no vendor", ON_PAGE, Commitment, {"vendor": None}, give_vendor),
    ("Line 1 needs a subcontract bid item", "Fill in its bid item.", Commitment, {"unit_price": True}, bid_item),
    ("Vendor Volt Electric Co has no", ON_PAGE, Vendor, {"code": ""}, code("vendor_code", "VOLTCO")),
    ("Vendor code", CORRECTED, Vendor, {"code": "VOLTCO 12345"}, code("vendor_code", "VOLTCO")),
    ("Job 24-117 has no customer", ON_PAGE, Job, {"customer": ""}, code("customer", "NORTHSIDE")),
    ("Customer code", CORRECTED, Job, {"customer": "NORTHSIDE/1"}, code("customer", "NORTHSIDE")),
    ("Project Harbor Tower has no", IMPORT_JOB, Job, {"number": "", "key": ""}, bring_under_the_job),
    ("Job number 24-117-00001", IMPORT_JOB, Job, {"number": "24-117-00001", "key": "24-117-00001"}, bring_under_the_job),
]


@pytest.mark.parametrize(("begins", "fix", "table", "was", "follow"), STANDS, ids=[row[0] for row in STANDS])
def test_what_is_set_on_the_commitment_its_job_or_vendor_goes_out(scene, begins, fix, table, was, follow):
    table.update(**was).execute()
    assert_said(checks.at_send(scene.one), begins, fix)
    scene.blocked_at_send()

    follow(scene)
    goes_out(scene)


LISTED = [  # what Spectrum's lists say: the finding, its fix, the list, what stands there, and what stands there then
    ("Job 24-117 was not found", "Set the job up in Spectrum under this number", JOBS, SpectrumJob, {}, JOB),
    ("Job 24-117 has no contract", "Set up the contract first.", JOBS, SpectrumJob, JOB | {"contract": ""}, JOB),
    ("Job 24-117 has no customer", "Set it there.", JOBS, SpectrumJob, JOB | {"customer": ""}, JOB),
    ("Vendor Volt Electric Co is not active", "Make vendor code VOLTCO active there", VENDORS, SpectrumVendor, {}, {"code": "VOLTCO"}),
    ("Phase 16-2000 is Complete", "Open it in Spectrum", PHASES, SpectrumPhase, PHASE | {"status": "C"}, PHASE | {"status": "A"}),
    ("Phase 16-2000 / cost type SUB does not", "Set it up there", PHASES, SpectrumPhase, {}, PHASE | {"status": "A"}),
]


@pytest.mark.parametrize(("begins", "fix", "listing", "table", "was", "then"), LISTED, ids=[row[0] for row in LISTED])
def test_what_is_set_up_in_spectrum_goes_out(scene, begins, fix, listing, table, was, then):
    of = "24-117" if listing == PHASES else ""
    scene.listed(listing, table, of, **was)
    if of:
        Reading.create(company=scene.one.company, listing=COMPLETE_PHASES, job=of, refresh=1, read_at=clock.now(), complete=True)
    assert_said(checks.at_send(scene.one), begins, fix)
    scene.blocked_at_send()

    scene.listed(listing, table, of, **then)
    goes_out(scene)


NUMBERS = [
    ("Commitment SC-014 already has a CCO 002", "Choose another number.", "002"),
    ("The CCO number needs", "Give it a number that is unique in the commitment.", ""),
    ("The CCO number contains", "Delete it.", "0\u200b03"),
]


@pytest.mark.parametrize(("begins", "fix", "number"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_another_number_than_one_that_cannot_be_saved_goes_out(scene, begins, fix, number):
    with db.transaction():
        sending.create(scene.commitment, scene.dee, replace(GOOD, number="002"))
    with pytest.raises(Blocked) as blocked:
        scene.edit(number=number)
    assert_said(blocked.value.findings, begins, fix)

    scene.edit(number="003")
    goes_out(scene)


def test_what_looks_alike_is_told_apart(scene):
    with db.transaction():
        other = sending.create(scene.commitment, scene.dee, replace(GOOD, number="1"))
    assert_said(checks.at_send(scene.one), "CCO 001 looks like 1", "Correct the number, or say on the page of the change order")
    scene.blocked_at_send()

    confirm_distinct.tell_apart(scene.id, scene.dee, duplicates.CHANGE_ORDER, other.id)
    goes_out(scene)


def test_each_fix_of_a_blocking_finding_is_walked_here():
    walked = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_findings*.py"))
    fixes = {text for call in findings() for text in fixes_of(call)}

    assert [fix for fix in fixes if fix[:14] not in walked] == []


def test_each_blocking_finding_of_a_rule_has_a_fix():
    assert [ast.unparse(call) for call in findings() if len(call.args) < 5 and not any(one.arg == "fix" for one in call.keywords)] == []


def findings():
    """The calls that make a finding that blocks."""
    calls = (node for rules in RULES for node in ast.walk(rules) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding")
    return [call for call in calls if not any(one.arg == "blocking" for one in call.keywords)]


def fixes_of(call):
    """What the fix says, as far as it is written at the call."""
    said = [one.value for one in call.keywords if one.arg == "fix"] + call.args[4:5]
    return [part.value for fix in said for part in ast.walk(fix) if isinstance(part, ast.Constant) and part.value[:1].isupper()]


def goes_out(scene):
    assert blocking(checks.at_send(scene.one)) == []
    scene.through()
    assert scene.one.state is Status.EXPORTED
    assert ChangeOrder.select().where(ChangeOrder.status == Status.EXPORTED).count() == 1
    assert load(scene.id).revision == 1
