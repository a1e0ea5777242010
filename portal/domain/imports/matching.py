"""Jobs, vendors and commitments that a file names: found, made, or completed where something was still empty.

What is known here stays. A file that contradicts it in what tells who or what is meant (contradicting, vendors) is refused.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from portal.db import Model
from portal.domain import events, keys
from portal.domain.change_orders import EDITABLE, ChangeOrder
from portal.domain.commitments import UNDER, Commitment, Job, Kind, Vendor
from portal.domain.companies import Company
from portal.domain.imports import contradictions
from portal.domain.imports.duplicates import Resembling
from portal.domain.imports.entries import Entry, Problem, vendor_key
from portal.domain.imports.spellings import Spellings
from portal.domain.imports.vendors import Unclear, Vendors
from portal.domain.people import User
from portal.domain.rules import contributors

T = TypeVar("T", bound=Model)
CODES = {"customer", "code", "subcontract", "vendor", "as_subcontract"}  # as on the page Spectrum codes: who sets one is a contributor


class MasterData:
    """The company's jobs, vendors and commitments by what a file calls them.

    write      False: nothing is saved, for a preview
    conflicts  sentences about facts that stayed although the file states others
    linked     ids, by kind of thing, of what got a code: its change orders may be judged differently now
    """

    def __init__(self, company: Company, by: User | None = None, *, write: bool = True) -> None:
        self.company, self.by, self.write = company, by, write
        self.conflicts: dict[str, None] = {}
        self.linked: dict[str, set[int]] = {"job": set(), "vendor": set(), "commitment": set()}
        jobs = {job.id: job for job in Job.select().where(Job.company == company)}
        vendors = {vendor.id: vendor for vendor in Vendor.select().where(Vendor.company == company)}
        self.jobs = {job.number: job for job in jobs.values()}
        self.vendors = Vendors(vendors.values())
        self.commitments: dict[tuple[str, str], Commitment] = {}
        for commitment in Commitment.select().where(Commitment.job.in_(Job.select(Job.id).where(Job.company == company))):
            commitment.job, commitment.vendor = jobs[commitment.__data__["job"]], vendors.get(commitment.__data__["vendor"])
            commitment.job.company = company
            self.commitments[commitment.job.number, commitment.number] = commitment
        self.spellings = Spellings(self.jobs.values(), self.commitments.values())
        self.resembling = Resembling(self.jobs.values(), self.commitments.values())

    def fill_in_job(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Problem]]:
        """The entries with the job that the file leaves out, where it is known, and all of which it cannot be told what they mean."""
        entries = list(entries)
        self.vendors.hear(entries)
        placed, problems, index = [], [], self._index()
        for entry in entries:
            job_number = entry.job_number or _only(index[entry.job_name.casefold()])
            if not job_number:
                problems.append(Problem(entry.where, "job", _which_job(entry, index)))
                continue
            entry = self.spellings.of(dataclasses.replace(entry, job_number=job_number))
            if unclear := list(self._unclear(entry)):
                problems += [Problem(entry.where, error.field, str(error)) for error in unclear]
            else:
                placed.append(entry)
        return placed, problems

    def _unclear(self, entry: Entry) -> Iterator[Unclear]:
        """Why it cannot be told what the entry means, or that it means something else than is here."""
        known = self._known(entry)
        yield from contradictions.of(entry, self.jobs.get(entry.job_number), known)
        try:
            self.vendors.of(entry, known)
        except Unclear as error:
            yield error

    def commitment(self, entry: Entry) -> Commitment:
        """The entry's commitment, made or completed if need be. Raises vendors.Unclear before anything is."""
        commitment = self._known(entry)
        for contradiction in contradictions.of(entry, self.jobs.get(entry.job_number), commitment):
            raise contradiction
        vendor = self._vendor(entry, commitment)
        job = self._job(entry)
        if commitment is None:
            commitment = self._make(
                Commitment(
                    job=job,
                    vendor=vendor,
                    number=entry.commitment_number,
                    title=entry.commitment_title,
                    kind=entry.kind or Kind.SUBCONTRACT,
                    as_subcontract=bool(entry.as_subcontract),
                    unit_price=bool(entry.unit_price),
                    subcontract=entry.subcontract,
                    original_amount=entry.original_amount,
                )
            )
            self.commitments[job.number, commitment.number] = commitment
            return commitment
        name = f"Commitment {commitment.number} of job {job.number}"
        settled = {name: getattr(entry, name) for name in ("kind", "as_subcontract", "unit_price", "subcontract")}
        settled |= {"original_amount": entry.original_amount, "vendor": vendor}
        self._complete(commitment, name, {"title": entry.commitment_title}, settled)
        return commitment

    def _job(self, entry: Entry) -> Job:
        job = self.jobs.get(entry.job_number)
        if job is None:
            job = self._make(
                Job(company=self.company, number=entry.job_number, name=entry.job_name or entry.job_number, customer=entry.customer)
            )
            self.jobs[job.number] = job
        else:
            job.company = self.company
            self._complete(job, f"Job {job.number}", {"name": entry.job_name}, {"customer": entry.customer})
        return job

    def _known(self, entry: Entry) -> Commitment | None:
        return self.commitments.get((entry.job_number, entry.commitment_number))

    def _vendor(self, entry: Entry, known: Commitment | None) -> Vendor | None:
        """The vendor, made or linked to its code if need be; None while no one has named one. Raises vendors.Unclear."""
        vendor, code = self.vendors.of(entry, known), entry.vendor_code if entry.may_link else ""
        if vendor is None and not entry.vendor_name:
            return None
        if vendor is None:
            return self._new_vendor(" ".join(entry.vendor_name.split()), code)
        if entry.vendor_name and vendor_key(entry.vendor_name) != vendor_key(vendor.name):
            self._conflict(f"Vendor {vendor.code}", "name", vendor.name, entry.vendor_name)
        if code and not vendor.code:
            self._complete(vendor, f"Vendor {vendor.name}", {}, {"code": code})
            self.vendors.link(vendor)
        return vendor

    def _new_vendor(self, name: str, code: str) -> Vendor:
        for other in self.vendors.by_name[vendor_key(name)]:
            self.conflicts[f"Vendor {name}: {other.code} stays as it is; {code} in the file is another vendor of that name."] = None
        vendor = self._make(Vendor(company=self.company, name=name, code=code))
        self.vendors.add(vendor)
        return vendor

    def _make(self, thing: T) -> T:
        if self.write:
            thing.save(force_insert=True)
            events.record(_subject(thing), thing.id, "created", self.by, **_facts(thing))
        return thing

    def _complete(self, thing: Any, name: str, labels: dict[str, Any], settled: dict[str, Any]) -> None:
        """Labels follow the file; settled facts are only filled in where they are empty."""
        changes = {field: value for field, value in labels.items() if value and value != getattr(thing, field)}
        for field, value in settled.items():
            here = getattr(thing, field)
            if value in ("", None) or _are_same(value, here):
                continue
            if here in ("", None) or here is False:
                changes[field] = value
            else:
                self._conflict(name, field, here, value)
        if changes and self.write:
            self._change(thing, changes)
            if changes.keys() & settled.keys():
                self.linked[_subject(thing)].add(thing.id)
            if self.by and changes.keys() & CODES:
                contributors.record_code(UNDER[type(thing)] == thing, self.by)
                contributors.record_setting(_subject(thing), thing.id, changes.keys() & CODES, self.by)
        for field, value in changes.items():
            setattr(thing, field, value)

    def _change(self, thing: Any, changes: dict[str, Any]) -> None:
        """Guarded: what someone else has just filled in stays."""
        model = type(thing)
        before = {field: getattr(thing, field) for field in changes}
        unchanged = [getattr(model, field) == value for field, value in before.items()]
        if model.update(**changes).where(model.id == thing.id, *unchanged).execute():
            old, new = ({field: _for_event(value) for field, value in values.items()} for values in (before, changes))
            events.record(_subject(thing), thing.id, "changed", self.by, old=old, new=new)

    def _conflict(self, name: str, field: str, here: Any, there: Any) -> None:
        self.conflicts[f"{name}: {field.replace('_', ' ')} stays “{here}”; the file says “{there}”."] = None

    def _index(self) -> dict[str, set[str]]:
        """Job numbers by job name."""
        index: dict[str, set[str]] = defaultdict(set)
        for job in self.jobs.values():
            index[job.name.casefold()].add(job.number)
        return index


