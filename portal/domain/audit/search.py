"""The audit trail as people read it: newest first, page by page, by person, thing, action, day and change order number."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal.domain import change_orders, companies, days, keys
from portal.domain.audit.subjects import SUBJECTS, UPLOAD, named
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment
from portal.domain.events import Action, Event
from portal.domain.imports.staging import Import
from portal.domain.people import Membership, User

PAGE = 50
ONE_DAY = timedelta(days=1)
BOUNDS = date(1970, 1, 2), date.max - ONE_DAY  # what every time zone can still count from
LONGEST_NUMBER = 18  # digits of an id or a seq


class Invalid(Exception):
    """What was asked for is no filter; `errors` has a sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to show; what is empty does not count. Days are the company's, both ends included.

    person   by this person, or about their account
    ref      with a subject: of this one thing only; of a file handed in with the import that it became
    action   a part of what was done, as it is recorded: `privilege`, `accepted`
    number   of a change order, as its commitment numbers it
    """

    person: int | None = None
    subject: str = ""
    ref: int | None = None
    action: str = ""
    since: date | None = None
    until: date | None = None
    number: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, the name of what it is about, and for the edit of a change order how it was before.

    private   about a draft that was never sent, of a job that is not the reader's: they learn that it was written, not what
    """

    event: Event
    about: str
    before: dict[str, Any] | None
    private: bool


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    after: int | None  # the cursor of the next page; none on the last one


def read(asked: Mapping[str, str]) -> Filter:
    """The filter of an address. Raises Invalid with all that is wrong."""
    errors: dict[str, str] = {}
    found = Filter(
        _person(asked.get("person", ""), errors),
        _subject(asked.get("subject", ""), errors),
        _ref(asked, errors),
        _text("action", asked, errors),
        _day("since", asked, errors),
        _day("until", asked, errors),
        _text("number", asked, errors),
    )
    if found.since and found.until and found.until < found.since:
        errors["until"] = "The last day is before the first day. Exchange them, or leave one empty."
    if errors:
        raise Invalid(errors)
    return found


def page(wanted: Filter, viewer: User, after: str = "") -> Page:
    """One page, newest first, by keyset. Raises ValueError for a cursor that is none."""
    if after and not _is_number(after):
        raise ValueError("This page address is not one of ours. Start from the first page.")
    found = list(_events(wanted, int(after) if after else None).limit(PAGE + 1))
    shown = found[:PAGE]
    return Page(_entries(shown, viewer), shown[-1].seq if len(found) > PAGE else None)


def newest(subject: str, actions: Iterable[str], count: int, viewer: User) -> list[Entry]:
    """The last entries about one kind of thing that tell one of these actions."""
    return _entries(list(_all().where(Event.subject == subject, Event.action.in_(list(actions))).limit(count)), viewer)


def everything(wanted: Filter, viewer: User) -> Iterator[Entry]:
    """All entries of the filter, newest first, a page at a time."""
    after: int | None = None
    while shown := list(_events(wanted, after).limit(PAGE * 10)):
        yield from _entries(shown, viewer)
        after = shown[-1].seq


def _events(wanted: Filter, after: int | None) -> Any:
    conditions = [] if after is None else [Event.seq < after]
    if wanted.person is not None:
        about = (Event.subject == "user") & (Event.ref == wanted.person)
        conditions.append((Event.actor == wanted.person) | about)
    if wanted.subject:
        conditions.append(_about(wanted.subject, wanted.ref))
    if wanted.action:
        conditions.append(Event.action.contains(wanted.action))
    if wanted.since:
        conditions.append(Event.at >= _midnight(wanted.since))
    if wanted.until:
        conditions.append(Event.at < _midnight(wanted.until + ONE_DAY))
    if wanted.number:
        same = ChangeOrder.select(ChangeOrder.id).where(ChangeOrder.key == keys.change_order(wanted.number))
        conditions.append((Event.subject == change_orders.SUBJECT) & Event.ref.in_(same))
    return _all().where(*conditions) if conditions else _all()


