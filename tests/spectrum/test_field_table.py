"""Trimble's field table, written down a second time, row by row, and held against the simulator by a stock SOAP client.

Nothing here comes from the portal's own table, so a slip in one of them shows.
"""

from decimal import Decimal

import pytest
import zeep
from lxml import etree

from portal.spectrum.fields import FIELDS

# name, required (R), kind, max, format of a number
TABLE = """
Authorization_ID R text 20
GUID - text 36
Company_Code R text 3
Job_Number R text 10
Customer_Code R text 10
Change_Request_Number - text 8
CR_Description - text 250
CR_Status - text 2
Cost_Reimbursable_Flag - text 1
Origination_Date - date 10
Approved_Date - date 10
Fee_Percent - num 7 -3.2
Fee_Amount - num 12 -8.2
CR_Phase_Code - text 20
CR_Cost_Type - text 3
Change_Request_Quantity - num 11 -7.2
Change_Request_Hours R num 10 -6.2
Change_Request_Amount R num 14 -10.2
Subcontractor_Code R text 10
Subcontract_Number - text 10
Sub_Amount - num 14 -10.2
Sub_Bid_Group_Item_Code - text 2
Sub_Bid_Item_Code - text 11
Sub_Status - text 1
Sub_Change_Order_Number - text 8
Sub_Change_Order_Date - date 10
Sub_Signed_Date - date 10
Sub_Description - text 30
Sub_Type - text 15
Sub_Proposal_Date - date 10
Sub_Sent_Date - date 10
Sub_Due_Date - date 10
Sub_Comments - text 250
Markup_Cost_Type - text 3
Markup_Percent - num 6 3.2
Markup_Amount - num 14 -10.2
Pricing_Addon_Code - text 10
Pricing_Addon_MU_Percent - num 6 3.2
Pricing_Addon_MU_Amount - num 14 -10.2
Pricing_Addon_Phase - text 20
Pricing_Addon_Cost_Type - text 3
CR_Billing_Group_Code - text 2
CR_Billing_Item_Code - text 11
CR_Billing_Item_Description - text 30
CR_Additional_Description - text 40
CR_Unit_Price - num 11 -5.4
CR_Quantity - num 11 -7.2
CR_Revenue - num 14 -10.2
Proceed_Submitted_Date - date 10
Proceed_Received_Date - date 10
Rough_Estimate - num 12 -8.2
Quotation_Submitted_Date - date 10
Quotation_Due_Date - date 10
Requested_Days - num 4 -3.0
Approved_Days - num 4 -3.0
Default_Billing_Total - text 1
"""
ROWS = [row.split() for row in TABLE.split("\n") if row]
NUMBERS = [(name, int(width), form) for name, _, kind, width, *form in ROWS if kind == "num" for form in form]
DATES = [name for name, _, kind, *_ in ROWS if kind == "date"]
TEXTS = [(name, int(width)) for name, _, kind, width in (row[:4] for row in ROWS) if kind == "text"]
MASK = "is invalid, value does not match specified field mask"

#: Texts that the service looks at: a value of x's is refused for what it says, or decides which record is meant.
JUDGED = {"Authorization_ID", "Company_Code", "Job_Number", "Customer_Code", "CR_Status", "Cost_Reimbursable_Flag", "CR_Phase_Code"}
JUDGED |= {"CR_Cost_Type", "Subcontractor_Code", "Subcontract_Number", "Sub_Status", "Sub_Change_Order_Number"}
#: Kept only on a unit price subcontract.
UNIT_PRICE = {"Sub_Bid_Group_Item_Code", "Sub_Bid_Item_Code"}
#: What else has to be given for an element to be kept.
WITH = {
    "Markup_Cost_Type": {"Markup_Percent": "1"},
    "Pricing_Addon_Phase": {"Pricing_Addon_Code": "FEE"},
    "Pricing_Addon_Cost_Type": {"Pricing_Addon_Code": "FEE"},
    "CR_Billing_Item_Description": {"CR_Billing_Item_Code": "10"},
    "CR_Additional_Description": {"CR_Billing_Item_Code": "10"},
}


@pytest.fixture(scope="module")
def service(simulator_process):
    settings = zeep.Settings(raw_response=True, strict=True)
    return zeep.Client(f"{simulator_process.url}/wsdls/ARChangeRequest.jws", settings=settings).service


