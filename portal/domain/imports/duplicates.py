"""What of a file is new here and looks like something that is there: it is left out unless a person ticks it in the preview."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

from portal.domain import keys
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.imports.entries import Entry


class Resembling:
    """The jobs, commitments and change orders that an entry could be mistaken for: those here, and those of the file before it."""

    def __init__(self, jobs: Iterable[Job], commitments: Iterable[Commitment]) -> None:
        self.numbers: dict[Hashable, set[str]] = defaultdict(set)  # by place and loose form
        self.ids = {(one.job.number, one.number): one.id for one in commitments}
        for job in jobs:
            self._add("", job.number)
        for place, number in self.ids:
            self._add(place, number)

    def of(self, entry: Entry) -> str:
        """What it looks like, as a sentence; empty for what is known here, and for what looks like nothing."""
        job, held, number = entry.job_number, (entry.job_number, entry.commitment_number), entry.draft.number
        return (
            self._like("Job", "", job)
            or self._like("Commitment", job, entry.commitment_number)
            or self._like_here(self.ids.get(held), number)
            or self._like("CCO", held, number)
        )

    def add(self, entry: Entry) -> None:
        """It is in place now, or will be."""
        self._add("", entry.job_number)
        self._add(entry.job_number, entry.commitment_number)
        self._add((entry.job_number, entry.commitment_number), entry.draft.number)

    def _add(self, place: Hashable, number: str) -> None:
        self.numbers[place, keys.loose(number)].add(number)

    def _like(self, name: str, place: Hashable, number: str) -> str:
        there = self.numbers[place, keys.loose(number)]
        return "" if number in there else _sentence(name, number, dict.fromkeys(there, ""))

    def _like_here(self, commitment: int | None, number: str) -> str:
        if commitment is None:
            return ""
        query: Any = ChangeOrder.select(ChangeOrder.number, ChangeOrder.key, ChangeOrder.status).where(
            ChangeOrder.commitment == commitment, ChangeOrder.loose == keys.loose(number)
        )
        there = list(query.order_by(ChangeOrder.id).tuples())
        if any(key == keys.change_order(number) for _, key, _ in there):
            return ""
        return _sentence("CCO", number, {other: f" ({Status(status).label})" for other, _, status in there if status != Status.VOID})


def _sentence(name: str, number: str, there: dict[str, str]) -> str:
    found = next((other for other in there if keys.are_alike(number, other)), None)
    return "" if found is None else f"{name} {number} looks like {found}{there[found]}."
