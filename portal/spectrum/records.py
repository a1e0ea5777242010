"""A change order in Spectrum's terms: header, line, and the elements they become. All a caller needs, without Zeep.

Every rule is one that `ARChangeRequest` documents [D12] [D14]; the record refuses what Spectrum would cut off or misread.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from portal.spectrum import catalogue
from portal.spectrum.fields import BY_NAME, FIELDS, NOT_IN_KEYS, RECORD, Field
from portal.spectrum.lookups import Customer, Found, Job, Phase, Reached, Vendor
from portal.spectrum.outcomes import (
    About,
    NotSent,
    OutcomeUnknown,
    Receipt,
    Refused,
    Row,
    SpectrumError,
    Unanswered,
    explain,
    failure_class,
)
from portal.spectrum.readback import Comparison, Stored, StoredLine, compare
from portal.spectrum.text import describe, fold, outside_ascii, shorten, unfoldable, visible

__all__ = [
    "FIELDS", "KEYS", "NUMBER_PATTERN", "About", "Comparison", "Customer", "Field", "Found", "Header", "Job", "Line", "NotSent",
    "OutcomeUnknown", "Phase", "Reached", "Receipt", "Refused", "Row", "SpectrumError", "Stored", "StoredLine", "Unanswered",
    "Vendor", "catalogue", "change_request_number", "compare", "describe", "elements", "explain", "failure_class", "fold",
    "shorten", "unfoldable", "without_dashes",
]  # fmt: skip

#: The elements by which Spectrum finds a change request, in the order of the read-back.
KEYS = ("Company_Code", "Job_Number", "Customer_Code", "Change_Request_Number")

#: A number we may give to a change request: 8 characters [D12], upper case so that no two differ by case alone.
NUMBER_PATTERN = re.compile(r"[A-Z0-9-]{1,8}")


@dataclass(frozen=True, slots=True)
class Header:
    """One change request: the four keys by which Spectrum finds or creates it, and what each of its lines repeats.

    change_request_number  never blank: Spectrum would invent one, and each retry would create another request [D12].
    status                 the customer's own status code.
    origination_date       accounting date; also sent as the subcontract change order date.
    approved_date          only with a status of action type 1 or 2 [D12] [D21]; None leaves it empty.

    Raises ValueError with a sentence about the first thing Spectrum could not take.
    """

    company_code: str
    job_number: str
    customer_code: str
    change_request_number: str
    description: str
    status: str
    cost_reimbursable: bool
    origination_date: date
    approved_date: date | None = None

    def __post_init__(self) -> None:
        _code("Company_Code", self.company_code)
        _code("Job_Number", self.job_number)
        _code("Customer_Code", self.customer_code)
        _code("Change_Request_Number", self.change_request_number)
        if not NUMBER_PATTERN.fullmatch(self.change_request_number):
            raise ValueError("Change request number: use only A-Z, 0-9 and -.")
        _filled("CR_Description", self.description)
        _filled("CR_Status", self.status)
        _day("Origination date", self.origination_date)
        if self.approved_date is not None:
            _day("Approved date", self.approved_date)


@dataclass(frozen=True, slots=True)
class Line:
    """One cost line. Phase, cost type, vendor, subcontract and bid item are its key: equal keys overwrite each other [D12].

    phase_code               Spectrum phase code, with or without its dashes; they are not sent [D14].
    amount                   the company's currency, two decimals; negative for a deduct.
    sub_status               P proposed, E executed, R rejected; E needs an existing subcontract change order number.
    description, comments    Sub_Description and Sub_Comments.
    quantity                 two decimals, or None.
    bid_group, bid_item      unit price subcontracts only; together at most 10 characters.

    Raises ValueError with a sentence about the first thing Spectrum could not take.
    """

    phase_code: str
    cost_type: str
    amount: Decimal
    vendor_code: str
    subcontract_number: str
    sub_status: str = "P"
    description: str = ""
    comments: str = ""
    quantity: Decimal | None = None
    bid_group: str = ""
    bid_item: str = ""
    sub_change_order_number: str = ""

    def __post_init__(self) -> None:
        _code("CR_Phase_Code", without_dashes(self.phase_code))
        _code("CR_Cost_Type", self.cost_type)
        _number("Change_Request_Amount", self.amount)
        _code("Subcontractor_Code", self.vendor_code)
        _code("Subcontract_Number", self.subcontract_number)
        if self.sub_status not in ("P", "E", "R"):
            raise ValueError("Subcontract status: use P (proposed), E (executed) or R (rejected).")
        _text("Sub_Description", self.description)
        _text("Sub_Comments", self.comments)
        if self.quantity is not None:
            _number("Change_Request_Quantity", self.quantity)
        self._check_bid_item()
        self._check_execution()

    def _check_bid_item(self) -> None:
        for name, value in (("Sub_Bid_Group_Item_Code", self.bid_group), ("Sub_Bid_Item_Code", self.bid_item)):
            if value:
                _code(name, value)
        if len(self.bid_group) + len(self.bid_item) > 10:
            raise ValueError("Subcontract bid group and item: Spectrum takes at most 10 characters together.")

    def _check_execution(self) -> None:
        if self.sub_status == "E" and not self.sub_change_order_number:
            raise ValueError("Spectrum needs an existing subcontract change order number to mark this as executed.")
        if self.sub_change_order_number:
            _code("Sub_Change_Order_Number", self.sub_change_order_number)


def elements(header: Header, line: Line) -> dict[str, str]:
    """Elements 3-56 of one call, in table order, empty where unused (empty means "leave as is" [D14])."""
    day = _written(header.origination_date)
    amount = f"{line.amount + 0:.2f}"  # + 0 turns -0.00 into 0.00
    values = {
        "Company_Code": header.company_code,
        "Job_Number": header.job_number,
        "Customer_Code": header.customer_code,
        "Change_Request_Number": header.change_request_number,
        "CR_Description": header.description,
        "CR_Status": header.status,
        "Cost_Reimbursable_Flag": "Y" if header.cost_reimbursable else "N",
        "Origination_Date": day,
        "Approved_Date": _written(header.approved_date) if header.approved_date else "",
        "CR_Phase_Code": without_dashes(line.phase_code),
        "CR_Cost_Type": line.cost_type,
        "Change_Request_Quantity": "" if line.quantity is None else f"{line.quantity + 0:.2f}",
        "Change_Request_Hours": "0.00",  # Req = YES, although its own text says it may be blank [D12]
        "Change_Request_Amount": amount,
        "Subcontractor_Code": line.vendor_code,
        "Subcontract_Number": line.subcontract_number,
        "Sub_Amount": amount,  # two pages disagree on its default [D12] [D15]
        "Sub_Bid_Group_Item_Code": line.bid_group,
        "Sub_Bid_Item_Code": line.bid_item,
        "Sub_Status": line.sub_status,
        "Sub_Change_Order_Number": line.sub_change_order_number,
        "Sub_Change_Order_Date": day,
        "Sub_Description": line.description,
        "Sub_Comments": line.comments,
    }
    return {name: values.get(name, "") for name in RECORD}


def change_request_number(commitment_number: str, cco_number: str, kind_is_purchase_order: bool = False) -> str:
    """The number to propose: S (P for an order kept as a subcontract), last 3 of the commitment, -, last 3 of the change order.

    ("SC-014", "CCO-003") gives "S014-003". A proposal only: the caller reserves it, and learns whether it is free.
    """
    prefix = "P" if kind_is_purchase_order else "S"
    return f"{prefix}{_tail(commitment_number)}-{_tail(cco_number)}"


def without_dashes(phase_code: str) -> str:
    """Spectrum wants phases without dashes from a web service [D14]."""
    return phase_code.replace("-", "")


def _tail(number: str) -> str:
    """The letters and digits that end `number`, at most 3: "CCO-1" gives "001", not "0O1"."""
    end = re.search(r"[A-Z0-9]*$", number.strip()[-3:].upper())
    return (end[0] if end else "").rjust(3, "0")


def _day(label: str, day: date) -> None:
    if isinstance(day, datetime) or not 1900 <= day.year <= 9999:
        raise ValueError(f"{label}: give a day between 1900 and 9999.")


def _written(day: date) -> str:
    """MM/DD/CCYY [D14]."""
    return f"{day:%m/%d/}{day.year:04}"


def _code(name: str, value: str) -> None:
    """A key: filled, without blanks around it or characters Spectrum forbids in keys [D14]."""
    _filled(name, value)
    if found := [one for one in value if one in NOT_IN_KEYS]:
        raise ValueError(f"{BY_NAME[name].label}: Spectrum does not allow {visible(''.join(dict.fromkeys(found)))} in it.")


def _filled(name: str, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{BY_NAME[name].label}: must not be blank.")
    if value != value.strip():
        raise ValueError(f"{BY_NAME[name].label}: must not begin or end with a blank.")
    _text(name, value)


def _text(name: str, value: str) -> None:
    """Spectrum cuts longer text off without a word [D14], so it never gets any."""
    field = BY_NAME[name]
    if len(value) > field.width:
        raise ValueError(f"{field.label}: has {len(value)} characters, Spectrum takes {field.width}.")
    if strange := outside_ascii(value):
        raise ValueError(f"{field.label}: contains characters Spectrum cannot store: {visible(strange)}")


def _number(name: str, value: Decimal) -> None:
    field = BY_NAME[name]
    if not value.is_finite():
        raise ValueError(f"{field.label}: {value} is not a number.")
    if abs(value) >= Decimal(10) ** field.whole:
        raise ValueError(f"{field.label}: {value:,} has more than {field.whole} digits before the point.")
    if value != round(value, field.decimals):
        raise ValueError(f"{field.label}: {value:,} has more than {field.decimals} decimals.")
