"""An accepted copy that no longer says what its sources say: the frozen header beside the settings, job, vendor and commitment of now.

What was frozen at Accept is sent as it was signed, or not at all. Where a code behind it has changed since, no one signed
that it still goes out under the old one. Words and dates that someone typed are not compared: they belong to that Accept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain import keys
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Export
from portal.domain.rules.findings import ACCOUNTING, ADMIN, Finding

ACCEPTED = (Status.QUEUED, Status.EXPORTING, Status.UNKNOWN, Status.FAILED)  # and not exported yet
SETTINGS = {  # setting of the company: element of the call, and its name
    "code": ("Company_Code", "company code"),
    "cr_status": ("CR_Status", "change request status"),
    "cr_approves": ("Approved_Date", "status means Approved (action type 1 or 2)"),
    "cost_reimbursable": ("Cost_Reimbursable_Flag", "cost-reimbursable flag"),
    "sub_status": ("Sub_Status", "subcontract status"),
}
CODES = {
    "customer": "Customer_Code",
    "code": "Subcontractor_Code",
    "subcontract": "Subcontract_Number",
}
WHOLE, IN_PART = "outdated", "outdated in part"  # columns of the catalogue


class Unconfirmed(Exception):
    """Change orders were accepted with a value that is about to change; nothing was recorded before someone has read how many: `count`."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} accepted change orders carry the old value.")
        self.count = count


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was frozen as `old` and is `new` now; `who` can set it back."""

    label: str
    old: str
    new: str
    who: str

    def __str__(self) -> str:
        return f"{self.label} {self.old or 'none'} (now {self.new or 'none'})"


def changes(change_order: ChangeOrder, export: Export) -> list[Change]:
    """What has changed since the Accept behind the Export, in the order of Spectrum's elements."""
    frozen = _frozen(export)
    return [Change(label, frozen[name], now, who) for name, label, now, who in _present(change_order) if not _same(frozen[name], now)]


def other_company(change_order: ChangeOrder, export: Export) -> list[Change]:
    """The change of the company code alone, if there was one: who is refused for it may be welcome with the present one."""
    return [one for one in changes(change_order, export) if one.label == SETTINGS["code"][1]]


def in_words(found: list[Change]) -> str:
    return f"It was accepted with {', '.join(map(str, found))}." if found else ""


def findings(change_order: ChangeOrder, export: Export) -> list[Finding]:
    """Rule 24: nothing is sent under a header that has changed since it was accepted."""
    found = changes(change_order, export)
    if not found:
        return []
    return [Finding(24, "header", in_words(found), " and ".join(dict.fromkeys(one.who for one in found)), way_on(export))]


def way_on(export: Export) -> str:
    """What can be done about it. Lines that are, or may be, in Spectrum are never followed by others under another header."""
    there = sorted({*exports.stored(export), *exports.uncertain_lines(export)})
    if not there:
        return "Press Review again and accept it as it is now; or have the old value set back, then retry."
    lines = f"Line{'' if len(there) == 1 else 's'} {', '.join(map(str, there))}"
    return (
        f"{lines} went to Spectrum under the old values, and the rest must not follow under others."
        " Have the old value set back, then retry; or remove in Spectrum what is there, and reject it."
    )


def cause(export: Export) -> str:
    """The entry of the catalogue that explains it."""
    return IN_PART if exports.stored(export) or exports.uncertain_lines(export) else WHOLE


def carriers(company: Company, wanted: Mapping[str, Any]) -> int:
    """How many accepted change orders that are not exported yet carry an old value of what is `wanted` otherwise."""
    changed = [name for name in SETTINGS if name in wanted and wanted[name] != getattr(company, name)]
    if not changed:
        return 0
    return _carrying(_accepted(), {SETTINGS[name][0]: _written(getattr(company, name)) for name in changed})


def code_carriers(commitments: Any, field: str, old: str, new: str) -> int:
    """The same of a code: of the accepted change orders of these commitments (a condition of a query over them)."""
    if not old or _same(old, new):
        return 0
    return _carrying(_accepted().join(Commitment).where(commitments), {CODES[field]: old})


def ensure_known(count: int, confirmed: int) -> None:
    """Raises Unconfirmed where more carry an old value than the person has read of."""
    if count > confirmed:
        raise Unconfirmed(count)


def _accepted() -> Any:
    return ChangeOrder.select(ChangeOrder.export).where(ChangeOrder.status.in_(ACCEPTED), ChangeOrder.export.is_null(False))


def _carrying(accepted: Any, old: Mapping[str, str]) -> int:
    """How many of these carry one of the old values, by element."""
    frozen = (_frozen(export) for export in Export.select().where(Export.id.in_(accepted)))
    return sum(any(_same(values[element], value) for element, value in old.items()) for values in frozen)


def _present(change_order: ChangeOrder) -> Iterator[tuple[str, str, str, str]]:
    """Element, its name, its value as it would be frozen now, and who can change it."""
    company, commitment, job = change_order.company, change_order.commitment, change_order.job
    yield *SETTINGS["code"], str(company.code), ADMIN
    yield "Job_Number", "job number", str(job.number), ACCOUNTING
    yield "Customer_Code", "customer code", str(job.customer), ACCOUNTING
    for name, (element, label) in SETTINGS.items():
        if name != "code":
            yield element, label, _written(getattr(company, name)), ADMIN
    yield "Subcontractor_Code", "vendor code", commitment.vendor_code, ACCOUNTING
    yield "Subcontract_Number", "subcontract number", str(commitment.subcontract), ACCOUNTING


def _frozen(export: Export) -> dict[str, str]:
    """The elements of the first line, which all lines repeat as far as they are compared; of the approved date whether there is one."""
    elements = export.lines[0][1]
    return elements | {"Approved_Date": _written(bool(elements["Approved_Date"]))}


def _written(value: Any) -> str:
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def _same(one: str, other: str) -> bool:
    return keys.canonical(one) == keys.canonical(other)
