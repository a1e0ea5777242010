"""The 56 elements of Spectrum's `ARChangeRequest`, in the order of Trimble's table.

Source marks: [D n] documented by Trimble, [O n] observed on a live server, [A] assumed; `docs/spectrum.md` lists them. The table is
[D12], "Add A/R Change Request"; a format that the page leaves out is [A].
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Field:
    """One element: its limits as Spectrum states them, and the words an accountant knows it by.

    width     characters, counting the minus sign and the point of a number.
    whole     digits before the point; decimals: digits after it; signed: whether a minus is allowed (numbers only).
    required  the table's Req column says YES.
    source    where the fact comes from.
    """

    name: str
    label: str
    width: int
    kind: Literal["text", "number", "date"] = "text"
    required: bool = False
    whole: int = 0
    decimals: int = 0
    signed: bool = False
    key: bool = False
    source: str = "D12"


def _text(name: str, label: str, width: int, *, required: bool = False) -> Field:
    return Field(name, label, width, required=required)


def _key(name: str, label: str, width: int, *, required: bool = False) -> Field:
    """A code that identifies something: some characters are not allowed in it [D14]."""
    return Field(name, label, width, required=required, key=True)


def _date(name: str, label: str) -> Field:
    return Field(name, label, 10, "date")


def _number(name: str, label: str, width: int, form: str, *, required: bool = False, source: str = "D12") -> Field:
    """`form` is the table's notation: "-10.2" = minus allowed, 10 digits before the point, 2 after."""
    whole, _, decimals = form.removeprefix("-").partition(".")
    return Field(name, label, width, "number", required, int(whole), int(decimals or 0), form.startswith("-"), source=source)


FIELDS: tuple[Field, ...] = (
    _text("Authorization_ID", "Authorization ID", 20, required=True),
    _text("GUID", "Session label", 36),
    _key("Company_Code", "Company code", 3, required=True),
    _key("Job_Number", "Job number", 10, required=True),
    _key("Customer_Code", "Customer code", 10, required=True),
    _key("Change_Request_Number", "Change request number", 8),
    _text("CR_Description", "Description", 250),
    _text("CR_Status", "Change request status", 2),
    _text("Cost_Reimbursable_Flag", "Cost reimbursable", 1),
    _date("Origination_Date", "Origination date"),
    _date("Approved_Date", "Approved date"),
    _number("Fee_Percent", "Fee percent", 7, "-3.2"),
    _number("Fee_Amount", "Fee amount", 12, "-8.2"),
    _key("CR_Phase_Code", "Phase code", 20),
    _key("CR_Cost_Type", "Cost type", 3),
    _number("Change_Request_Quantity", "Quantity", 11, "-7.2"),
    _number("Change_Request_Hours", "Hours", 10, "-6.2", required=True),
    _number("Change_Request_Amount", "Amount", 14, "-10.2", required=True),
    _key("Subcontractor_Code", "Vendor code", 10, required=True),
    _key("Subcontract_Number", "Subcontract number", 10),
    _number("Sub_Amount", "Subcontract amount", 14, "-10.2"),
    _key("Sub_Bid_Group_Item_Code", "Subcontract bid group", 2),
    _key("Sub_Bid_Item_Code", "Subcontract bid item", 11),
    _text("Sub_Status", "Subcontract status", 1),
    _key("Sub_Change_Order_Number", "Subcontract change order number", 8),
    _date("Sub_Change_Order_Date", "Subcontract change order date"),
    _date("Sub_Signed_Date", "Subcontract signed date"),
    _text("Sub_Description", "Subcontract description", 30),
    _text("Sub_Type", "Subcontract type", 15),
    _date("Sub_Proposal_Date", "Subcontract proposal date"),
    _date("Sub_Sent_Date", "Subcontract sent date"),
    _date("Sub_Due_Date", "Subcontract due date"),
    _text("Sub_Comments", "Subcontract comments", 250),
    _text("Markup_Cost_Type", "Markup cost type", 3),
    _number("Markup_Percent", "Markup percent", 6, "3.2"),
    _number("Markup_Amount", "Markup amount", 14, "-10.2"),
    _text("Pricing_Addon_Code", "Pricing add-on", 10),
    _number("Pricing_Addon_MU_Percent", "Pricing add-on percent", 6, "3.2", source="A"),
    _number("Pricing_Addon_MU_Amount", "Pricing add-on amount", 14, "-10.2"),
    _text("Pricing_Addon_Phase", "Pricing add-on phase", 20),
    _text("Pricing_Addon_Cost_Type", "Pricing add-on cost type", 3),
    _text("CR_Billing_Group_Code", "Billing group", 2),
    _text("CR_Billing_Item_Code", "Billing item", 11),
    _text("CR_Billing_Item_Description", "Billing item description", 30),
    _text("CR_Additional_Description", "Additional description", 40),
    _number("CR_Unit_Price", "Unit price", 11, "-5.4"),
    _number("CR_Quantity", "Billing quantity", 11, "-7.2"),
    _number("CR_Revenue", "Revenue", 14, "-10.2"),
    _date("Proceed_Submitted_Date", "Proceed submitted date"),
    _date("Proceed_Received_Date", "Proceed received date"),
    _number("Rough_Estimate", "Rough estimate", 12, "-8.2"),
    _date("Quotation_Submitted_Date", "Quotation submitted date"),
    _date("Quotation_Due_Date", "Quotation due date"),
    _number("Requested_Days", "Requested days", 4, "-3"),
    _number("Approved_Days", "Approved days", 4, "-3"),
    _text("Default_Billing_Total", "Default billing total", 1),
)

BY_NAME = {field.name: field for field in FIELDS}

#: Elements 1 and 2 belong to the attempt; 3-56 are what a resend repeats unchanged.
RECORD = tuple(field.name for field in FIELDS[2:])

#: Characters that a key must not hold [D14].
NOT_IN_KEYS = frozenset("/*?\"'><#,&~")
