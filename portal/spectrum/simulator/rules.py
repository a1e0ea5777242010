"""Level 3: the rules of ARChangeRequest [D12]. The texts are SIM: ours, not Trimble's. Code and column are what a client may rely on."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator.master import Company, Job, Master, Status, Subcontract, day

BILLING_LIMIT = 990  # entries of one change request [D12]


@dataclass(frozen=True)
class Case:
    """One record under examination.

    values   its elements, cut and checked for form.
    billing  billing group and item of each billing entry the request has already.
    stored   header of the request as the ledger has it, under element names; None when it would be created.
    """

    values: Mapping[str, str]
    stored: Mapping[str, str] | None
    master: Master
    billing: Collection[tuple[str, str]] = ()

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def effective(self, name: str) -> str:
        """What would be stored: empty keeps what is there [D14]."""
        return self.values[name] or (self.stored or {}).get(name, "")

    @property
    def company(self) -> Company | None:
        return self.master.companies.get(self["Company_Code"])

    @property
    def job(self) -> Job | None:
        return self.master.jobs.get((self["Company_Code"], self["Job_Number"]))

    @property
    def status(self) -> Status | None:
        return self.master.statuses.get((self["Company_Code"], self.effective("CR_Status")))

    @property
    def subcontract(self) -> Subcontract | None:
        return self.master.subcontracts.get((self["Company_Code"], self["Subcontract_Number"]))

    @property
    def has_subcontract_data(self) -> bool:
        """Without vendor and subcontract the subcontract elements are ignored [D12]."""
        return bool(self["Subcontractor_Code"] or self["Subcontract_Number"])


def company_job_customer(case: Case) -> Iterator[Row]:
    if case.company is None:
        yield Row("I", "Company_Code is invalid, company does not exist", "Company_Code")
        return
    if case.job is None:
        yield Row("I", "Job_Number is invalid, job does not exist", "Job_Number")
    if (case["Company_Code"], case["Customer_Code"]) not in case.master.customers:
        yield Row("I", "Customer_Code is invalid, customer does not exist", "Customer_Code")
    elif case.job and not case.job.contract:
        yield Row("I", "Customer_Code is invalid, the job has no contract", "Customer_Code")
    elif case.job and case.job.customer != case["Customer_Code"]:
        yield Row("I", "Customer_Code is invalid, customer is not on the contract of the job", "Customer_Code")


def complete_job(case: Case) -> Iterator[Row]:
    if case.stored is None and case.job and case.job.status == "C" and case.job.disallow_revenue:
        yield Row("I", "Job_Number is invalid, the job is complete and takes no new change request", "Job_Number")


def attached(case: Case) -> Iterator[Row]:
    for column, what in (("Change_Order_Number", "a change order"), ("Draw_Number", "a draw request")):
        if case.stored and case.stored.get(column, "").strip():
            yield Row("I", f"Change_Request_Number is attached to {what} and can not be changed", "Change_Request_Number")


def status(case: Case) -> Iterator[Row]:
    if not case.effective("CR_Status"):
        yield Row("M", "CR_Status must be supplied", "CR_Status")
    elif case.status is None:
        yield Row("I", "CR_Status is invalid, status does not exist", "CR_Status")


def reimbursable(case: Case) -> Iterator[Row]:
    flag = case.effective("Cost_Reimbursable_Flag")
    if flag not in ("", "Y", "N"):
        yield Row("I", "Cost_Reimbursable_Flag is invalid, use Y or N", "Cost_Reimbursable_Flag")
    elif flag == "N" and case.status and case.status.action_type in (1, 2):
        yield Row("I", "Cost_Reimbursable_Flag is invalid, the status wants Y", "Cost_Reimbursable_Flag")


def approved_date(case: Case) -> Iterator[Row]:
    approved = case["Approved_Date"]
    if not approved:
        return
    if case.status and case.status.action_type not in (1, 2):
        yield Row("I", "Approved_Date is invalid, the status is not an approved one", "Approved_Date")
    elif case.company and not _within(approved, case.company.ap_period):
        yield Row("I", "Approved_Date is invalid, not within the A/P processing dates", "Approved_Date")


def phase(case: Case) -> Iterator[Row]:
    code, cost_type = case["CR_Phase_Code"], case["CR_Cost_Type"]
    if not code:
        if case.has_subcontract_data:
            yield Row("M", "CR_Phase_Code must be supplied", "CR_Phase_Code")
        return
    if not cost_type:
        yield Row("M", "CR_Cost_Type must be supplied", "CR_Cost_Type")
        return
    found = case.master.phases.get((case["Company_Code"], case["Job_Number"], code, cost_type))
    if "-" in code or found is None:
        yield Row("I", "CR_Phase_Code is invalid, phase and cost type do not exist on the job", "CR_Phase_Code")
    elif found.status == "C":
        yield Row("I", "CR_Phase_Code is invalid, the phase is complete", "CR_Phase_Code")


def subcontract(case: Case) -> Iterator[Row]:
    if not case.has_subcontract_data:
        return
    found = case.subcontract
    pair = found and found.vendor == case["Subcontractor_Code"] and found.job == case["Job_Number"]
    if not pair:
        yield Row("I", "Subcontract_Number is invalid, no such subcontract of this vendor on the job", "Subcontract_Number")
    elif found and found.unit_price:
        yield from _bid_item(case, found)


def _bid_item(case: Case, found: Subcontract) -> Iterator[Row]:
    item = case["Sub_Bid_Item_Code"]
    known = not found.bid_items or item in found.bid_items
    if not item or not known or len(case["Sub_Bid_Group_Item_Code"]) + len(item) > 10:
        yield Row("I", "Sub_Bid_Item_Code is invalid", "Sub_Bid_Item_Code")


def sub_status(case: Case) -> Iterator[Row]:
    if not case["Subcontractor_Code"]:
        return
    code, number = case["Sub_Status"], case["Sub_Change_Order_Number"]
    if not code:
        yield Row("M", "Sub_Status must be supplied", "Sub_Status")
    elif code not in ("P", "E", "R"):
        yield Row("I", "Sub_Status is invalid, use P, E or R", "Sub_Status")
    elif code == "E" and not number:
        yield Row("M", "Sub_Change_Order_Number must be supplied", "Sub_Change_Order_Number")
    if number and (case["Company_Code"], case["Job_Number"], number) not in case.master.sub_change_orders:
        yield Row("I", "Sub_Change_Order_Number is invalid, not on the job", "Sub_Change_Order_Number")


def sub_change_order_date(case: Case) -> Iterator[Row]:
    chosen = case["Sub_Change_Order_Date"] or case.effective("Origination_Date")  # blank = Origination_Date [D12]
    if chosen and case.has_subcontract_data and case.company and not _within(chosen, case.company.ar_period):
        yield Row("I", "Sub_Change_Order_Date is invalid, not within the A/R processing dates", "Sub_Change_Order_Date")


def markup(case: Case) -> Iterator[Row]:
    if case["Markup_Percent"] and case["Markup_Amount"]:
        yield Row("I", "Markup_Amount is invalid, Markup_Percent is given too", "Markup_Amount")


def billing(case: Case) -> Iterator[Row]:
    entry = (case["CR_Billing_Group_Code"], case["CR_Billing_Item_Code"])
    if any(entry) and entry not in case.billing and len(case.billing) >= BILLING_LIMIT:
        yield Row("I", f"CR_Billing_Item_Code is invalid, the change request has {BILLING_LIMIT} billing entries", "CR_Billing_Item_Code")


RULES: tuple[Callable[[Case], Iterator[Row]], ...] = (
    complete_job,
    attached,
    status,
    reimbursable,
    approved_date,
    phase,
    subcontract,
    sub_status,
    sub_change_order_date,
    markup,
    billing,
)


def broken(case: Case) -> Iterator[Row]:
    """All errors of this level; nothing is stored if there is one [A]. Without company and job the rest can not be examined."""
    yield from company_job_customer(case)
    if case.company is None or case.job is None:
        return
    for rule in RULES:
        yield from rule(case)


def ignored(case: Case) -> set[str]:
    """Elements that have a value and no effect [D12]."""
    names = set()
    if case["Sub_Status"] != "E":
        names.add("Sub_Signed_Date")
    if case.subcontract is None or not case.subcontract.unit_price:
        names |= {"Sub_Bid_Group_Item_Code", "Sub_Bid_Item_Code"}
    return names


def _within(text: str, period: tuple[str, str]) -> bool:
    first, last = period
    return day(first) <= day(text) <= day(last)
