"""What tells which job or commitment a file means. Where it says otherwise than here, its change orders belong to something else.

A customer code, subcontract number or kind that is not known here yet contradicts nothing: an administrator's file fills it in.
"""

from collections.abc import Iterator

from portal.domain import keys
from portal.domain.commitments import Commitment, Job
from portal.domain.imports.entries import Entry
from portal.domain.imports.vendors import Unclear
from portal.domain.projects.correct_codes import KIND

FIX = "Correct the file, or have an administrator correct the {} on the page Spectrum codes of the commitment."


def of(entry: Entry, job: Job | None, commitment: Commitment | None) -> Iterator[Unclear]:
    """Each contradiction between the entry and the job and commitment that it names, as they are here."""
    if job and _differ(entry.customer, job.customer):
        label = "customer code"
        yield Unclear(f"Job {job.number} has {label} {job.customer} here; the file says {entry.customer}. {FIX.format(label)}", label)
    if commitment is None:
        return
    held = f"Commitment {entry.commitment_number} of job {entry.job_number}"
    if _differ(entry.subcontract, commitment.subcontract):
        label = "subcontract number"
        said = f"{held} has {label} {commitment.subcontract} here; the file says {entry.subcontract}."
        yield Unclear(f"{said} {FIX.format(label)}", label)
    if _differ(entry.kind, commitment.kind):
        yield Unclear(f"{held} is a {commitment.kind} here; the file says {entry.kind}. {FIX.format(KIND)}", KIND)


def _differ(said: str, here: str) -> bool:
    return bool(said and here) and keys.canonical(said) != keys.canonical(here)