@pytest.fixture
def put(simulator, service, record):
    """Call with these changes; gives the rows as (code, column, text)."""

    def call(**changes):
        answer = service.ARChangeRequest(**{"Authorization_ID": "PORTALTEST", "GUID": "", **record(), **changes})
        rows = etree.fromstring(answer.content).iter("response")
        return [(row.findtext("error_code"), row.findtext("column"), row.findtext("desc")) for row in rows]

    return call


def held(simulator):
    """Everything that is stored of the first change request, under the names of its elements."""
    request = simulator.ledger()[0]
    details = [detail for name in ("lines", "billing", "markups", "addons") for detail in request[name]]
    return {name: value for part in (request, *details) for name, value in part.items()}


def test_the_portals_table_says_the_same():
    def form(field):
        return f"{'-' if field.signed else ''}{field.whole}.{field.decimals}" if field.kind == "number" else None

    ours = [(one.name, one.required, one.kind, one.width, form(one)) for one in FIELDS]
    kinds = {"num": "number"}
    theirs = [(row[0], row[1] == "R", kinds.get(row[2], row[2]), int(row[3]), row[4] if len(row) > 4 else None) for row in ROWS]
    assert ours == theirs


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_what_is_required_is_asked_for_and_nothing_else(put, name):
    asked = [(code, column) for code, column, text in put(**{name: ""}) if text == f"{name} must be supplied"]
    required = next(row[1] for row in ROWS if row[0] == name) == "R"

    if name == "Authorization_ID":
        assert [(code, column) for code, column, _ in put(Authorization_ID="")] == [("A", "Authorization_ID")]
    elif required:
        assert asked == [("M", name)]
    else:
        conditional = {"CR_Status", "CR_Phase_Code", "CR_Cost_Type", "Sub_Status"}  # asked for by a rule of the service
        assert bool(asked) is (name in conditional)


@pytest.mark.parametrize(("name", "width", "form"), NUMBERS)
def test_a_number_fits_its_digits_and_its_length(put, name, width, form):
    whole, decimals = (int(part) for part in form.lstrip("-").split("."))
    longest = "9" * whole + ("." + "9" * decimals if decimals else "")
    least = f"-{longest}" if form.startswith("-") else longest

    for value in (longest, least, "0", "1"):
        assert len(value) <= width
        assert (name, MASK) not in [(column, text.removeprefix(f"{name} ")) for _, column, text in put(**{name: value})], value
    for value in (f"9{longest}", f"{longest}9" if decimals else f"{longest}.1", f"{longest[:-1]}x", f"--{longest}", "1-", "1,0"):
        assert ("I", name, f"{name} {MASK}") in put(**{name: value}), value
    if not form.startswith("-"):
        assert put(**{name: "-1"}) == [("I", name, f"{name} {MASK}")]


@pytest.mark.parametrize("name", DATES)
def test_a_date_is_ten_characters_in_american_order(put, name):
    assert not [row for row in put(**{name: "12/31/2026"}) if row[2].endswith(MASK)]
    for value in ("31/12/2026", "2026-12-31", "12/31/26", "1/1/2026", "12.31.2026", "02/29/2026", "12-31/2026"):
        assert ("I", name, f"{name} {MASK}") in put(**{name: value}), value


@pytest.mark.parametrize(("name", "width"), [one for one in TEXTS if one[0] not in JUDGED | UNIT_PRICE | {"GUID"}])
def test_a_text_is_kept_whole_up_to_its_width_and_cut_beyond(simulator, put, name, width):
    around = WITH.get(name, {})
    assert put(**{name: "X" * width, **around}) == []
    assert held(simulator)[name] == "X" * width

    simulator.start_over()
    assert put(**{name: "X" * width + "Y", **around}) == []
    assert held(simulator)[name] == "X" * width


@pytest.mark.parametrize(("name", "width"), [one for one in TEXTS if one[0] in JUDGED - {"Authorization_ID"} | UNIT_PRICE])
def test_a_code_that_is_too_long_is_judged_as_what_is_left_of_it(put, name, width):
    told = put(**{name: "X" * (width + 1)})

    assert not [text for _, _, text in told if text.endswith((MASK, "must be supplied"))]


def test_amounts_are_kept_to_the_cent(simulator, put):
    for value in ("0.01", "-0.01", "1234567890.12", "-9999999999.99", "7"):
        put(Change_Request_Amount=value, Sub_Amount=value)

        assert Decimal(held(simulator)["Change_Request_Amount"]) == Decimal(held(simulator)["Sub_Amount"]) == Decimal(value)
