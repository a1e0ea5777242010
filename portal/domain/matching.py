"""Jobs, vendors and commitments that a file names: found, made, or completed where something was still empty.

What is known here stays: a code that a person linked is not overwritten by a file, only told.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from portal.db import Model
from portal.domain import events
from portal.domain.change_orders import EDITABLE, ChangeOrder
from portal.domain.commitments import Commitment, Job, Kind, Vendor
from portal.domain.companies import Company
from portal.domain.entries import Entry, Problem, vendor_key
from portal.domain.people import User

T = TypeVar("T", bound=Model)


class Books:
    """The company's jobs, vendors and commitments by what a file calls them.

    write     False: nothing is saved, for a preview
    kept      sentences about facts that stayed although the file states others
    linked    ids, by kind of thing, of what got a code: its change orders may be judged differently now
    """

    def __init__(self, company: Company, by: User | None = None, *, write: bool = True) -> None:
        self.company, self.by, self.write = company, by, write
        self.kept: dict[str, None] = {}
        self.linked: dict[str, set[int]] = {"job": set(), "vendor": set(), "commitment": set()}
        jobs = {job.id: job for job in Job.select().where(Job.company == company)}
        vendors = {vendor.id: vendor for vendor in Vendor.select().where(Vendor.company == company)}
        self.jobs = {job.number: job for job in jobs.values()}
        self.vendors = {vendor_key(vendor.name): vendor for vendor in vendors.values()}
        self.commitments: dict[tuple[str, str], Commitment] = {}
        for commitment in Commitment.select().where(Commitment.job.in_(Job.select(Job.id).where(Job.company == company))):
            commitment.job, commitment.vendor = jobs[commitment.__data__["job"]], vendors[commitment.__data__["vendor"]]
            commitment.job.company = company
            self.commitments[commitment.job.number, commitment.number] = commitment

    def place(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Problem]]:
        """The entries with the job and vendor that the file leaves out, where they are known."""
        placed, problems, index = [], [], self._index()
        for entry in entries:
            job_number = entry.job_number or _only(index[_clue(entry)])
            known = self.commitments.get((job_number, entry.commitment_number))
            if not job_number:
                problems.append(
                    Problem(entry.where, "job", f"The file does not number the job, and {_clue_words(entry)} is not known here.")
                )
            elif not entry.vendor_name and known is None:
                problems.append(
                    Problem(entry.where, "vendor", f"Commitment {entry.commitment_number} is new here, and the file names no vendor.")
                )
            else:
                placed.append(dataclasses.replace(entry, job_number=job_number))
        return placed, problems

    def commitment(self, entry: Entry) -> Commitment:
        """The entry's commitment, made or completed if need be."""
        job, vendor = self._job(entry), self._vendor(entry)
        commitment = self.commitments.get((job.number, entry.commitment_number))
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
        if vendor is not None and vendor is not commitment.vendor:
            self._keep(name, "vendor", commitment.vendor.name, vendor.name)
        settled = {name: getattr(entry, name) for name in ("kind", "as_subcontract", "unit_price", "subcontract")}
        self._complete(commitment, name, {"title": entry.commitment_title}, settled | {"original_amount": entry.original_amount})
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

    def _vendor(self, entry: Entry) -> Vendor | None:
        """The vendor; None when the file leaves it to the known commitment."""
        if not entry.vendor_name:
            return None
        vendor = self.vendors.get(vendor_key(entry.vendor_name))
        if vendor is None:
            vendor = self._make(Vendor(company=self.company, name=" ".join(entry.vendor_name.split()), code=entry.vendor_code))
            self.vendors[vendor_key(vendor.name)] = vendor
        else:
            self._complete(vendor, f"Vendor {vendor.name}", {}, {"code": entry.vendor_code})
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
            if value in ("", None) or value == here:
                continue
            if here in ("", None) or here is False:
                changes[field] = value
            else:
                self._keep(name, field, here, value)
        if changes and self.write:
            self._change(thing, changes)
            if changes.keys() & settled.keys():
                self.linked[_subject(thing)].add(thing.id)
        thing.__data__.update(changes)

    def _change(self, thing: Any, changes: dict[str, Any]) -> None:
        """Guarded: what somebody else has just filled in stays."""
        model = type(thing)
        before = {field: getattr(thing, field) for field in changes}
        unchanged = [getattr(model, field) == value for field, value in before.items()]
        if model.update(**changes).where(model.id == thing.id, *unchanged).execute():
            old, new = ({field: _told(value) for field, value in values.items()} for values in (before, changes))
            events.record(_subject(thing), thing.id, "changed", self.by, old=old, new=new)

    def _keep(self, name: str, field: str, here: Any, there: Any) -> None:
        words = {"subcontract": "subcontract number"}.get(field, field.replace("_", " "))
        self.kept[f"{name}: {words} stays “{here}”; the file says “{there}”."] = None

    def _index(self) -> dict[tuple[str, str], set[str]]:
        """Job numbers by job name and by commitment number."""
        index: dict[tuple[str, str], set[str]] = defaultdict(set)
        for job in self.jobs.values():
            index["name", job.name.casefold()].add(job.number)
        for number, commitment in self.commitments:
            index["commitment", commitment].add(number)
        return index


def affected(linked: dict[str, set[int]]) -> list[int]:
    """The change orders of these jobs, vendors and commitments that can still change, for judging them anew."""
    theirs = Commitment.job.in_(linked["job"]) | Commitment.vendor.in_(linked["vendor"]) | Commitment.id.in_(linked["commitment"])
    query = ChangeOrder.select(ChangeOrder.id).join(Commitment).where(theirs, ChangeOrder.status.in_(EDITABLE))
    return [change_order.id for change_order in query]


def _clue(entry: Entry) -> tuple[str, str]:
    """What tells the job of an entry that does not number it."""
    return ("name", entry.job_name.casefold()) if entry.job_name else ("commitment", entry.commitment_number)


def _clue_words(entry: Entry) -> str:
    return f"a job “{entry.job_name}”" if entry.job_name else f"a job with commitment {entry.commitment_number}"


def _only(found: set[str]) -> str:
    return next(iter(found)) if len(found) == 1 else ""


def _subject(thing: Any) -> str:
    name: str = type(thing)._meta.table_name
    return name


def _facts(thing: Any) -> dict[str, Any]:
    """What a new thing is, in words that people know: never the id of another one."""
    told = {name: _told(value) for name, value in thing.__data__.items() if name not in ("id", "company") and value not in ("", None)}
    return told | ({"job": thing.job.number, "vendor": thing.vendor.name} if isinstance(thing, Commitment) else {})


def _told(value: Any) -> Any:
    """As an event keeps it: amounts as text, and what is not known as nothing."""
    return value if isinstance(value, bool) else "" if value is None else str(value)
