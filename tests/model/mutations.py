"""A model that misses a fault proves nothing: each fault below was in the portal once, and the machine finds it when it is put back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase

from portal.domain import events, keys
from portal.domain.change_orders import SUBJECT, ChangeOrder
from portal.domain.events import Event
from portal.domain.exporting import outdated
from portal.domain.projects import statements
from portal.domain.projects.sending import Draft
from portal.domain.projects.statements import News
from portal.domain.review import signature
from portal.domain.rules import contributors, spectrum_numbers
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from tests.model.desk import Desk
from tests.model.model import Broken
from tests.model.run import STEPS, run

ENOUGH = 1000  # examples in which each fault is found
Patch = pytest.MonkeyPatch


def reserve_in_part(patch: Patch) -> None:
    """A number that the change order has under any key is not reserved again."""
    whole = spectrum_numbers.reserve

    def reserve(change_order: ChangeOrder, number: str) -> None:
        last = SpectrumNumber.select().where(SpectrumNumber.change_order == change_order).order_by(SpectrumNumber.turn.desc()).first()
        if last is None or last.number != number:
            whole(change_order, number)

    patch.setattr(spectrum_numbers, "reserve", reserve)


def compare_nothing_with_its_source(patch: Patch) -> None:
    """What was frozen is sent, whatever its sources say by now."""
    patch.setattr(outdated, "findings", lambda change_order, export: [])


def guard_one_row(patch: Patch) -> None:
    """The version of the change order is all that an Accept looks at."""
    patch.setattr(signature, "require", lambda change_order, seen: None)


def take_numbers_by_the_letter(patch: Patch) -> None:
    """Two spellings are two things, and nothing looks like another."""
    for name in [name for name, value in vars(keys).items() if value is keys.canonical]:
        patch.setattr(keys, name, str.strip)
    patch.setattr(keys, "plain", str.strip)
    patch.setattr(keys, "loose", str.strip)
    patch.setattr(keys, "odd", lambda text: "")
    patch.setattr(keys, "are_alike", lambda one, other: False)


def compare_files_with_the_draft(patch: Patch) -> None:
    """Whatever differs from the draft here is news."""

    def weigh(here: ChangeOrder, draft: Draft, source: str) -> News:
        return News.NONE if statements._stated(here, draft) == statements._content(here) else News.FRESH

    patch.setattr(statements, "weigh", weigh)


def count_contributors_by_revision(patch: Patch) -> None:
    """Who wrote an earlier revision has no hand in this one."""

    def of_all(rows: list[ChangeOrder]) -> dict[int, dict[int, str]]:
        return {row.id: _wrote(row) | dict.fromkeys(contributors.authors(row), "wrote") for row in rows}

    patch.setattr(contributors, "of_all", of_all)


def _wrote(row: ChangeOrder) -> dict[int, str]:
    written = Event.select().where(Event.subject == SUBJECT, Event.ref == row.id, Event.action.in_(("created", "edited", "sent")))
    wrote: dict[int, str] = {}
    for event in written:
        if event.facts.get("revision", row.revision) == row.revision:
            people = event.facts.get(events.MAKER), event.actor_id if event.action == "edited" else None
            wrote |= {person: "wrote" for person in people if person}
    return wrote


FAULTS: dict[str, Callable[[Patch], None]] = {
    "a number is reserved in part": reserve_in_part,
    "a frozen copy is never compared with its source": compare_nothing_with_its_source,
    "the version guards one row": guard_one_row,
    "identity comes before the canonical form": take_numbers_by_the_letter,
    "an import brings back what was refused": compare_files_with_the_draft,
    "four eyes by a counter": count_contributors_by_revision,
}


def find(fault: Callable[[Patch], None], file: Path) -> tuple[int, int, str]:
    """In how many examples and steps the machine finds the fault, and what it says of it. Raises AssertionError where it does not."""
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        try:
            run(file, ENOUGH, STEPS, phases=[Phase.generate], print_blob=False)
        except Broken as error:
            assert Desk.found, "the machine did not count"
            return *Desk.found, str(error)
    raise AssertionError(f"{ENOUGH} examples do not find it")
