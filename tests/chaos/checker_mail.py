"""Mail: what was promised arrives, copies are copies, and nobody gets what nobody promised."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.checker_evidence import Evidence, Row

MINUTE = timedelta(minutes=1)
SUMMARY = re.compile(r"daily:(\d{4}-\d\d-\d\d):(\d+)")


def rejections_are_mailed(evidence: Evidence) -> Iterator[str]:
    """Sender and creator of what was sent back are promised a mail about that revision."""
    promised = {row.key for row in evidence.rows("dispatch")}
    for id, events in evidence.events.items():
        creator = next((event.actor_id for event in events if event.action == "created"), None)
        sender: int | None = None
        for event in events:
            if event.action == "sent":
                sender = event.actor_id
            if event.action != "rejected":
                continue
            for person in {creator, sender} - {None}:
                if f"rejected:{id}:{event.facts['revision']}:{person}" not in promised:
                    yield f"person {person} was promised no mail about the rejection of {evidence.named(id)} (event {event.seq})"


def trouble_is_told(evidence: Evidence) -> Iterator[str]:
    """Whoever looks after failures is promised a mail about each, and about each doubt that a person has to settle."""
    if not any(person.active and (person.level == "Admin" or person.wants_failures) for person in evidence.rows("user")):
        return
    for what, cause, at in _troubles(evidence):
        promised = (letter for letter in _letters(evidence) if letter.key.startswith(f"failed:{cause}:"))
        if not any(letter.finished_at is None or letter.finished_at >= at - MINUTE for letter in promised):
            yield f"nobody was promised a mail about {what} ({cause}, {at:%Y-%m-%d %H:%M})"


def _troubles(evidence: Evidence) -> Iterator[tuple[str, str, datetime]]:
    """What went wrong, of which kind, and when."""
    ended = {row.subject: row for row in evidence.rows("dispatch") if row.task == "export" and row.finished_at}
    for id, change_order in evidence.change_orders.items():
        for event in evidence.events.get(id, []):
            if event.action == "failed":
                yield f"the failure of {evidence.named(id)}", event.facts["cause"], event.at
        if change_order.status == "unknown" and change_order.export in ended:
            yield f"the doubt about {evidence.named(id)}", "unknown", ended[change_order.export].finished_at


def promises_are_mailed(evidence: Evidence) -> Iterator[str]:
    """Each kept promise of a mail was taken by the mail server, for the person it was promised to."""
    taken = _taken(evidence)
    addresses = {id: address for address, id in evidence.people.items()}
    for dispatch in _letters(evidence):
        copies = taken.get(_id_of(dispatch.key), [])
        if dispatch.finished_at and dispatch.outcome == "done" and not copies:
            yield f"the mail {dispatch.key} counts as sent, and the mail server never took it"
        to = addresses.get(int(dispatch.key.rpartition(":")[2]))
        for copy in copies:
            if [one.lower() for one in copy["to"]] != [str(to).lower()]:
                yield f"the mail {dispatch.key} went to {', '.join(copy['to'])} and not to {to}"


def mails_are_promised(evidence: Evidence) -> Iterator[str]:
    """Each mail has the Message-ID of a promise, so that copies are known as copies, and no more copies than tries."""
    promised = {_id_of(dispatch.key): dispatch for dispatch in _letters(evidence)}
    for id, copies in _taken(evidence).items():
        dispatch = promised.get(id)
        if dispatch is None:
            yield f"“{copies[0]['subject']}” went to {', '.join(copies[0]['to'])} ({id}), and nobody promised it"
        elif len(copies) > dispatch.tries:
            yield f"the mail {dispatch.key} went out {len(copies)} times in {dispatch.tries} tries"


def one_summary_a_day(evidence: Evidence) -> Iterator[str]:
    """A person is promised one daily summary for a day, and gets one."""
    for dispatch in _letters(evidence):
        if dispatch.key.startswith("daily") and not SUMMARY.fullmatch(dispatch.key):
            yield f"the summary {dispatch.key} is not promised by date and person"
    got: dict[tuple[str, str], set[str]] = defaultdict(set)
    for copies in _taken(evidence).values():
        first = copies[0]
        if "Daily Summary" in first["subject"]:
            got[",".join(first["to"]), first["date"][:16]].add(first["message_id"])
    for (to, day), ids in got.items():
        if len(ids) > 1:
            yield f"{to} got {len(ids)} daily summaries of {day}"


def _letters(evidence: Evidence) -> list[Row]:
    return [row for row in evidence.rows("dispatch") if row.lane == "mail"]


def _taken(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """The mails by the part of their Message-ID that tells them apart."""
    taken: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for mail in evidence.mails:
        taken[mail["message_id"].strip("<>").partition("@")[0]].append(mail)
    return taken


def _id_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]
