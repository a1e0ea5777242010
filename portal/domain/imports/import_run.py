"""An import: the change orders of a file are staged, confirmed as a whole, and then put in place a little at a time.

Before the confirmation nothing of the file is visible, and what a killed import staged is thrown away by the next one.
After it, the next import first completes what is left: every step is written with the mark that it was done. One import
runs at a time, under the lease of its lane. No transaction writes for much longer than HOLD_S, and others get their turn
in between.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, companies, events, people
from portal.domain.change_orders import ChangeOrder
from portal.domain.imports import entries, mangled_codes, matching, permissions, staging
from portal.domain.imports.entries import BadFile, Entry, Problem
from portal.domain.imports.staging import Import, RowOutcome, Staged
from portal.domain.imports.summary import Summary, summary_of
from portal.domain.imports.uploads import LANE, Upload
from portal.domain.imports.vendors import Unclear
from portal.domain.lanes import Lane
from portal.domain.people import NotPermitted, User
from portal.domain.projects import statements
from portal.domain.rules import recheck

LEASE = timedelta(seconds=5)  # renewed in every turn; how long a killed import keeps the next one waiting
WAIT_S = 30.0  # for another import to end
HOLD_S = 0.1  # of writing in one turn
PAUSE_S = 0.03  # between turns; who has waited for SQLite for a turn looks again every 25 ms, later every 50 and 100
BATCH = 200  # rows in one statement
MOST_SHOWN = 50  # of a preview
T = TypeVar("T")
Progress = Callable[[str, int, int], None]


class Busy(Exception):
    """Another import is running."""


def prepare(found: list[Entry], problems: Sequence[Problem] = (), by: User | None = None) -> list[Entry]:
    """What of the file will be imported, each change order once. Writes nothing. Raises BadFile with all problems."""
    placed, wrong = sift(found, problems, by)
    if wrong:
        raise BadFile(wrong)
    return placed


def sift(found: list[Entry], problems: Sequence[Problem] = (), by: User | None = None) -> tuple[list[Entry], list[Problem]]:
    """What could be imported, each change order once, and all that stands in the way. Raises BadFile where that is beyond reading.

    by   who may bring it in; null: anything
    """
    placed, unplaced = matching.MasterData(companies.current(), write=False).fill_in_job(permissions.limited(found, by))
    admitted, foreign = permissions.admit(placed, by)
    wrong = [*problems, *unplaced, *foreign, *islice(entries.contradictions(placed), entries.MOST_PROBLEMS)]
    entries.keep_few(wrong)
    bad = {problem.where for problem in wrong}
    return [entry for entry in entries.newest(admitted) if entry.where not in bad], wrong


def preview(found: Sequence[Entry], sender: User | None, progress: Progress, source: str = statements.COMMAND) -> Summary:
    """What an import would do. Writes nothing. `source`: where the file comes from."""
    master_data, summary = matching.MasterData(companies.current(), write=False), Summary()
    for done, entry in enumerate(found, 1):
        likeness, made = master_data.resembling.of(entry), mangled_codes.of(entry, master_data, source)
        if likeness or made:
            summary.counts[RowOutcome.LEFT] += 1
            left_out = summary.alike if likeness else summary.misread
            left_out.append((entry.where, staging.name_of(entry), " ".join(filter(None, (likeness, made)))))
            continue
        try:
            commitment = master_data.commitment(entry)
        except Unclear as error:
            summary.counts[RowOutcome.LEFT] += 1
            summary.left.append((staging.name_of(entry), str(error)))
            continue
        master_data.resembling.add(entry)
        known = ChangeOrder.meant(entry.draft.number, commitment=commitment) if commitment.id else None
        outcome, note = staging.compare(change_orders.load(known.id), entry, source) if known else (RowOutcome.NEW, "")
        summary.counts[outcome] += 1
        if outcome in (RowOutcome.NEW, RowOutcome.CHANGED) and len(summary.shown) < MOST_SHOWN:
            foreign = entry.draft.currency if entry.draft.currency != master_data.company.currency else ""
            summary.shown.append((outcome, staging.name_of(entry), entry.draft.title, str(entry.draft.total), foreign))
        if known and outcome is RowOutcome.LEFT:
            summary.left.append((staging.name_of(entry), note))
        elif sender:
            why_not = staging.why_not(known or ChangeOrder(commitment=commitment), entry, outcome)
            summary.sent += not why_not
            summary.not_sent += [(staging.name_of(entry), why_not)] if why_not else []
        progress("Comparing", done, len(found))
    summary.kept = list(master_data.conflicts)
    return summary


@contextmanager
def alone() -> Iterator["Run"]:
    """The right to import, once an import that is under way has ended or its lease has run out. Raises Busy."""
    end = time.monotonic() + WAIT_S
    while (claim := Lane.take(LANE, LEASE)) is None:
        if time.monotonic() > end:
            raise Busy("Another import is running. Try again when it has finished.")
        time.sleep(0.25)
    try:
        yield Run(claim)
    finally:
        Lane.release(LANE, claim)


class Run:
    """The one who imports; every turn renews its lease, so a second one can never work beside it."""

    def __init__(self, claim: int) -> None:
        self.claim = claim

    def unfinished(self) -> Import | None:
        """A confirmed import that was interrupted; what was staged without confirmation is thrown away."""
        for abandoned in Import.select().where(Import.confirmed_at.is_null(), Import.finished_at.is_null()):
            self._finish(abandoned, "abandoned")
        self._tidy(lambda *_: None)
        found: Import | None = Import.get_or_none(Import.finished_at.is_null())
        return found

    def stage(
        self, found: Sequence[Entry], file: str, sha256: str, sender: User | None, progress: Progress, upload: Upload | None = None
    ) -> Import:
        """Write the file down and confirm it."""
        with transaction():
            Lane.renew(LANE, self.claim, LEASE)
            origin = Import.create(file=file[-255:], sha256=sha256, size=len(found), sender=sender, upload=upload)
        self._in_turns(_batches(list(enumerate(found, 1))), lambda batch: staging.write(origin, batch), progress, "Staging")
        with transaction():
            Lane.renew(LANE, self.claim, LEASE)
            origin.confirmed_at = clock.now()
            origin.save(only=[Import.confirmed_at])
        return origin

    def complete(self, origin: Import, progress: Progress) -> Summary:
        """Put in place and send what is not yet, and say what became of all of it."""
        master_data = matching.MasterData(companies.current(), origin.writer)
        waiting = staging.ids_of(origin, Staged.outcome.is_null())
        self._in_turns(waiting, lambda id: staging.put(Staged.get_by_id(id), master_data, origin), progress, "Importing")
        self._in_turns(matching.affected(master_data.linked), staging.judge, progress, "Checking")
        joined = self._send(origin, origin.sender, progress) if origin.sender else []
        summary = summary_of(origin)
        summary.kept, summary.joined = list(master_data.conflicts), joined
        self._finish(origin, "imported", **{outcome.value: summary.counts[outcome] for outcome in RowOutcome}, sent=summary.sent)
        self._tidy(progress)
        return summary

    def _send(self, origin: Import, sender: User, progress: Progress) -> list[str]:
        joined: list[str] = []
        self._in_turns(staging.jobs_of(origin), lambda job: staging.join(job, sender, joined), progress, "Joining")
        waiting = staging.ids_of(origin, Staged.sent.is_null() & (Staged.outcome != RowOutcome.LEFT))
        self._in_turns(waiting, lambda id: staging.send(Staged.get_by_id(id), sender), progress, "Sending")
        return joined

    def _finish(self, origin: Import, action: str, **counts: int) -> None:
        with transaction():
            Lane.renew(LANE, self.claim, LEASE)
            origin.finished_at = clock.now()
            origin.save(only=[Import.finished_at])
            events.record("import", origin.id, action, origin.writer, file=origin.file, sha256=origin.sha256, **counts)

    def _tidy(self, progress: Progress) -> None:
        """The rows of finished imports go; the imports and their events stay."""
        done = Import.select(Import.id).where(Import.finished_at.is_null(False))
        ids = [row.id for row in Staged.select(Staged.id).where(Staged.origin.in_(done))]
        self._in_turns(_batches(ids), lambda batch: Staged.delete().where(Staged.id.in_(batch)).execute(), progress, "Tidying")

    def _in_turns(self, work: Sequence[T], step: Callable[[T], object], progress: Progress, phase: str) -> None:
        """Do `step` for each piece of work, a moment of writing at a time, so that no one waits long for the database."""
        waiting = deque(work)
        while waiting:
            with recheck.afterwards(), transaction():
                Lane.renew(LANE, self.claim, LEASE)
                end = time.monotonic() + HOLD_S
                step(waiting.popleft())  # at least one, however slow the machine is
                while waiting and time.monotonic() < end:
                    step(waiting.popleft())
            progress(phase, len(work) - len(waiting), len(work))
            if waiting:
                time.sleep(PAUSE_S)


def _batches(rows: Sequence[T]) -> list[Sequence[T]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def sender_by(email: str) -> User:
    """The active person behind the address. Raises NotPermitted."""
    found = people.find(email)
    if found is None or not found.active:
        raise NotPermitted(f"No account has the address {email}. Add one with: portal users add")
    return found
