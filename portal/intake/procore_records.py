"""The records in Procore's JSON: what is read of each, and what of it contradicts itself."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, model_validator

from portal.domain.imports.entries import Entry
from portal.domain.projects.sending import Draft, LineDraft
from portal.intake import fields

LONGEST_CODE = 10  # that Spectrum has
DELETED = "Deleted"  # the status of what is deleted there: rule 3 stops it


def _origin(value: Any) -> str:
    """The id that the ERP gave it: Spectrum's code, where it can be one."""
    text = str(value or "").strip()
    return text if len(text) <= LONGEST_CODE and text.isprintable() else ""


def _said(value: Any) -> str:
    return str(value or "").strip()


Origin = Annotated[str, BeforeValidator(_origin)]
Said = Annotated[str, BeforeValidator(_said)]


def _one(**said: str) -> None:
    """Raises ValueError where one thing is there under two names and differs."""
    there = [(name, value) for name, value in said.items() if value]
    for name, value in there[1:]:
        if _key(value) != _key(there[0][1]):
            raise ValueError(_differ(*there[0], name, value))


def _differ(name: str, value: object, other: str, differs: object) -> str:
    return f"{name} says “{value}”, {other} says “{differs}”. Correct it in Procore, and export it again."


def _key(text: str) -> str:
    """As two spellings of one code or name are compared: letters and digits count."""
    return "".join(one for one in text.casefold() if one.isalnum())


def _ends_with(whole: str, part: str) -> bool:
    """Whether the code is the other one, or its last segments: 08-50-00 ends with 50-00 and with 00."""
    segments = re.split(r"[^\w]+", whole.casefold())
    return not part or _key(part) in ("".join(segments[start:]) for start in range(len(segments)))


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


class Coded(BaseModel):
    """A cost code or a line item type. `full_code` includes the parents' prefixes, `code` need not."""

    full_code: fields.Phase = ""
    code: fields.Phase = ""
    flat_code: fields.Phase = ""

    @model_validator(mode="after")
    def agree(self) -> Self:
        if self.full_code and self.code and not _ends_with(self.full_code, self.code):
            raise ValueError(_differ("full_code", self.full_code, "code", self.code))
        return self


class Vendor(BaseModel):
    name: fields.Name = ""
    company: fields.Name = ""
    origin_id: Origin = ""

    @model_validator(mode="after")
    def agree(self) -> Self:
        _one(name=self.name, company=self.company)
        return self


class Project(BaseModel):
    project_number: fields.Code = ""
    number: fields.Code = ""
    origin_id: Origin = ""
    name: fields.Name = ""

    @property
    def job_number(self) -> str:
        return self.project_number or self.number or self.origin_id

    @model_validator(mode="after")
    def agree(self) -> Self:
        _one(project_number=self.project_number, number=self.number, origin_id=self.origin_id)
        return self


class Currency(BaseModel):
    currency_iso_code: fields.Currency = ""


class Contract(BaseModel):
    number: fields.Commitment
    title: fields.Name = ""
    type: fields.CommitmentKind = ""
    grand_total: fields.MoneyIfAny = None
    deleted_at: Said = ""
    origin_id: Origin = ""
    vendor: Annotated[Vendor, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value or {})] = Vendor()
    project: Annotated[Project, BeforeValidator(lambda value: value or {})] = Project()


