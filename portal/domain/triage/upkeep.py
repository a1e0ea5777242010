"""How support looks after a cause: who owns it, what is known about it, whether it is archived, and what belongs to it."""

from typing import Any

from portal import clock
from portal.db import lock, transaction
from portal.domain import events, people
from portal.domain.exporting.failure_causes import FailureCause, pin_of
from portal.domain.people import Level, NotPermitted, User
from portal.domain.rules import text_rules

SUBJECT = "failure_cause"
SHORTEST_WORDS, LONGEST_WORDS = 3, 80


class Invalid(Exception):
    """What was typed cannot be kept; the text says why. Nothing was recorded."""


def assign(id: int, by: User, owner: int | None) -> None:
    """Give the cause to a person; to no one leaves it to the rule. Raises NotPermitted or Invalid."""
    with transaction():
        by, cause = _held(id, by)
        to = people.by_id(owner) if owner else None
        if owner and not (to and to.may_support):
            raise Invalid("Choose a person with level Standard or higher: others can’t look after failures.")
        old, new = (cause.owner.name if cause.owner else ""), to.name if to else ""
        if old != new:
            _keep(cause, by, "owner assigned", {"owner": to}, old, new)


def write_note(id: int, by: User, note: str, seen: str) -> None:
    """What is known about the cause, instead of the note that the person saw. Raises NotPermitted or Invalid."""
    note = "\n".join(line.rstrip() for line in note.strip().splitlines())
    with transaction():
        by, cause = _held(id, by)
        if cause.note not in (note, seen.replace("\r\n", "\n")):
            raise Invalid(f"Someone else has written a note meanwhile: “{cause.note}” Yours was not kept: put both together.")
        if note and (wrong := text_rules.remark(12, "note", note, "")):
            raise Invalid(str(wrong[0]))
        if cause.note != note:
            _keep(cause, by, "note written", {"note": note}, cause.note, note)


def archive(id: int, by: User) -> None:
    """Hide the cause until something fails by it again. Raises NotPermitted."""
    with transaction():
        by, cause = _held(id, by)
        _keep(cause, by, "archived until it grows", {"archived_at": clock.now()})


def restore(id: int, by: User) -> None:
    """Show it again. Raises NotPermitted."""
    with transaction():
        by, cause = _held(id, by)
        if cause.archived_at:
            _keep(cause, by, "taken out of the archive", {"archived_at": None})


def pin(id: int, by: User, name: str, words: str) -> int:
    """Show every cause of the same class with these words under this one, as `name`; without words each for itself again.

    Tells how many others are shown under it now. Raises NotPermitted or Invalid.
    """
    name, words = " ".join(name.split()), " ".join(words.split())
    with transaction():
        by, cause = _held(id, by)
        if not by.may_administer:
            raise NotPermitted("Only an administrator pins causes together.")
        if (words and not SHORTEST_WORDS <= len(words) <= LONGEST_WORDS) or len(name) > LONGEST_WORDS or not (name + words).isprintable():
            raise Invalid(f"The words have {SHORTEST_WORDS} to {LONGEST_WORDS} characters, the name at most {LONGEST_WORDS}.")
        old = {"name": cause.name, "words": cause.words}
        new = {"name": name if words else "", "words": words}
        if old != new:
            _keep(cause, by, "pinned" if words else "unpinned", {**new, "pinned_to": None}, old, new, then=lambda: _pin_all(cause.kind))
        return int(FailureCause.select().where(FailureCause.pinned_to == id).count())


def owners() -> list[User]:
    """Who can look after failures, by name."""
    able = User.active, User.level.in_((Level.STANDARD, Level.ADMIN))
    return list(User.select().where(*able).order_by(User.name, User.id))


def _held(id: int, by: User) -> tuple[User, FailureCause]:
    by = people.as_held(by)
    if not by.may_support:
        raise NotPermitted("You need level Standard or higher to look after failures. Ask an administrator.")
    lock(FailureCause.select(FailureCause.id).where(FailureCause.id == id))
    cause: FailureCause = FailureCause.get_by_id(id)
    return by, cause


def _pin_all(kind: str) -> None:
    """Each cause of the class under the one whose words it has; one with words of its own stands for itself."""
    for cause in FailureCause.select().where(FailureCause.kind == kind, FailureCause.words == ""):
        to = pin_of(kind, cause.code, cause.field, cause.text)
        if cause.pinned_to_id != (to.id if to else None):
            FailureCause.update(pinned_to=to).where(FailureCause.id == cause.id).execute()


def _keep(cause: FailureCause, by: User, action: str, changes: dict[str, Any], old: Any = None, new: Any = None, then: Any = None) -> None:
    FailureCause.update(**changes).where(FailureCause.id == cause.id).execute()
    if then:
        then()
    events.record(SUBJECT, cause.id, action, by, **({"old": old, "new": new} if old is not None else {}))
