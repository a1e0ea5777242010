"""What a change order becomes in Spectrum's terms: the one function behind the preview and behind the frozen lines."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from portal import clock
from portal.domain import days
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.companies import Company
from portal.domain.wording import Wording
from portal.spectrum import records

HEADER = 11  # elements 3-13 of the service's table: the same in every line
LONGEST_SUB_DESCRIPTION = 30


@dataclass(frozen=True, slots=True)
class Payload:
    """The elements of one change order, by Spectrum's names.

    header   elements 3-13, which every line repeats
    lines    position and elements 14-56 of each line that is sent
    skipped  positions of the zero lines, which are not
    """

    header: dict[str, str]
    lines: list[tuple[int, dict[str, str]]]
    skipped: list[int]

    @property
    def total(self) -> Decimal:
        """The sum of the amounts as Spectrum will read them, US dollars."""
        return sum((Decimal(elements["Change_Request_Amount"]) for _, elements in self.lines), Decimal("0.00"))


def build(change_order: ChangeOrder, wording: Wording) -> Payload:
    """The change order in this wording.

    Raises ValueError with a sentence about the first thing Spectrum could not take.
    """
    filled = [line for line in change_order.lines if line.amount]
    if not filled:
        raise ValueError("All lines are zero: nothing to export.")
    on = wording.accounting_date or today(change_order.company)
    rows = [(line.position, list(elements_of(change_order, line, wording, on).items())) for line in filled]
    return Payload(
        header=dict(rows[0][1][:HEADER]),
        lines=[(position, dict(elements[HEADER:])) for position, elements in rows],
        skipped=[line.position for line in change_order.lines if not line.amount],
    )


def words(change_order: ChangeOrder, wording: Wording) -> tuple[str, str]:
    """Title and description as they were typed for Spectrum, or the change order's own."""
    return (
        str(change_order.title) if wording.title is None else wording.title.strip(),
        str(change_order.description) if wording.description is None else wording.description.strip(),
    )


def elements_of(change_order: ChangeOrder, line: LineItem, wording: Wording, on: date) -> dict[str, str]:
    """Elements 3-56 of the call for one line. Raises ValueError where the records module does."""
    commitment, company = change_order.commitment, change_order.company
    title, description = words(change_order, wording)
    header = records.Header(
        company_code=company.code,
        job_number=change_order.job.number,
        customer_code=change_order.job.customer,
        change_request_number=wording.number,
        description=records.describe(change_order.number, title, description),
        status=company.cr_status,
        cost_reimbursable=company.cost_reimbursable == "Y",
        origination_date=on,
        approved_date=today(company) if company.cr_approves else None,
    )
    return records.elements(
        header,
        records.Line(
            phase_code=line.phase_code,
            cost_type=line.cost_type,
            amount=line.amount,
            vendor_code=commitment.vendor_code,
            subcontract_number=commitment.subcontract,
            sub_status=company.sub_status,
            description=records.shorten(records.fold(title), LONGEST_SUB_DESCRIPTION),
            comments=f"Portal CCO {change_order.id}",
            quantity=line.quantity,
            bid_group="",
            bid_item=line.bid_item,
        ),
    )


def accounting_day(text: str) -> date | None:
    """The day an approver wrote as 2026-11-30; None for nothing. Raises ValueError with a sentence."""
    text = text.strip()
    if not text:
        return None
    try:
        return days.read(text, date.min, date.max)
    except ValueError:
        raise ValueError(f"“{text[:20]}” is not a date. Choose one, or leave it empty for today.") from None


def today(company: Company) -> date:
    """The day it is where the company keeps its books: the accounting date of what is accepted now."""
    return clock.now().astimezone(ZoneInfo(company.time_zone)).date()