def _about(subject: str, ref: int | None) -> Any:
    if ref is None:
        return Event.subject == subject
    about = (Event.subject == subject) & (Event.ref == ref)
    if subject == UPLOAD:
        about |= (Event.subject == "import") & Event.ref.in_(Import.select(Import.id).where(Import.upload == ref))
    return about


def _all() -> Any:
    return Event.select(Event, User).join(User, peewee.JOIN.LEFT_OUTER).order_by(Event.seq.desc())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(companies.current().time_zone))


def name_of(wanted: Filter) -> str:
    """What the one thing is called whose events are wanted; an empty text if they are not those of one thing."""
    return dict(named(wanted.subject, {wanted.ref})).get(wanted.ref, "nothing we know") if wanted.ref is not None else ""


def _entries(shown: list[Event], viewer: User) -> list[Entry]:
    refs = {subject: {event.ref for event in shown if event.subject == subject} for subject in SUBJECTS}
    names = {(subject, id): name for subject, ids in refs.items() for id, name in named(subject, ids)}
    before = _before([event for event in shown if event.action == Action.EDITED])
    drafts = _private_drafts({event.ref for event in shown if event.subject == change_orders.SUBJECT}, viewer)
    return [
        Entry(
            event,
            names.get((event.subject, event.ref), f"{event.subject} {event.ref}"),
            before.get(event.seq),
            event.subject == change_orders.SUBJECT and event.ref in drafts,
        )
        for event in shown
    ]


def _private_drafts(ids: set[int], viewer: User) -> set[int]:
    """Those of the change orders that were never sent and are not the viewer's to see, as jobs.why_not_see has it; in one query."""
    if not ids:
        return set()
    mine = Membership.select(Membership.job).where(Membership.user == viewer)
    foreign = ChangeOrder.created_by.is_null() | (ChangeOrder.created_by != viewer.id)
    unsent = ChangeOrder.select(ChangeOrder.id).join(Commitment).where(ChangeOrder.id.in_(ids), ChangeOrder.sent_at.is_null())
    rows: Any = unsent.where(foreign, Commitment.job.not_in(mine)).tuples()
    return {id for (id,) in rows}


def _before(edits: list[Event]) -> dict[int, dict[str, Any]]:
    """What each edited change order was like before the edit, by the edit's seq, in one query."""
    if not edits:
        return {}
    writings = Event.select(Event.seq, Event.ref, Event.data).where(
        Event.subject == change_orders.SUBJECT,
        Event.ref.in_([edit.ref for edit in edits]),
        Event.action.in_((Action.CREATED, Action.EDITED)),
    )
    before: dict[int, dict[str, Any]] = {}
    latest: dict[int, dict[str, Any]] = {}
    for event in writings.order_by(Event.seq):
        if event.ref in latest:
            before[event.seq] = latest[event.ref]
        latest[event.ref] = event.facts["snapshot"]
    return before


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def _person(text: str, errors: dict[str, str]) -> int | None:
    if text and not _is_number(text):
        errors["person"] = "Choose a person from the list."
        return None
    return int(text) if text else None


def _ref(asked: Mapping[str, str], errors: dict[str, str]) -> int | None:
    text = asked.get("ref", "")
    if text and not (_is_number(text) and asked.get("subject") in SUBJECTS):
        errors["subject"] = "This address names no thing whose events could be shown. Choose from the list."
        return None
    return int(text) if text else None


def _text(name: str, asked: Mapping[str, str], errors: dict[str, str]) -> str:
    """As it was typed; a control character is in nothing that is recorded, and not every database would look for one."""
    text = asked.get(name, "").strip()
    if not text.isprintable():
        errors[name] = f"{'What was done' if name == 'action' else 'The change order number'} is one line of plain text. Type it again."
    return text


def _subject(text: str, errors: dict[str, str]) -> str:
    if text and text not in SUBJECTS:
        errors["subject"] = "Choose a subject from the list."
    return text


def _day(name: str, asked: Mapping[str, str], errors: dict[str, str]) -> date | None:
    text = asked.get(name, "").strip()
    try:
        return days.read(text, *BOUNDS) if text else None
    except ValueError:
        errors[name] = f"The {'first' if name == 'since' else 'last'} day is a date such as 2026-11-23."
        return None
