"""A file's numbers of jobs, commitments and change orders as they are spelled here, or as the file spelled them first."""

import dataclasses
from collections.abc import Hashable, Iterable

from portal.domain import keys
from portal.domain.commitments import Commitment, Job
from portal.domain.imports.entries import Entry


class Spellings:
    """One spelling for each key, so that whatever is equal by its key is equal by the letter from here on."""

    def __init__(self, jobs: Iterable[Job], commitments: Iterable[Commitment]) -> None:
        self.first: dict[Hashable, str] = {}
        self.known: set[Hashable] = set()
        for job in sorted(jobs, key=lambda one: one.twin):
            self._learn("", job.key, job.number)
        for commitment in sorted(commitments, key=lambda one: one.twin):
            self._learn(commitment.job.number, commitment.key, commitment.number)

    def of(self, entry: Entry) -> Entry:
        """The entry with its numbers as they are spelled here; one without a job stays as it is."""
        if not entry.job_number:
            return entry
        job = self._spelled("", keys.job(entry.job_number), entry.job_number)
        commitment = self._spelled(job, keys.commitment(entry.commitment_number), entry.commitment_number)
        number = self._spelled((job, commitment), keys.change_order(entry.draft.number), entry.draft.number)
        return dataclasses.replace(
            entry, job_number=job, commitment_number=commitment, draft=dataclasses.replace(entry.draft, number=number)
        )

    def _learn(self, place: Hashable, key: str, number: str) -> None:
        self.first.setdefault((place, key), number)
        self.known.add((place, number))

    def _spelled(self, place: Hashable, key: str, number: str) -> str:
        """Two that an earlier portal made of one key are told apart by the letter."""
        return number if (place, number) in self.known else self.first.setdefault((place, key), keys.plain(number))
