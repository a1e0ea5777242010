"""What an approver signs with Accept: every value that the form showed, told apart from what it is when they press Export.

The version guards the change order's own row. What leaves for Spectrum is also made of the company settings, the job, the
vendor and the commitment, so the form carries a mark of each value, and Accept compares all of them with what is there now.
The number, the words and the accounting date that the approver types are in the form themselves; today's date is no one's choice.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from portal.db import lock
from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.projects import revisions

LONGEST_TOLD = 40  # characters of a value that is its own mark, so that what it was can be told; a SHA-256 stands for a longer one
MOST_VALUES = 1_000

Marks = Mapping[str, str]  # of each value, by what people call it


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is not what the form showed. `was` is None where only its digest is known."""

    about: str
    was: str | None
    now: str

    def __str__(self) -> str:
        was = "" if self.was is None else f" (it was {self.was or 'empty'})"
        return f"{self.about} is now {self.now or 'empty'}{was}."


class Changed(Exception):
    """Some of what the approver saw is otherwise now; nothing was recorded."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__(" ".join(map(str, changes)))
        self.changes = changes


def hold(id: int) -> ChangeOrder:
    """As `change_orders.hold`; and until the transaction ends no one changes what a ready one is sent under.

    One that is not ready is not sent, and another transaction may need these rows.
    """
    parts: Any = ChangeOrder.select(ChangeOrder.status, Job.company, Job.id, Commitment.vendor, Commitment.id).join(Commitment).join(Job)
    status, *ids = parts.where(ChangeOrder.id == id).tuples().get()
    if status == Status.READY:
        for model, part in zip((Company, Job, Vendor, Commitment), ids, strict=True):
            if part is not None:
                lock(model.select(model.id).where(model.id == part), "FOR SHARE")
    return change_orders.hold(id)


def shown(change_order: ChangeOrder) -> dict[str, str]:
    """Every value that the approver is shown and that is not theirs to type, by what people call it."""
    company, job, held, said_of = change_order.company, change_order.job, change_order.commitment, revisions.snapshot(change_order)
    return {
        "Company code": company.code,
        "Change request status": company.cr_status,
        "Status means Approved (action type 1 or 2)": "yes" if company.cr_approves else "no",
        "Cost-reimbursable flag": company.cost_reimbursable,
        "Subcontract status": company.sub_status,
        "Job number": job.number,
        "Job name": job.name,
        "Customer code": job.customer,
        "Vendor": held.vendor_name,
        "Vendor code": held.vendor_code,
        "Commitment": held.number,
        "Kind of commitment": str(held.kind),
        "Subcontract number": held.subcontract,
        "CCO number": change_order.number,
        "Title": change_order.title,
        "Description": change_order.description,
        "Total": f"{change_order.amount:.2f}",
        "Tax": f"{change_order.tax:.2f}",
        "Currency": change_order.currency,
        **{f"Line {line.position}": _line_text(said) for line, said in zip(change_order.lines, said_of["lines"], strict=True)},
    }


def marks(change_order: ChangeOrder) -> dict[str, str]:
    """The mark of each value shown: equal only where the value is."""
    return {about: _mark(text) for about, text in shown(change_order).items()}


def carried(marks: Marks) -> str:
    """The marks as one field of a form."""
    return urlencode(marks)


def read(text: str) -> Marks:
    """The marks that a form carried. Raises ValueError where it carried none."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_VALUES)
    if not pairs or len(dict(pairs)) < len(pairs):
        raise ValueError("no marks, or a value twice")
    return dict(pairs)


def require(change_order: ChangeOrder, seen: Marks) -> None:
    """Raise Changed, naming each, unless all that is shown now is what was seen."""
    if changes := list(_changes(change_order, seen)):
        raise Changed(changes)


def _changes(change_order: ChangeOrder, seen: Marks) -> Iterator[Change]:
    now = shown(change_order)
    for about, text in now.items():
        if seen.get(about) != _mark(text):
            yield Change(about, _known(seen.get(about)), text)
    yield from (Change(about, _known(seen[about]), "") for about in seen if about not in now)


def _mark(text: str) -> str:
    return text if len(text) <= LONGEST_TOLD else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _known(mark: str | None) -> str | None:
    return mark if mark is not None and len(mark) <= LONGEST_TOLD else None


def _line_text(line: revisions.Line) -> str:
    """The description last: its words could look like anything."""
    columns = [name for name in revisions.COLUMNS if name != "description"] + ["description"]
    return ", ".join(f"{revisions.COLUMNS[name]} {line[name] or 'none'}" for name in columns)
