"""What was imported before: who, when, which file, and how many change orders of each outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from portal.domain import events
from portal.domain.imports.staging import Import, RowOutcome, Staged
from portal.domain.imports.uploads import Upload
from portal.domain.people import User

MOST = 50


@dataclass(frozen=True, slots=True)
class Past:
    """One import. `by`: empty for the command line without a sender. `counts` is empty while it is under way."""

    id: int
    file: str
    by: str
    at: datetime
    upload: int | None
    size: int
    done: int
    counts: dict[str, int]


def latest(viewer: User, most: int = MOST) -> list[Past]:
    """The last imports: an administrator sees all of them, others their own."""
    query = _confirmed()
    if not viewer.may_administer:
        query = query.where((Upload.by == viewer) | (Import.sender == viewer))
    return _past_imports(list(query.limit(most)))


def of_upload(id: int) -> Past | None:
    """The import of a file that was handed in, once it has begun."""
    return next(iter(_past_imports(list(_confirmed().where(Import.upload == id)))), None)


def _confirmed() -> Any:
    return (
        Import.select(Import, Upload.id, Upload.by)
        .join(Upload, peewee.JOIN.LEFT_OUTER)
        .where(Import.confirmed_at.is_null(False))
        .order_by(Import.id.desc())
    )


def _past_imports(found: list[Import]) -> list[Past]:
    ended = events.latest("import", [one.id for one in found], of=("imported",))
    open_ = [one.id for one in found if one.finished_at is None]
    done: Any = Staged.select(Staged.origin, peewee.fn.COUNT(Staged.id)).where(Staged.origin.in_(open_), Staged.outcome.is_null(False))
    placed: dict[int, int] = dict(done.group_by(Staged.origin).tuples()) if open_ else {}
    people = {user.id: user.name for user in User.select(User.id, User.name).where(User.id.in_({_writer(one) for one in found}))}
    return [
        Past(
            id=one.id,
            file=one.file,
            by=people.get(_writer(one), ""),
            at=one.started_at,
            upload=one.upload.id if one.upload else None,
            size=one.size,
            done=placed.get(one.id, 0 if one.finished_at is None else one.size),
            counts=_counts(ended[one.id].facts) if one.id in ended else {},
        )
        for one in found
    ]


def _writer(one: Import) -> int:
    return one.__data__["sender"] or (one.upload.__data__["by"] if one.upload else 0)


def _counts(facts: dict[str, Any]) -> dict[str, int]:
    return {name: facts[name] for name in (*(outcome.value for outcome in RowOutcome), "sent") if name in facts}


def in_words(counts: Mapping[RowOutcome, int] | Mapping[str, int]) -> str:
    """What became of the change orders of one import, as in: 4 new, 1 skipped."""
    named = {"left alone": "skipped", "sent": "sent to accounting"}
    return ", ".join(f"{count:,} {named.get(name, name)}" for name, count in counts.items() if count) or "no change orders"
