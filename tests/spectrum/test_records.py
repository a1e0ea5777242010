"""What a record lets through to Spectrum, and the plain sentence where it does not."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from portal.spectrum.records import (
    FIELDS,
    NUMBER_PATTERN,
    Header,
    Line,
    Row,
    change_request_number,
    describe,
    elements,
    explain,
    failure_class,
    fold,
    shorten,
    unfoldable,
)

HEADER = Header("ABC", "24-117", "NORTHSIDE", "S014-003", "CCO-003: Relocate duct bank", "CR", False, date(2026, 11, 18))
LINE = Line("16-2000", "SUB", Decimal("4250.00"), "VOLTCO", "SC-014", "P", "Relocate duct bank", "Portal CCO 17")


def test_the_table_has_the_56_elements_in_order():
    names = [field.name for field in FIELDS]

    assert len(names) == len(set(names)) == 56
    assert names[:6] == ["Authorization_ID", "GUID", "Company_Code", "Job_Number", "Customer_Code", "Change_Request_Number"]
    assert names[55] == "Default_Billing_Total"


def test_every_number_fits_its_own_width():
    for field in FIELDS:
        if field.kind == "number":
            assert field.width >= field.whole + field.decimals + bool(field.decimals) + field.signed, field.name


def test_a_line_becomes_elements_3_to_56_in_table_order():
    sent = elements(HEADER, LINE)

    assert list(sent) == [field.name for field in FIELDS[2:]]
    assert {name: value for name, value in sent.items() if value} == {
        "Company_Code": "ABC",
        "Job_Number": "24-117",
        "Customer_Code": "NORTHSIDE",
        "Change_Request_Number": "S014-003",
        "CR_Description": "CCO-003: Relocate duct bank",
        "CR_Status": "CR",
        "Cost_Reimbursable_Flag": "N",
        "Origination_Date": "11/18/2026",
        "CR_Phase_Code": "162000",
        "CR_Cost_Type": "SUB",
        "Change_Request_Hours": "0.00",
        "Change_Request_Amount": "4250.00",
        "Subcontractor_Code": "VOLTCO",
        "Subcontract_Number": "SC-014",
        "Sub_Amount": "4250.00",
        "Sub_Status": "P",
        "Sub_Change_Order_Date": "11/18/2026",
        "Sub_Description": "Relocate duct bank",
        "Sub_Comments": "Portal CCO 17",
    }


@pytest.mark.parametrize(
    ("amount", "sent"),
    [("4250", "4250.00"), ("-0.5", "-0.50"), ("-0.00", "0.00"), ("1E+2", "100.00"), ("9999999999.99", "9999999999.99"), ("1.500", "1.50")],
)
def test_an_amount_is_written_with_two_decimals_and_never_rounded(amount, sent):
    assert elements(HEADER, replace(LINE, amount=Decimal(amount)))["Change_Request_Amount"] == sent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"company_code": ""}, "Company code: must not be blank."),
        ({"company_code": "ABCD"}, "Company code: has 4 characters, Spectrum takes 3."),
        ({"job_number": "24/117"}, "Job number: Spectrum does not allow / in it."),
        ({"job_number": "24-117-2026"}, "Job number: has 11 characters, Spectrum takes 10."),
        ({"customer_code": "A&B"}, "Customer code: Spectrum does not allow & in it."),
        ({"customer_code": " NORTH"}, "Customer code: must not begin or end with a blank."),
        ({"change_request_number": ""}, "Change request number: must not be blank."),
        ({"change_request_number": "   "}, "Change request number: must not be blank."),
        ({"change_request_number": "S014-0003"}, "Change request number: has 9 characters, Spectrum takes 8."),
        ({"change_request_number": "s014-003"}, "Change request number: use only A-Z, 0-9 and -."),
        ({"description": ""}, "Description: must not be blank."),
        ({"description": "x" * 251}, "Description: has 251 characters, Spectrum takes 250."),
        ({"description": "Café"}, "Description: contains characters Spectrum cannot store: é"),
        ({"description": "a\nb"}, "Description: contains characters Spectrum cannot store: U+000A"),
        ({"status": ""}, "Change request status: must not be blank."),
        ({"status": "ABC"}, "Change request status: has 3 characters, Spectrum takes 2."),
    ],
)
def test_a_header_says_what_spectrum_could_not_take(change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        replace(HEADER, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phase_code": "--"}, "Phase code: must not be blank."),
        ({"phase_code": "1" * 21}, "Phase code: has 21 characters, Spectrum takes 20."),
        ({"cost_type": ""}, "Cost type: must not be blank."),
        ({"cost_type": "SUBC"}, "Cost type: has 4 characters, Spectrum takes 3."),
        ({"amount": Decimal("1.005")}, "Amount: 1.005 has more than 2 decimals."),
        ({"amount": Decimal("-10000000000")}, "Amount: -10,000,000,000 has more than 10 digits before the point."),
        ({"amount": Decimal("NaN")}, "Amount: NaN is not a number."),
        ({"amount": Decimal("Infinity")}, "Amount: Infinity is not a number."),
        ({"vendor_code": ""}, "Vendor code: must not be blank."),
        ({"vendor_code": "O'BRIEN"}, "Vendor code: Spectrum does not allow ' in it."),
        ({"subcontract_number": ""}, "Subcontract number: must not be blank."),
        ({"subcontract_number": "SC-2024-0014"}, "Subcontract number: has 12 characters, Spectrum takes 10."),
        ({"sub_status": ""}, "Subcontract status: use P (proposed), E (executed) or R (rejected)."),
        ({"sub_status": "E"}, "Spectrum needs an existing subcontract change order number to mark this as executed."),
        ({"description": "x" * 31}, "Subcontract description: has 31 characters, Spectrum takes 30."),
        ({"comments": "x" * 251}, "Subcontract comments: has 251 characters, Spectrum takes 250."),
        ({"quantity": Decimal("10000000")}, "Quantity: 10,000,000 has more than 7 digits before the point."),
        ({"quantity": Decimal("0.001")}, "Quantity: 0.001 has more than 2 decimals."),
        ({"bid_group": "ABC"}, "Subcontract bid group: has 3 characters, Spectrum takes 2."),
        ({"bid_group": "AB", "bid_item": "123456789"}, "Subcontract bid group and item: Spectrum takes at most 10 characters together."),
    ],
)
def test_a_line_says_what_spectrum_could_not_take(change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        replace(LINE, **change)


def test_dashes_of_a_phase_do_not_count():
    assert replace(LINE, phase_code="-".join("1" * 20)).phase_code.count("1") == 20


def test_an_executed_line_carries_its_change_order_number():
    sent = elements(HEADER, replace(LINE, sub_status="E", sub_change_order_number="12", quantity=Decimal("-3.5"), bid_item="7"))

    assert (sent["Sub_Status"], sent["Sub_Change_Order_Number"]) == ("E", "12")
    assert (sent["Change_Request_Quantity"], sent["Sub_Bid_Item_Code"]) == ("-3.50", "7")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café  Löwe\tStraße", "Cafe Lowe Strasse"),
        ("Łódź Øresund Đakovo", "Lodz Oresund Dakovo"),
        ("“Don’t” – it’s… ‘ok’ — now", "\"Don't\" - it's... 'ok' - now"),
        ("Conduit 1½″ × 20′", "Conduit 1 1/2\" x 20'"),
        ("10² m²", "10^2 m2"),
        ("e\u0301te\u0301", "ete"),
        ("soft\u00adhyphen \ufeffmark\u00a0here", "softhyphen mark here"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "Full width"),
        ("ﬁnish Ĳ Ǆ", "finish IJ DZ"),
    ],
)
def test_text_is_folded_to_ascii(text, folded):
    assert fold(text) == folded
    assert unfoldable(text) == ""


def test_what_cannot_be_folded_is_named():
    assert unfoldable("Дом 東 Дx\x07") == "Дом東\x07"
    with pytest.raises(ValueError, match="cannot store: 東 U\\+0007"):
        fold("東\x07")


def test_shortening_cuts_at_a_word():
    assert shorten("Relocate duct bank at grid C4, phase two", 30) == "Relocate duct bank at grid C4"
    assert shorten("Relocate duct bank at grid C4a", 30) == "Relocate duct bank at grid C4a"
    assert shorten("x" * 40, 30) == "x" * 30
    assert shorten("A " + "x" * 40, 30) == "A " + "x" * 28


def test_a_description_holds_number_title_and_description():
    assert describe("CCO-003", "Relocate  duct bank", "Grid C4\nper RFI 12") == "CCO-003: Relocate duct bank - Grid C4 per RFI 12"
    assert describe("CCO-003", "Relocate duct bank", " ") == "CCO-003: Relocate duct bank"
    assert len(describe("CCO-003", "Title", "word " * 100)) <= 250


@pytest.mark.parametrize(
    ("commitment", "cco", "number"),
    [
        ("SC-014", "CCO-003", "S014-003"),
        ("SC-2024-117", "3", "S117-003"),
        ("sc-9b", "#12", "S09B-012"),
        ("", "", "S000-000"),
        ("SC-é", "CCO-1", "S000-001"),
    ],
)
def test_the_proposed_number_is_made_of_the_last_characters(commitment, cco, number):
    assert change_request_number(commitment, cco) == number
    assert NUMBER_PATTERN.fullmatch(number)


def test_an_order_kept_as_a_subcontract_gets_a_p():
    assert change_request_number("PO-0207", "CCO-011", kind_is_purchase_order=True) == "P207-011"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            ("M", "Sub_Status", "Sub_Status must be supplied"),
            "A change with a subcontract needs a subcontract status. Spectrum said: “Sub_Status must be supplied”.",
        ),
        (("A", "Authorization_ID", "not set up"), "Spectrum rejected the portal's sign-in. The Authorization ID may be inactive,"),
        (("E", "", "The web service is not Authorized"), "Spectrum rejected the portal's sign-in."),
        (("A", "GUID", "Time out has occurred"), "Spectrum no longer knows this session."),
        (("I", "Elsewhere", ""), "Spectrum did not accept Elsewhere. Spectrum gave no reason."),
        (
            ("I", "GL_Account", "GL Account is not valid"),
            "No G/L account for this job, phase and cost type. Spectrum said: “GL Account is not valid”.",
        ),
        (("Q", "", "odd"), "Spectrum answered with a code the portal does not know (Q): odd."),
        (("", "", ""), "Spectrum answered with a code the portal does not know (blank): no reason given."),
    ],
)
def test_an_answer_is_explained_to_a_clerk(row, sentence):
    assert explain(*row).startswith(sentence)


def test_a_closed_period_is_hinted_at():
    assert explain("I", "Origination_Date", "is invalid").startswith("The accounting period of that date may be closed in Spectrum.")


def test_a_refusal_tells_access_from_data():
    assert failure_class([Row("I", "", "CR_Status")]) == "data"
    assert failure_class([Row("I", "", "CR_Status"), Row("A", "", "Authorization_ID")]) == "access"
    assert failure_class([], 401) == "access"
    assert failure_class([], 403) == "access"
    assert failure_class([Row("M", "", "CR_Status")], 200) == "data"
