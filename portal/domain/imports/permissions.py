"""What a person may bring in by a file: administrators anything, others drafts of the jobs they are members of."""

import dataclasses
from collections.abc import Sequence

from portal.domain.commitments import Job
from portal.domain.imports.entries import Entry, Problem
from portal.domain.people import Membership, User

CODES = (
    "Spectrum codes in the file (customer, vendor, subcontract) were not saved; they only tell which job, vendor and commitment are meant. "
    "The kind of contract was ignored. Only an administrator can set these."
)


def limited(entries: Sequence[Entry], by: User | None) -> list[Entry]:
    """The entries, whose codes link nothing but where an administrator brings them. `by`: null: anything."""
    return list(entries) if by is None or by.may_administer else [dataclasses.replace(entry, may_link=False) for entry in entries]


def admit(entries: Sequence[Entry], by: User | None) -> tuple[list[Entry], list[Problem]]:
    """The entries the person may write, without what only administrators set, and why the others are refused."""
    if by is None or by.may_administer:
        return list(entries), []
    theirs = {job.number for job in Job.select(Job.number).join(Membership).where(Membership.user == by)}
    reason = "You are not a member of this job. An administrator can add you to it."
    refused = [Problem(entry.where, "job_number", f"{entry.job_number}: {reason}") for entry in entries if entry.job_number not in theirs]
    return [_without_codes(entry) for entry in entries if entry.job_number in theirs], refused


def notes(entries: Sequence[Entry], by: User) -> list[str]:
    """What of the file is passed over for this person."""
    return [] if by.may_administer or not any(map(_has_codes, entries)) else [CODES]


def _without_codes(entry: Entry) -> Entry:
    return dataclasses.replace(entry, customer="", subcontract="", as_subcontract=None, unit_price=None, may_link=False)


def _has_codes(entry: Entry) -> bool:
    return bool(entry.vendor_code) or _without_codes(entry) != dataclasses.replace(entry, may_link=False)
