"""Rules about what Spectrum needs and knows: job, vendor, commitment, phases, number, settings."""

from collections.abc import Iterator
from datetime import date

from portal.domain import keys
from portal.domain.change_orders import ChangeOrder
from portal.domain.companies import Company
from portal.domain.rules import spectrum_lists, spectrum_numbers, text_rules
from portal.domain.rules.findings import ACCOUNTING, ADMIN, Finding
from portal.domain.rules.spectrum_lists import Known
from portal.domain.rules.text_rules import LONGEST_DESCRIPTION, SET_CODE
from portal.spectrum import records

IMPORT_JOB = "Import its commitments under the job number that Spectrum has."


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
        yield from text_rules.key_code(4, "commitment", f"Subcontract number {held.subcontract}", held.subcontract)


def vendor(co: ChangeOrder) -> Iterator[Finding]:
    linked = co.commitment.vendor
    if linked is None:
        text = f"Commitment {co.commitment.number} has no vendor."
        yield Finding(5, "vendor", text, ACCOUNTING, SET_CODE)
    elif not linked.code:
        yield Finding(5, "vendor", f"Vendor {linked.name} has no Spectrum vendor code.", ACCOUNTING, SET_CODE)
    else:
        yield from text_rules.key_code(5, "vendor", f"Vendor code {linked.code}", linked.code)


def job(co: ChangeOrder) -> Iterator[Finding]:
    if not co.job.number:
        yield Finding(6, "job", f"Project {co.job.name} has no Spectrum job number.", ACCOUNTING, IMPORT_JOB)
    else:
        yield from text_rules.key_code(6, "job", f"Job number {co.job.number}", co.job.number, ACCOUNTING, IMPORT_JOB)
    if not co.job.customer:
        yield Finding(6, "job", f"Job {co.job.number} has no customer in Spectrum. A change request needs one.", ACCOUNTING, SET_CODE)
    else:
        yield from text_rules.key_code(6, "job", f"Customer code {co.job.customer}", co.job.customer)


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
    for finding in [
        *text_rules.title_length(title or ""),
        *text_rules.characters_of("title", title or ""),
        *text_rules.characters_of("description", description or ""),
    ]:
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