class LineItem(BaseModel):
    """`amount`, on packages `total_amount`; cost code and type, or both in the work breakdown's flat code ("03-300.S")."""

    amount: fields.MoneyIfAny = None
    total_amount: fields.MoneyIfAny = None
    tax_amount: fields.MoneyIfAny = None
    deleted_at: Said = ""
    cost_code: Coded | None = None
    line_item_type: Coded | None = None
    wbs_code: Coded | None = None
    description: fields.Description = ""
    quantity: fields.Quantity = None
    uom: fields.Unit = ""

    @property
    def flat(self) -> tuple[str, str]:
        """Cost code and type out of the work breakdown's flat code."""
        phase, _, cost_type = (self.wbs_code.flat_code if self.wbs_code else "").rpartition(".")
        return (phase, cost_type) if phase else (cost_type, "")

    @property
    def phase(self) -> str:
        coded, (flat, _) = self.cost_code or Coded(), self.flat
        return coded.full_code or (flat if flat and _ends_with(flat, coded.code) else coded.code)

    @property
    def cost_type(self) -> str:
        return (self.line_item_type.code if self.line_item_type else "") or self.flat[1]

    @model_validator(mode="after")
    def agree(self) -> Self:
        if self.deleted_at:
            raise ValueError(f"was deleted in Procore ({self.deleted_at[:20]}). Export the change order again without it.")
        if self.amount is not None and self.total_amount is not None and self.amount != self.total_amount:
            raise ValueError(_differ("amount", self.amount, "total_amount", self.total_amount))
        phase, cost_type = self.flat
        coded = self.cost_code.full_code or self.cost_code.code if self.cost_code else ""
        if phase and coded and not (_ends_with(phase, coded) or _ends_with(coded, phase)):
            raise ValueError(_differ("cost_code", coded, "wbs_code", phase))
        if cost_type and _key(self.cost_type) != _key(cost_type):
            raise ValueError(_differ("line_item_type", self.cost_type, "wbs_code", cost_type))
        return self

    def line(self) -> LineDraft:
        return LineDraft(
            phase_code=self.phase,
            cost_type=self.cost_type,
            amount=self.total_amount if self.amount is None else self.amount,
            description=self.description,
            quantity=self.quantity,
            unit=self.uom,
        )


class ChangeOrder(BaseModel):
    """One change order. `around`: the project that stands beside it in the file."""

    number: fields.Number
    revision: fields.Revision = 0
    title: fields.Title
    description: fields.Description = ""
    status: fields.Status
    deleted_at: Said = ""
    grand_total: fields.Money
    tax_amount: fields.MoneyIfAny = None
    signed_change_order_received_date: fields.Day = None
    currency_configuration: Currency | None = None
    contract: Contract
    project: Annotated[Project, BeforeValidator(lambda value: value or {})] = Project()
    around: Annotated[Project, BeforeValidator(lambda value: value or {})] = Project()
    line_items: list[LineItem]

    @property
    def projects(self) -> tuple[Project, ...]:
        return self.project, self.contract.project, self.around

    @property
    def tax(self) -> Decimal:
        on_lines = sum((item.tax_amount for item in self.line_items if item.tax_amount), Decimal("0.00"))
        return on_lines or self.tax_amount or Decimal("0.00")

    @model_validator(mode="after")
    def agree(self) -> Self:
        names = ("project", "contract.project", "project of the file")
        _one(**{name: one.job_number for name, one in zip(names, self.projects, strict=True)})
        if not any(one.job_number for one in self.projects):
            _one(**{name: one.name for name, one in zip(names, self.projects, strict=True)})
        if not self.tax and any(item.tax_amount for item in self.line_items):
            raise ValueError("The tax_amount of the lines adds up to nothing. Taxes are not sent: put them into lines of their own.")
        if self.tax_amount is not None and self.tax != self.tax_amount:
            raise ValueError(_differ("tax_amount of the lines", self.tax, "tax_amount", self.tax_amount))
        return self

    def entry(self, where: str) -> Entry:
        contract = self.contract
        return Entry(
            where=where,
            draft=Draft(
                number=self.number,
                title=self.title,
                description=self.description,
                lines=[item.line() for item in self.line_items],
                amount=self.grand_total,
                project_status=DELETED if self.deleted_at or contract.deleted_at else self.status,
                tax=self.tax,
                currency=self.currency_configuration.currency_iso_code if self.currency_configuration else "",
                dated=self.signed_change_order_received_date,
            ),
            job_number=_first(one.job_number for one in self.projects),
            job_name=_first(one.name for one in self.projects),
            vendor_name=contract.vendor.name or contract.vendor.company,
            vendor_code=contract.vendor.origin_id,
            commitment_number=contract.number,
            commitment_title=contract.title,
            kind=contract.type,
            subcontract=contract.origin_id,
            original_amount=contract.grand_total,
            revision=self.revision,
        )
