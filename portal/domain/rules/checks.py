"""Every rule a change order must meet, one small function each; the same ones for the project, the approver and the worker.

The numbers are those of the table in docs/rules.md. A rule answers with findings: what is wrong, who can mend it, how.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from portal.domain import keys, money
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.companies import Company
from portal.domain.rules import duplicates, spectrum_lists, spectrum_numbers
from portal.domain.rules.duplicates import Likeness
from portal.domain.rules.spectrum_lists import Known
from portal.spectrum import records

PROJECT, ACCOUNTING, ADMIN = "the project team", "accounting", "an administrator"
IMPORT_JOB = "Import its commitments under the job number that Spectrum has."
SET_CODE = "An administrator or approver sets it on the page of the commitment, under Spectrum codes."
CORRECT_CODE = SET_CODE.replace("sets", "corrects")
KEY_CHARACTERS = re.compile(r"""[/*?"'><#,&~]""")  # Spectrum refuses these in key fields
LONGEST_TITLE, LONGEST_DESCRIPTION = 30, 250


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found.

    rule   number of the rule
    field  name of the form field or fact it is about
    text   what is wrong and why
    who    who can mend it
    fix    what to do
    place  position and column of the one line it is about, such as (2, "amount"); None where it is about no line or several
    """

    rule: int
    field: str
    text: str
    who: str = PROJECT
    fix: str = ""
    blocking: bool = True
    place: tuple[int, str] | None = None

    def __str__(self) -> str:
        return f"{self.text} {self.fix}".strip()


class Blocked(Exception):
    """Rules forbid the step; `findings` are all of them, warnings included."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(" ".join(str(finding) for finding in blocking(findings)))
        self.findings = findings


Rule = Callable[[ChangeOrder], Iterator[Finding]]


def number(co: ChangeOrder) -> Iterator[Finding]:
    if not 1 <= len(co.number.strip()) <= 12:
        yield Finding(1, "number", "The CCO number needs 1 to 12 characters.", fix="Give it a number that is unique in the commitment.")
    elif unseen := keys.odd(co.number):
        yield Finding(1, "number", f"The CCO number {unseen.removesuffix(' Delete it.')}", fix="Delete it.")
    elif taken := _same_number(co):
        yield Finding(1, "number", f"Commitment {co.commitment.number} already has a CCO {taken}.", fix="Choose another number.")


def title(co: ChangeOrder) -> Iterator[Finding]:
    yield from title_length(co.title)


def title_length(text: str) -> Iterator[Finding]:
    length = len(text.strip())
    if not length:
        yield Finding(2, "title", "The title is empty.", fix="Give it a title of 1 to 30 characters.")
    elif length > LONGEST_TITLE:
        yield Finding(2, "title", f"The title has {length} characters; Spectrum holds 30.", fix="Shorten the title.")


def project_status(co: ChangeOrder) -> Iterator[Finding]:
    if co.project_status.casefold() != "approved":
        yield Finding(
            3,
            "project_status",
            f"The change order is “{co.project_status}” on the project, not Approved.",
            fix="Approve it in the project system, and bring it from there again.",
        )


def commitment(co: ChangeOrder) -> Iterator[Finding]:
    held = co.commitment
    if held.is_purchase_order and not held.as_subcontract:
        yield Finding(
            4,
            "commitment",
            f"Spectrum takes change orders for subcontracts only. {held.number} is a purchase order.",
            ACCOUNTING,
            "Enter the order in Spectrum as a subcontract and say so on the page of the commitment, under Spectrum codes.",
        )
    if not held.subcontract:
        yield Finding(4, "commitment", f"Commitment {held.number} has no Spectrum subcontract number.", ACCOUNTING, SET_CODE)
    else:
        yield from _key(4, "commitment", f"Subcontract number {held.subcontract}", held.subcontract)


def vendor(co: ChangeOrder) -> Iterator[Finding]:
    linked = co.commitment.vendor
    if linked is None:
        text = f"Commitment {co.commitment.number} has no vendor."
        yield Finding(5, "vendor", text, ACCOUNTING, SET_CODE)
    elif not linked.code:
        yield Finding(5, "vendor", f"Vendor {linked.name} has no Spectrum vendor code.", ACCOUNTING, SET_CODE)
    else:
        yield from _key(5, "vendor", f"Vendor code {linked.code}", linked.code)


def job(co: ChangeOrder) -> Iterator[Finding]:
    if not co.job.number:
        yield Finding(6, "job", f"Project {co.job.name} has no Spectrum job number.", ACCOUNTING, IMPORT_JOB)
    else:
        yield from _key(6, "job", f"Job number {co.job.number}", co.job.number, ACCOUNTING, IMPORT_JOB)
    if not co.job.customer:
        yield Finding(6, "job", f"Job {co.job.number} has no customer in Spectrum. A change request needs one.", ACCOUNTING, SET_CODE)
    else:
        yield from _key(6, "job", f"Customer code {co.job.customer}", co.job.customer)


def lines(co: ChangeOrder) -> Iterator[Finding]:
    if not co.lines:
        yield Finding(7, "lines", "There are no lines.", fix="Add at least one line with cost code, cost type and amount.")
    for line in co.lines:
        missing = [(column, name) for column, name, value in _needed(line) if not value]
        if missing:
            text = f"Line {line.position} has no {' and no '.join(name for _, name in missing)}."
            yield Finding(7, "lines", text, fix="Fill it in.", place=(line.position, missing[0][0]))
        yield from _at(line, "phase_code", cost_code(line))
        yield from _at(line, "cost_type", cost_type(line))
        yield from _at(line, "bid_item", bid_item(co, line))


def cost_type(line: LineItem) -> Iterator[Finding]:
    name = f"Cost type {line.cost_type} on line {line.position}"
    if len(line.cost_type) > 3:
        yield Finding(7, "lines", f"{name} is longer than Spectrum's 3 characters.", fix="Use Spectrum's code of the cost type.")
    yield from _bad_characters(7, "lines", name, line.cost_type)


def bid_item(co: ChangeOrder, line: LineItem) -> Iterator[Finding]:
    if co.commitment.unit_price and not line.bid_item.strip():
        text = f"Line {line.position} needs a subcontract bid item: {co.commitment.number} is a unit price contract."
        yield Finding(7, "lines", text, fix="Fill in its bid item.")
    if line.bid_item:
        yield from _key(7, "lines", f"Bid item {line.bid_item} on line {line.position}", line.bid_item, PROJECT, "Correct the code.")


def cost_code(line: LineItem) -> Iterator[Finding]:
    """Judged as it is sent: without its dashes, which may leave a blank at an end."""
    phase = records.without_dashes(line.phase_code)
    if len(phase) > 20:
        text = f"Cost code {line.phase_code} on line {line.position} has {len(phase)} characters; Spectrum holds 20."
        yield Finding(7, "lines", text, fix="Shorten it.")
    if phase.strip() and phase != phase.strip():
        text = (
            f"Cost code “{line.phase_code}” on line {line.position} begins or ends with a blank once its dashes are left out for Spectrum."
        )
        yield Finding(7, "lines", text, fix="Delete the blank.")
    yield from _bad_characters(7, "lines", f"Cost code {phase} on line {line.position}", phase)


def job_in_spectrum(co: ChangeOrder, known: Known) -> Iterator[Finding]:
    number, told = co.job.number, known.job
    if told is None:
        if number and known.jobs_whole:
            text = f"Job {number} was not found in Spectrum (it may be Complete)."
            yield Finding(6, "job", text, ACCOUNTING, "Set the job up in Spectrum under this number, or open it there.")
        return
    if not told.contract:
        yield Finding(6, "job", f"Job {number} has no contract in Spectrum.", ACCOUNTING, "Set up the contract first.")
    if not told.customer and co.job.customer:
        yield Finding(6, "job", f"Job {number} has no customer in Spectrum. A change request needs one.", ACCOUNTING, "Set it there.")
    elif co.job.customer and told.customer != keys.customer(co.job.customer):
        text = f"Job {number} belongs to customer {told.customer} in Spectrum, not {co.job.customer}."
        yield Finding(6, "job", text, ACCOUNTING, "Make sure that the job has several customers.", blocking=False)


def vendor_in_spectrum(co: ChangeOrder, known: Known) -> Iterator[Finding]:
    linked = co.commitment.vendor
    if linked and linked.code and known.vendors_whole and not known.vendor:
        fix = f"Make vendor code {linked.code} active there, or correct it on the page of the commitment, under Spectrum codes."
        yield Finding(5, "vendor", f"Vendor {linked.name} is not active in Spectrum.", ACCOUNTING, fix)


def phases_in_spectrum(co: ChangeOrder, known: Known) -> Iterator[Finding]:
    """Rule 8, as far as Spectrum was asked."""
    for line in co.lines:
        phase, cost_type = keys.phase(line.phase_code), keys.cost_type(line.cost_type)
        if not phase or not cost_type:
            continue
        status, name = known.phases.get((phase, cost_type)), f"Phase {line.phase_code} / cost type {line.cost_type}"
        if status == spectrum_lists.COMPLETE:
            text = f"Phase {line.phase_code} is Complete on job {co.job.number}."
            fix = "Open it in Spectrum, or use another one."
            yield Finding(8, "lines", text, ACCOUNTING, fix, place=(line.position, "phase_code"))
        elif status is None and known.phases_whole:
            text = f"{name} does not exist on job {co.job.number} in Spectrum."
            yield Finding(8, "lines", text, ACCOUNTING, "Set it up there, or use another one.", place=(line.position, "phase_code"))


def repeats(co: ChangeOrder) -> Iterator[Finding]:
    """Spectrum keeps one line per phase, cost type, subcontract and bid item: a second one overwrites the first."""
    same = defaultdict(list)
    for line in co.lines:
        if line.phase_code and line.cost_type:
            same[keys.phase(line.phase_code), keys.cost_type(line.cost_type), keys.bid_item(line.bid_item)].append(line.position)
    for positions in same.values():
        if len(positions) > 1:
            listed = f"{', '.join(map(str, positions[:-1]))} and {positions[-1]}"
            yield Finding(
                9,
                "lines",
                f"Lines {listed} use the same phase, cost type and subcontract. Spectrum keeps one line per combination.",
                fix="Combine them into one line.",
            )


def amounts(co: ChangeOrder) -> Iterator[Finding]:
    for line in co.lines:
        if line.amount is not None and abs(line.amount) > money.LARGEST:
            text = f"The amount on line {line.position} has more than 10 digits before the point."
            yield Finding(10, "lines", text, fix="Correct the amount.", place=(line.position, "amount"))
        if line.quantity is not None and not _fits_quantity(line.quantity):
            yield Finding(
                10,
                "lines",
                f"Quantity {line.quantity:f} on line {line.position} is too large or has more than 2 decimals for Spectrum.",
                fix="Correct the quantity or leave it empty.",
                place=(line.position, "quantity"),
            )
    if abs(co.amount) > money.LARGEST:
        yield Finding(10, "amount", "The total has more than 10 digits before the point.", fix="Correct the total.")


def total(co: ChangeOrder) -> Iterator[Finding]:
    if co.lines and co.tax and co.line_total + co.tax == co.amount:
        text = f"The total of {co.amount:,.2f} contains the tax of {co.tax:,.2f}; the lines add up to {co.line_total:,.2f}."
        yield Finding(11, "amount", text, fix="State the total without the tax.")
    elif co.lines and co.line_total != co.amount:
        yield Finding(
            11, "amount", f"The lines add up to {co.line_total:,.2f}, the CCO says {co.amount:,.2f}.", fix="Correct the lines or the total."
        )


def tax(co: ChangeOrder) -> Iterator[Finding]:
    if co.tax and co.company.tax_allowed:
        yield Finding(14, "tax", f"The tax of {co.tax:,.2f} is not sent: Spectrum gets the lines.", blocking=False)
    elif co.tax:
        text = f"The change order states a tax of {co.tax:,.2f}. Your company sends none, and Spectrum would not get it."
        fix = "Leave the tax out, or have an administrator allow it under Settings, Company."
        yield Finding(14, "tax", text, fix=fix)


def currency(co: ChangeOrder) -> Iterator[Finding]:
    books = co.company.currency
    if co.currency != books:
        text = f"The amounts are in {co.currency}; your company keeps its books in {books}."
        yield Finding(15, "currency", text, fix=f"State the change order in {books}.")


def zeros(co: ChangeOrder) -> Iterator[Finding]:
    if co.lines and not any(line.amount for line in co.lines):
        yield Finding(12, "lines", "All lines are zero: nothing to export.", fix="Enter the amounts or void the change order.")
        return
    for line in co.lines:
        if line.amount is not None and not line.amount:
            text = f"Line {line.position} is zero and will not be exported."
            yield Finding(12, "lines", text, blocking=False, place=(line.position, "amount"))
    if co.lines and co.amount <= 0:
        word = "zero" if not co.amount else "a credit"
        yield Finding(12, "amount", f"The total is {word}.", fix="Make sure that this is meant.", blocking=False)


def description_length(co: ChangeOrder) -> Iterator[Finding]:
    if len(co.description) > LONGEST_DESCRIPTION and not records.unfoldable(co.number + co.title + co.description):
        received = records.describe(co.number, co.title, co.description)
        text = f"The description has {len(co.description)} characters; Spectrum gets: “{received}”"
        yield Finding(13, "description", text, blocking=False)


def characters(co: ChangeOrder) -> Iterator[Finding]:
    for field, text in (("CCO number", co.number), ("title", co.title), ("description", co.description)):
        yield from characters_of(field, text)


def characters_of(field: str, text: str) -> Iterator[Finding]:
    bare = text.replace("\n", " ").replace("\r", " ").replace("\t", " ") if field == "description" else text
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in bare):
        yield Finding(16, field, f"The {field} contains control characters.", fix="Delete them; they often come with copied text.")
    elif lost := records.unfoldable(bare):
        yield Finding(16, field, f"The {field} contains characters Spectrum cannot store: {lost}", fix="Replace them.")
    elif not bare.isascii():
        yield Finding(16, field, f"Spectrum stores plain letters only: the {field} will read “{records.fold(text)}”.", blocking=False)


def spectrum_number(co: ChangeOrder, wanted: str) -> Iterator[Finding]:
    kept = spectrum_numbers.kept(co)
    if kept and wanted != kept:
        text = f"This change order has the Spectrum number {kept} for good."
        yield Finding(17, "number", text, ACCOUNTING, f"Keep {kept}: another number would leave its earlier lines behind in Spectrum.")
    elif not kept and not co.company.edit_number and wanted != spectrum_numbers.propose(co):
        yield Finding(
            17, "number", "Your company does not let approvers change the Spectrum number.", ADMIN, f"Use {spectrum_numbers.propose(co)}."
        )
    elif not records.NUMBER_PATTERN.fullmatch(wanted):
        text = "The Spectrum number needs 1 to 8 characters out of A-Z, 0-9 and the dash."
        yield Finding(17, "number", text, ACCOUNTING, f"For example {spectrum_numbers.propose(co)}.")
    elif holder := spectrum_numbers.holder_of(co, wanted):
        text = f"The number {wanted} is already used in Spectrum for job {co.job.number} by {spectrum_numbers.named(holder)}."
        yield Finding(17, "number", text, ACCOUNTING, "Pick another.")
    elif not kept and (why := spectrum_numbers.passed_over(co)):
        yield Finding(17, "number", f"{why}; {wanted} is used instead.", ACCOUNTING, blocking=False)


def custom_title(co: ChangeOrder, title: str | None, description: str | None) -> Iterator[Finding]:
    """Rule 18: the approver's own words for Spectrum, where the company allows them."""
    if title is None and description is None:
        return
    if not co.company.custom_title:
        yield Finding(18, "title", "Your company exports titles as they are.", ADMIN, "Switch on custom titles in the company settings.")
        return
    for finding in [*title_length(title or ""), *characters_of("title", title or ""), *characters_of("description", description or "")]:
        yield Finding(18, finding.field, finding.text, ACCOUNTING, finding.fix, finding.blocking)
    if len(description or "") > LONGEST_DESCRIPTION:
        text = f"The description has {len(description or '')} characters; Spectrum holds 250."
        yield Finding(18, "description", text, ACCOUNTING, "Shorten it.")


def accounting_date(company: Company, wanted: date | None) -> Iterator[Finding]:
    if wanted is None:
        return
    first, last = company.period_from, company.period_to
    if not company.accounting_dates:
        text = "Your company does not set accounting dates."
        yield Finding(19, "accounting_date", text, ADMIN, "Switch them on in the company settings.")
    elif (first and wanted < first) or (last and wanted > last):
        period = f"from {first:%m/%d/%Y}" if first else ""
        period += f"{' ' if period else ''}to {last:%m/%d/%Y}" if last else ""
        text = f"The accounting date {wanted:%m/%d/%Y} is not in the open period {period}."
        yield Finding(19, "accounting_date", text, ACCOUNTING, "Choose a date in the period, or leave it empty.")


def company_settings(company: Company) -> Iterator[Finding]:
    """Rule 20: without these nothing can be exported."""
    needed = {
        "company code": company.code,
        "change request status": company.cr_status,
        "cost-reimbursable flag": company.cost_reimbursable,
        "subcontract status": company.sub_status,
    }
    if missing := [name for name, value in needed.items() if not value]:
        text = f"Export is off: the company settings lack the Spectrum {', the '.join(missing)}."
        yield Finding(20, "company", text, ADMIN, "Set it under Settings, Company.")
    elif company.sub_status == "E":
        text = "Spectrum needs an existing subcontract change order number to mark this as executed."
        yield Finding(20, "company", text, ADMIN, "Choose P (proposed) under Settings, Company.")
    elif company.cr_approves and company.cost_reimbursable == "N":
        text = "Spectrum takes a status of type 1 or 2 for cost-reimbursable change requests only."
        yield Finding(20, "company", text, ADMIN, "Choose the flag Y, or a status of another type, under Settings, Company.")


def look_alikes(found: Iterable[Likeness]) -> Iterator[Finding]:
    """Rule 23: what looks like another one waits until a person says that it is not the same."""
    for one in found:
        fix = "" if one.said else "Correct the number, or say on the page of the change order that it is another one."
        yield Finding(23, duplicates.FIELDS[one.kind], one.text, fix=fix, blocking=not one.said)


AT_SEND: tuple[Rule, ...] = (
    number, title, project_status, commitment, vendor, job, lines, repeats, amounts, total, zeros, description_length,
    tax, currency, characters,
)  # fmt: skip
AT_ACCEPT: tuple[Rule, ...] = (title, commitment, vendor, job, lines, repeats, amounts, total, zeros, tax, currency, characters)
IN_SPECTRUM = (job_in_spectrum, vendor_in_spectrum, phases_in_spectrum)


def at_send(co: ChangeOrder, known: Known | None = None, alike: Sequence[Likeness] | None = None) -> list[Finding]:
    """All findings that matter before a change order may go to accounting. `known`: see in_spectrum; `alike`: likenesses.of."""
    found = duplicates.of_one(co) if alike is None else alike
    return [*(finding for rule in AT_SEND for finding in rule(co)), *look_alikes(found), *in_spectrum(co, known)]


def on_review(co: ChangeOrder, known: Known | None = None, alike: Sequence[Likeness] | None = None) -> list[Finding]:
    """What the approver sees in the Checks column: the rules about the change order itself, with `known` and `alike` as at_send."""
    found = [one for one in (duplicates.of_one(co) if alike is None else alike) if one.at_accounting]
    return [*(finding for rule in AT_ACCEPT for finding in rule(co)), *look_alikes(found), *in_spectrum(co, known)]


def in_spectrum(co: ChangeOrder, known: Known | None = None) -> list[Finding]:
    """What Spectrum's own lists say against it. `known` is what they say, where a list asked for many at once (lookups.known)."""
    told = spectrum_lists.known_of(co) if known is None else known
    return [finding for rule in IN_SPECTRUM for finding in rule(co, told)]


def at_accept(co: ChangeOrder, number: str, title: str | None, description: str | None, on: date | None = None) -> list[Finding]:
    """All findings of an Accept with this Spectrum number, these words and this accounting date."""
    replaced = {field for field, words in (("title", title), ("description", description)) if words is not None}
    return [
        *company_settings(co.company),
        *spectrum_number(co, number),
        *custom_title(co, title, description),
        *accounting_date(co.company, on),
        *(finding for finding in on_review(co) if finding.field not in replaced),
    ]


def before_send(co: ChangeOrder) -> list[Finding]:
    """What can change between Accept and the first byte: blocking findings only. What looks alike was judged at Accept."""
    return blocking([*company_settings(co.company), *on_review(co, alike=())])


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.blocking]


def require(findings: list[Finding]) -> None:
    """Raise Blocked if any of them blocks."""
    if blocking(findings):
        raise Blocked(findings)


def verdict(findings: list[Finding]) -> str:
    """`clean`, `warn` or `block`: the worst of them."""
    if blocking(findings):
        return "block"
    return "warn" if findings else "clean"


def _needed(line: LineItem) -> Iterable[tuple[str, str, bool]]:
    return (
        ("phase_code", "cost code", bool(records.without_dashes(line.phase_code).strip())),
        ("cost_type", "cost type", bool(line.cost_type.strip())),
        ("amount", "amount", line.amount is not None),
    )


def _at(line: LineItem, column: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same findings, placed."""
    return (replace(finding, place=(line.position, column)) for finding in findings)


def _key(rule: int, field: str, name: str, value: str, who: str = ACCOUNTING, fix: str = CORRECT_CODE) -> Iterator[Finding]:
    if len(value) > 10:
        yield Finding(rule, field, f"{name} has {len(value)} characters; Spectrum allows 10.", who, fix)
    if value != value.strip():
        yield Finding(rule, field, f"{name} begins or ends with a blank.", who, fix)
    yield from _bad_characters(rule, field, name, value, who, fix)


def _bad_characters(rule: int, field: str, name: str, value: str, who: str = PROJECT, fix: str = "Correct the code.") -> Iterator[Finding]:
    if KEY_CHARACTERS.search(value) or not value.isascii() or not value.isprintable():
        yield Finding(rule, field, f"{name} contains characters Spectrum does not take in codes.", who, fix)


def _fits_quantity(quantity: Decimal) -> bool:
    return quantity.is_finite() and abs(quantity) <= Decimal("9999999.99") and quantity == quantity.quantize(Decimal("0.01"))


def _same_number(co: ChangeOrder) -> str:
    """How the other one spells it. Two that an earlier portal made of one key are look-alikes: to correct one is not to rename it."""
    key = keys.change_order(co.number)
    if co.twin and key == co.key:
        return ""
    same = ChangeOrder.commitment == co.commitment_id, ChangeOrder.key == key, ChangeOrder.twin == 0, ChangeOrder.id != (co.id or 0)
    return ChangeOrder.select(ChangeOrder.number).where(*same).limit(1).scalar() or ""
