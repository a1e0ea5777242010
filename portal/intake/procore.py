"""What Procore's REST API answers about commitment change orders, as its public reference describes it.

    GET /rest/v1.0/projects/{id}/commitment_change_orders/{id}     one, or several in a list or under `data`
    GET /rest/v1.0/change_order_packages/{id}                      the older form of the same

Amounts are texts, quantities numbers. A change order names its contract by `contract_id`; the contract itself (a work order
contract is a subcontract) comes embedded as `contract`, or beside the change orders under `contracts`. Spectrum's codes are
not in it: they stay empty until somebody links them. Fields that nobody needs here are passed over.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from portal.domain.entries import Entry, Problem
from portal.domain.sending import Draft, LineDraft
from portal.intake import fields, shapes

LISTS = ("commitment_change_orders", "change_order_packages", "data")
CONTRACTS = {
    "contracts": "",
    "commitments": "",
    "work_order_contracts": "WorkOrderContract",
    "purchase_order_contracts": "PurchaseOrderContract",
}


class Coded(BaseModel):
    """A cost code or a line item type. `full_code` includes the parents' prefixes."""

    full_code: fields.Phase = ""
    code: fields.Phase = ""
    flat_code: fields.Phase = ""


class Vendor(BaseModel):
    name: fields.Name = ""
    company: fields.Name = ""


class Project(BaseModel):
    project_number: fields.Code = ""
    number: fields.Code = ""
    name: fields.Name = ""


class Currency(BaseModel):
    currency_iso_code: fields.Currency = ""


class Contract(BaseModel):
    number: fields.Commitment
    title: fields.Name = ""
    type: fields.CommitmentKind = ""
    grand_total: fields.MoneyIfAny = None
    vendor: Annotated[Vendor, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value or {})] = Vendor()
    project: Annotated[Project, BeforeValidator(lambda value: value or {})] = Project()


class LineItem(BaseModel):
    """`amount`, on packages `total_amount`; cost code and type, or both in the work breakdown's flat code ("03-300.S")."""

    amount: fields.MoneyIfAny = None
    total_amount: fields.MoneyIfAny = None
    cost_code: Coded | None = None
    line_item_type: Coded | None = None
    wbs_code: Coded | None = None
    description: fields.Description = ""
    quantity: fields.Quantity = None
    uom: fields.Unit = ""

    def line(self) -> LineDraft:
        flat_phase, _, flat_type = (self.wbs_code.flat_code if self.wbs_code else "").rpartition(".")
        return LineDraft(
            phase_code=((self.cost_code.full_code or self.cost_code.code) if self.cost_code else "") or flat_phase or flat_type,
            cost_type=(self.line_item_type.code if self.line_item_type else "") or (flat_type if flat_phase else ""),
            amount=self.total_amount if self.amount is None else self.amount,
            description=self.description,
            quantity=self.quantity,
            unit=self.uom,
        )


class ChangeOrder(BaseModel):
    number: fields.Number
    revision: fields.Revision = 0
    title: fields.Title
    description: fields.Description = ""
    status: fields.Status
    grand_total: fields.MoneyIfAny = None
    signed_change_order_received_date: fields.Day = None
    currency_configuration: Currency | None = None
    contract: Contract
    project: Annotated[Project, BeforeValidator(lambda value: value or {})] = Project()
    line_items: list[LineItem]

    def entry(self, where: str) -> Entry:
        job, contract = self.project, self.contract
        return Entry(
            where=where,
            draft=Draft(
                number=self.number,
                title=self.title,
                description=self.description,
                lines=[item.line() for item in self.line_items],
                amount=self.grand_total,
                project_status=self.status,
                currency=self.currency_configuration.currency_iso_code if self.currency_configuration else "",
                dated=self.signed_change_order_received_date,
            ),
            job_number=job.project_number or job.number or contract.project.project_number or contract.project.number,
            job_name=job.name or contract.project.name,
            vendor_name=contract.vendor.name or contract.vendor.company,
            commitment_number=contract.number,
            commitment_title=contract.title,
            kind=contract.type,
            original_amount=contract.grand_total,
            revision=self.revision,
        )


def is_procore(document: Any) -> bool:
    return isinstance(document, list) or (isinstance(document, dict) and bool(document.keys() & {*LISTS, "line_items", "contract_id"}))


def read(document: Any) -> tuple[list[Entry], list[Problem]]:
    """The change orders of a list, of an object around one, or the only one."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    name, found = _list_of(document)
    around = document if isinstance(document, dict) else {}
    contracts = _contracts(around)
    for index, one in enumerate(found):
        where = f"{name}[{index}]"
        try:
            entries.append(ChangeOrder.model_validate(_complete(one, around, contracts)).entry(where))
        except ValidationError as error:
            problems.extend(Problem(where, shapes.path(loc), _reason(loc, reason)) for loc, reason in shapes.faults(error))
    return entries, problems


def _list_of(document: Any) -> tuple[str, list[Any]]:
    if isinstance(document, list):
        return "", document
    name = next((name for name in LISTS if name in document), "")
    inside = document[name] if name else document
    return name, inside if isinstance(inside, list) else [inside]


def _contracts(around: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contracts beside the change orders, by Procore's id."""
    return {
        str(contract["id"]): ({"type": kind} if kind else {}) | contract
        for name, kind in CONTRACTS.items()
        for contract in around.get(name) or []
        if isinstance(contract, dict) and contract.get("id")
    }


def _complete(one: Any, around: dict[str, Any], contracts: dict[str, dict[str, Any]]) -> Any:
    """The change order with its contract and project put in, where they stand elsewhere in the file."""
    if not isinstance(one, dict):
        return one
    embedded = one.get("contract") if isinstance(one.get("contract"), dict) else {}
    id = str(one.get("contract_id") or (embedded or {}).get("id") or "")
    contract = contracts.get(id, {}) | (embedded or {})
    more = {"contract": contract} if contract else {}
    project = {"project": around["project"]} if isinstance(around.get("project"), dict) else {}
    return project | one | more


def _reason(loc: tuple[int | str, ...], reason: str) -> str:
    if loc == ("contract",):
        return "is missing. Put the contract into the change order, or beside it under “contracts”."
    if loc == ("line_items",):
        return "is missing. A list of change orders comes without lines; fetch them one by one."
    return reason
