"""The portal's own shape of a change order: JSON as it is written, and what the rows of a CSV file are gathered into."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from portal.domain.imports.entries import Entry, Problem, keep_few
from portal.domain.projects.sending import Draft, LineDraft
from portal.intake import fields, limits

# The sentences for what is wrong with the form of a document rather than with a value.
SENTENCES = {
    "missing": "is missing.",
    "extra_forbidden": "is not a field of ours; the documentation lists those that are.",
    "list_type": "has to be a list.",
    "model_type": "has to be an object.",
    "model_attributes_type": "has to be an object.",
    "dict_type": "has to be an object.",
}


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Line(Shape):
    phase_code: fields.Phase = ""
    cost_type: fields.CostType = ""
    bid_item: fields.BidItem = ""
    description: fields.Description = ""
    quantity: fields.Quantity = None
    unit: fields.Unit = ""
    amount: fields.Money


class Job(Shape):
    number: fields.Job
    name: fields.Name = ""
    customer_code: fields.Code = ""


class Vendor(Shape):
    name: fields.NeededName
    code: fields.Code = ""


class Commitment(Shape):
    number: fields.Commitment
    title: fields.Name = ""
    kind: fields.NeededKind
    as_subcontract: fields.YesOrNo = None
    unit_price: fields.YesOrNo = None
    subcontract_number: fields.Code = ""
    original_amount: fields.MoneyIfAny = None


class ChangeOrder(Shape):
    """One change order. `total` is compared with the lines when it is sent; left out, it is their sum. It is without `tax`."""

    job: Job
    vendor: Vendor
    commitment: Commitment
    number: fields.Number
    revision: fields.Revision = 0
    title: fields.Title
    description: fields.Description = ""
    status: fields.Status
    total: fields.MoneyIfAny = None
    tax: fields.Tax = Decimal("0.00")
    currency: fields.Currency = ""
    date: fields.Day = None
    lines: list[Line]

    def entry(self, where: str) -> Entry:
        lines = [LineDraft(**dict(line)) for line in self.lines]
        return Entry(
            where=where,
            draft=Draft(self.number, self.title, self.description, lines, self.total, self.status, self.tax, self.currency, self.date),
            job_number=self.job.number,
            job_name=self.job.name,
            customer=self.job.customer_code,
            vendor_name=self.vendor.name,
            vendor_code=self.vendor.code,
            commitment_number=self.commitment.number,
            commitment_title=self.commitment.title,
            kind=self.commitment.kind,
            as_subcontract=self.commitment.as_subcontract,
            unit_price=self.commitment.unit_price,
            subcontract=self.commitment.subcontract_number,
            original_amount=self.commitment.original_amount,
            revision=self.revision,
        )


def read(document: dict[str, Any]) -> tuple[list[Entry], list[Problem]]:
    """The change orders of our own JSON: `{"change_orders": [...]}`."""
    entries: list[Entry] = []
    problems = [Problem("", name, "is not a field of ours; only change_orders is.") for name in document.keys() - {"change_orders"}]
    count = limits.Count()
    for index, one in enumerate(document["change_orders"]):
        where = f"change_orders[{index}]"
        lines = one.get("lines") if isinstance(one, dict) else None
        count.add(lines)
        try:
            if isinstance(lines, list) and len(lines) > limits.MOST_LINES:
                problems.append(limits.too_long(where, "lines", one.get("number"), len(lines)))
            else:
                entries.append(ChangeOrder.model_validate(one).entry(where))
        except ValidationError as error:
            problems.extend(Problem(where, path(loc), reason) for loc, reason in faults(error))
        keep_few(problems)
    return entries, problems


def faults(error: ValidationError) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Each fault's place in the document and its sentence."""
    for fault in error.errors(include_url=False, include_input=False):
        yield fault["loc"], SENTENCES.get(fault["type"], fault["msg"].removeprefix("Value error, "))


def path(loc: tuple[int | str, ...]) -> str:
    """`lines[0].amount`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in loc).removeprefix(".")
