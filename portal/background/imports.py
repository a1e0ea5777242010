"""Files that people hand in on a page, as the worker in the imports lane reads and imports them."""

import dataclasses
import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal.db import transaction
from portal.domain import companies, outbox, people
from portal.domain.imports import entries, import_run, permissions, uploads
from portal.domain.imports.entries import BadFile, Entry, Problem
from portal.domain.imports.staging import Import
from portal.domain.imports.uploads import State, Upload
from portal.domain.lanes import Lane
from portal.domain.outbox import LOST_WORKERS, Dispatch, Task
from portal.domain.projects import statements
from portal.intake import apart

LEASE = timedelta(seconds=60)  # longer than reading the largest file takes
RENEW_S = 5.0
MOST_PROBLEMS, MOST_NAMED = 200, 50  # that a preview keeps

Step = Callable[[Dispatch, int], None]


def steps() -> dict[Task, Step]:
    """What to do with each promise of the imports lane."""
    return {Task.READ_FILE: read, Task.IMPORT_FILE: put}


def read(dispatch: Dispatch, claim: int) -> None:
    """Read the file and keep what an import would do. Raises lanes.Lost."""
    upload = _begin(dispatch, claim)
    if upload.state is State.READING:
        if dispatch.tries > LOST_WORKERS:
            _keep(upload, _stopped("Reading"))
        else:
            _keep(upload, look(upload, claim))
    outbox.finish(dispatch)


def put(dispatch: Dispatch, claim: int) -> None:
    """Import the file, after what an earlier import left undone. Raises lanes.Lost."""
    upload, run = _begin(dispatch, claim), import_run.Run(claim)
    if earlier := run.unfinished():
        run.complete(earlier, _silent)
    if upload.state is State.IMPORTING and not _is_in_place(upload):
        if dispatch.tries > LOST_WORKERS:
            _keep(upload, _stopped("Importing"))
        else:
            _import(upload, run)
    if _is_in_place(upload):
        uploads.finish(upload.id)
    outbox.finish(dispatch)


def look(upload: Upload, claim: int) -> dict[str, Any]:
    """What the file holds and what an import of it would do. Writes nothing."""
    by = people.as_now(upload.by)
    try:
        reading = apart.understand(bytes(upload.content or b""), upload.file, meanwhile=_renewing(claim))
        found, wrong = import_run.sift(reading.entries, reading.problems, by)
    except BadFile as error:
        return _refused(error.problems)
    summary = import_run.preview(found, None, _renewing(claim), statements.PAGE)
    return _refused(wrong) | {
        "counts": {outcome.value: count for outcome, count in summary.counts.items()},
        "lines": sum(len(entry.draft.lines) for entry in found),
        "total": str(_total(found)),
        "renamed": reading.renamed,
        "notes": [*reading.notes, *entries.currencies(found, companies.current().currency), *permissions.notes(reading.entries, by)],
        "left": summary.left[:MOST_NAMED],
        "alike": summary.alike[:MOST_PROBLEMS],
        "misread": summary.misread[:MOST_PROBLEMS],
        "more_alike": len(summary.alike[MOST_PROBLEMS:]),
        "more_misread": len(summary.misread[MOST_PROBLEMS:]),
        "kept": summary.kept[:MOST_NAMED],
        "shown": summary.shown,
    }


def _import(upload: Upload, run: import_run.Run) -> None:
    """As it is now: what is no longer right since the preview is refused, and nothing is imported."""
    try:
        staged = _stage(upload, run)
    except BadFile as error:
        _keep(upload, _refused(error.problems))
    else:
        run.complete(staged, _silent)


def _stage(upload: Upload, run: import_run.Run) -> Import:
    """Write down what is in the file; what was read of it need not be remembered after that. Raises BadFile."""
    reading = apart.understand(bytes(upload.content or b""), upload.file, meanwhile=_renewing(run.claim))
    found = import_run.prepare(reading.entries, reading.problems, people.as_now(upload.by))
    ticked = set(json.loads(upload.ticked))
    found = [dataclasses.replace(entry, is_ticked=entry.where in ticked) for entry in found]
    return run.stage(found, upload.file, upload.sha256, None, _silent, upload)


def _begin(dispatch: Dispatch, claim: int) -> Upload:
    with transaction():
        Lane.renew(dispatch.lane, claim, LEASE)
        outbox.begin(dispatch, LEASE)
    upload: Upload = Upload.get_by_id(dispatch.subject)
    return upload


def _keep(upload: Upload, preview: dict[str, Any]) -> None:
    uploads.keep(upload.id, json.dumps(preview, ensure_ascii=False), preview["refused"])


def _refused(problems: list[Problem]) -> dict[str, Any]:
    rows = len({problem.where for problem in problems})
    listed = [(problem.where, problem.field, problem.reason) for problem in problems[:MOST_PROBLEMS]]
    return {"refused": rows, "problems": listed, "unlisted": len(problems) - len(listed)}


def _stopped(doing: str) -> dict[str, Any]:
    reason = f"{doing} it stopped the worker {LOST_WORKERS} times. Nothing was imported; support has to look at its log."
    return _refused([Problem("", "", reason)])


def _is_in_place(upload: Upload) -> bool:
    done = Import.confirmed_at.is_null(False) & Import.finished_at.is_null(False)
    return Import.select().where(Import.upload == upload.id, done).exists()


def _total(found: list[Entry]) -> Decimal:
    """Of what is in the currency of the books."""
    books = companies.current().currency
    return sum((entry.draft.total for entry in found if entry.draft.currency in ("", books)), Decimal("0.00"))


def _renewing(claim: int) -> Callable[..., None]:
    """Keeps the lane while a file is read, or a long comparison runs."""
    last = time.monotonic()

    def progress(*_: object) -> None:
        nonlocal last
        if time.monotonic() - last > RENEW_S:
            last = time.monotonic()
            with transaction():
                Lane.renew(uploads.LANE, claim, LEASE)

    return progress


def _silent(*_: object) -> None:
    """The page asks the database how far it is."""
