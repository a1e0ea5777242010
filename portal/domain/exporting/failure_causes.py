"""Why exports fail: failures of one class, code, field and wording have one cause, however many there are.

The cause is written with the move to Failed to Export, so that grouping reads no events and no change order that has not failed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.domain.change_orders import ChangeOrder
from portal.domain.people import User
from portal.spectrum.records import catalogue

LONGEST_TEXT = 200
BLANK = "…"  # for what differs from failure to failure
QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
ENDS = ".,;:"
OWN_WORDS = ("check", "connect", "person")  # codes of the portal's own: their field says it all
HAS_FAILED = ChangeOrder.status == peewee.SQL("'failed'")  # literally, so that SQLite takes the partial index
Rows = Iterable[Sequence[str]]


class FailureCause(Model):
    """One cause, with what support keeps about it.

    kind           data, access, setup or temporary
    code, field    what Spectrum, or the portal, named; empty where nothing was named
    text           what was said, without what differs from failure to failure
    who            who can fix it, where no entry of the catalogue says so
    first_seen_at  when something failed by it for the first time
    returned_at    when it was last back, after no failure of it had been left
    name, words    given by an administrator: causes of the same class with these words are shown under this one
    pinned_to      the cause whose words it has
    owner, note    who looks after it, in place of the rule, and what they know
    archived_at    hidden from then on, until something fails by it again
    """

    kind = peewee.CharField(max_length=10)
    code = peewee.CharField(max_length=20, default="")
    field = peewee.CharField(max_length=60, default="")
    text = peewee.CharField(max_length=LONGEST_TEXT, default="")
    who = peewee.CharField(max_length=60, default="")
    first_seen_at = UtcField(default=clock.now)
    returned_at = UtcField(null=True)
    name = peewee.CharField(max_length=80, default="")
    words = peewee.CharField(max_length=80, default="")
    pinned_to = peewee.ForeignKeyField("self", null=True, on_delete="RESTRICT", backref="+")
    owner = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    note = peewee.TextField(default="")
    archived_at = UtcField(null=True)
    pinned_to_id: int | None
    owner_id: int | None

    class Meta:
        indexes = ((("kind", "code", "field", "text"), True),)

    @property
    def entry(self) -> catalogue.Entry | None:
        """What the catalogue says of it; None where nothing was named, or nothing that the catalogue knows."""
        entry = catalogue.find(self.code, self.field) if self.code else None
        return entry if entry and entry.code == self.code else None

    @property
    def title(self) -> str:
        """The cause in plain words."""
        if self.name or not self.entry:
            return self.name or self.text or "Nothing was said about it."
        return self.entry.meaning

    @property
    def said(self) -> str:
        """The words of Spectrum, where the title does not have them already."""
        return "" if self.title == self.text else self.text


ChangeOrder.add_index(
    ChangeOrder.index(ChangeOrder.cause, ChangeOrder.export, where=peewee.SQL("status = 'failed'"), name="change_order_failed")
)


def columns(change_order: ChangeOrder, kind: str, text: str, **facts: Any) -> dict[str, Any]:
    """The columns to write with the move to Failed to Export; `facts` are those of its event. In the caller's transaction."""
    key = kind, *_named(text, facts.get("rows") or (), facts.get("http"))
    cause, now = _known(*key), clock.now()
    if cause is None:
        cause = _made(*key, who=facts.get("who", ""))
    elif cause.id != change_order.cause and not _has_any(cause):
        FailureCause.update(returned_at=now).where(FailureCause.id == cause.id).execute()
    return {"cause": cause.id, "failed_at": now}


def group_of(id: int) -> FailureCause:
    """The cause that this one is shown under: itself, or the one it is pinned to."""
    cause: FailureCause = FailureCause.get_by_id(id)
    return cause.pinned_to or cause


def ids_of_group(id: int) -> Any:
    """The cause and those pinned to it, as a query."""
    pinned = FailureCause.alias()
    return pinned.select(pinned.id).where((pinned.id == id) | (pinned.pinned_to == id))


def normalized(text: str) -> str:
    """The text without numbers, codes and quotations, so that two failures of one cause read the same."""
    words = QUOTED.sub(BLANK, text).split()
    plain = (BLANK + word[len(word.rstrip(ENDS)) :] if any(one.isdigit() for one in word) else word for word in words)
    return " ".join(plain)[:LONGEST_TEXT]


def pin_of(kind: str, code: str, field: str, text: str) -> FailureCause | None:
    """The cause whose words an administrator has pinned, if these are in it; the oldest pin counts."""
    said = f"{code} {field} {text}".casefold()
    pins = FailureCause.select().where(FailureCause.kind == kind, FailureCause.words != "").order_by(FailureCause.id)
    return next((pin for pin in pins if pin.words.casefold() in said), None)


def _named(text: str, rows: Rows, http: int | None) -> tuple[str, str, str]:
    """Code, field and words of the first thing that stood against it."""
    for code, field, said in rows:
        if catalogue.find(code, field).kind != "good":
            return code[:20], field[:60], "" if code in OWN_WORDS else normalized(said)
    return ("http", str(http), "") if http in (401, 403) else ("", "", normalized(text))


def _known(kind: str, code: str, field: str, text: str) -> FailureCause | None:
    found: FailureCause | None = FailureCause.get_or_none(kind=kind, code=code, field=field, text=text)
    return found


def _made(kind: str, code: str, field: str, text: str, who: str) -> FailureCause:
    """The row of a cause at the first failure by it; someone else may have made it at the same moment."""
    key = {"kind": kind, "code": code, "field": field, "text": text}
    FailureCause.insert(**key, who=who[:60], pinned_to=pin_of(kind, code, field, text)).on_conflict_ignore().execute()
    made: FailureCause = FailureCause.get(**key)
    return made


def _has_any(cause: FailureCause) -> bool:
    return ChangeOrder.select().where(HAS_FAILED, ChangeOrder.cause == cause.id).exists()