def affected(linked: dict[str, set[int]]) -> list[int]:
    """Return the change orders of these jobs, vendors and commitments that can still change, to check them again."""
    theirs = Commitment.job.in_(linked["job"]) | Commitment.vendor.in_(linked["vendor"]) | Commitment.id.in_(linked["commitment"])
    query = ChangeOrder.select(ChangeOrder.id).join(Commitment).where(theirs, ChangeOrder.status.in_(EDITABLE))
    return [change_order.id for change_order in query]


def _which_job(entry: Entry, index: dict[str, set[str]]) -> str:
    """Why the job cannot be told. The number of a commitment is no sign of it: each job has an SC-001."""
    if not entry.job_name:
        return f"The file does not say on which job commitment {entry.commitment_number} is. Put its project into the file."
    count = len(index[entry.job_name.casefold()])
    here = f"{count} jobs here are called “{entry.job_name}”" if count else f"a job “{entry.job_name}” is not known here"
    return f"The file does not number the job, and {here}."


def _only(found: set[str]) -> str:
    return next(iter(found)) if len(found) == 1 else ""


def _are_same(value: Any, here: Any) -> bool:
    """Two spellings of one code are."""
    return bool(value == here) or (isinstance(value, str) and isinstance(here, str) and keys.canonical(value) == keys.canonical(here))


def _subject(thing: Any) -> str:
    name: str = type(thing)._meta.table_name
    return name


def _facts(thing: Any) -> dict[str, Any]:
    """What a new thing is, in words that people know: never the id of another one."""
    unsaid = ("id", "company", "key", "loose", "twin")
    told = {name: _for_event(value) for name, value in thing.__data__.items() if name not in unsaid and value not in ("", None)}
    return told | ({"job": thing.job.number, "vendor": thing.vendor_name} if isinstance(thing, Commitment) else {})


def _for_event(value: Any) -> Any:
    """As an event keeps it: amounts as text, and what is not known as nothing."""
    if isinstance(value, Vendor):
        return value.name
    return value if isinstance(value, bool) else "" if value is None else str(value)
