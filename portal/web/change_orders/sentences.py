"""Sentences about change orders: what happened, when, and how things stand."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask.blueprints import BlueprintSetupState

from portal import clock
from portal.domain.change_orders import Status
from portal.domain.events import Action, Event
from portal.domain.exporting import error_catalogue
from portal.domain.review.lists import Row
from portal.domain.rules import spectrum_numbers
from portal.domain.transitions import DECISIONS
from portal.web import formats

Facts = dict[str, Any]
RESOLVED = set(DECISIONS) - {Action.ACCEPTED, Action.REJECTED, Action.SENT}  # what `decided_by` and `sent_by` do not tell

CAUSES = {
    "data": "The change order or its master data in Spectrum must change.",
    "access": "IT must fix the credentials or rights.",
    "setup": "An administrator must change the settings.",
    "temporary": "Retry it when Spectrum can be reached again.",
}
CLASSES = {  # as the help page explains them: what a catalogue entry leads to
    "data": "The change order or its master data in Spectrum must change.",
    "access": "IT must fix the credentials or rights. Exports pause until an administrator resumes them.",
    "setup": "Settings must change.",
    "temporary": "The portal tries again.",
    "unknown": "It may be in Spectrum. Don't send it again until someone has checked Spectrum.",
}
OUTCOMES = {
    None: "Sending",
    "sent": "Saved",
    "refused": "Refused",
    "not sent": "Not sent",
    "unknown": "No usable answer",
    "lost": "Worker stopped while sending",
    "present": "Found in Spectrum",
    "absent": "Not found in Spectrum",
    "again": "Retried",
    "not seen": "Not found in Spectrum yet",
    "no reading": "No read access to Spectrum",
}

LETTERS = {
    None: "…", "sent": "S", "refused": "R", "not sent": "N", "unknown": "?", "lost": "L", "present": "P", "absent": "A", "again": "↻",
    "not seen": "0", "no reading": "–",
}  # fmt: skip


def register(state: BlueprintSetupState) -> None:
    """For `Blueprint.record`: the templates use these as filters."""
    for filter in (sentence, note, when, moment, day, is_future, status_sentence, fixes):
        state.app.add_template_filter(filter)
    state.app.add_template_filter(error_catalogue.explain, "explained")
    state.app.add_template_filter(spectrum_numbers.named, "named")
    state.app.jinja_env.globals.update(causes=CAUSES, classes=CLASSES, outcomes=OUTCOMES, letters=LETTERS)


def fixes(who: str) -> str:
    """Who can fix it, as a sentence; empty where it passes by itself."""
    who = {"Project team": "The project team", "No one yet": ""}.get(who, who)
    return f"{who[:1].upper()}{who[1:]} can fix this." if who else ""


def sentence(event: Event) -> str:
    """The event as a sentence: who did what."""
    phrase = action_phrase(event)
    return f"{event.actor.name} {phrase}" if event.actor else phrase[:1].upper() + phrase[1:]


def action_phrase(event: Event) -> str:
    """What was done, without who did it."""
    tell = SENTENCES.get(event.action)
    return tell(event.facts) if tell else str(event.action)


def note(event: Event) -> str:
    """What the event says in free words: the reason of a rejection, the text of a failure, the note of someone who looked."""
    return "\n".join(str(event.facts[name]) for name in ("reason", "note", "text") if event.facts.get(name))


def when(moment: datetime) -> str:
    """at 10:42 for today, else on Nov 20 at 10:42, or on Nov 20, 2025 at 10:42, in the company's zone."""
    local, today = _here(moment)
    return f"at {local:%H:%M}" if local.date() == today else f"on {formats.day_in(local, today)} at {local:%H:%M}"


def moment(at: datetime) -> str:
    """The same after a word of its own, as in: from 10:42, or from Nov 20, 10:42."""
    local, today = _here(at)
    return f"{local:%H:%M}" if local.date() == today else f"{formats.day_in(local, today)}, {local:%H:%M}"


def _here(moment: datetime) -> tuple[datetime, date]:
    return moment.astimezone(formats.zone()), formats.today()


def day(of: date) -> str:
    """Nov 20; Nov 20, 2025 when that is not this year."""
    return formats.day_in(datetime.combine(of, time()), formats.today())


def is_future(moment: datetime | None) -> bool:
    """Whether a moment is still to come."""
    return moment is not None and not clock.is_past(moment)


def status_sentence(row: Row) -> str:
    """Who brought the change order where it is now, when: `Accepted by Ana Ortiz at 10:42.`"""
    change_order, last = row.change_order, row.last
    if last and last.actor and last.action in RESOLVED:
        return f"{sentence(last)} {when(last.at)}. It is now: {change_order.label}."
    if change_order.decided_by and change_order.decided_at:
        verb = "Sent back" if change_order.state is Status.REJECTED else "Accepted"
        now = "" if change_order.state in (Status.REJECTED, Status.QUEUED) else f" It is now: {change_order.label}."
        return f"{verb} by {change_order.decided_by.name} {when(change_order.decided_at)}.{now}"
    if last is None:
        return f"CCO {change_order.number} is now: {change_order.label}."
    return f"{sentence(last)} {when(last.at)}."


def _sent(facts: Facts) -> str:
    return f"sent revision {facts['revision']}" if facts["revision"] > 1 else "sent it to accounting"


def _accepted(facts: Facts) -> str:
    title = f", titled “{facts['title']}”" if facts.get("title") else ""
    removed = " and under which nothing of it is left in Spectrum" if facts.get("removed") else ""
    instead = f" instead of {facts['instead_of']}, which another change order has now{removed}" if facts.get("instead_of") else ""
    return f"accepted it as {facts['number']}{instead}{title}"


def _edited(facts: Facts) -> str:
    if facts.get("combined"):
        return f"combined {' and '.join(_lines(positions) for positions in facts['combined'])}"
    return f"changed it by importing {facts['file']}" if facts.get("file") else "changed it"


def _exporting(facts: Facts) -> str:
    return f"started sending to Spectrum as {facts['number']}"


def _exported(facts: Facts) -> str:
    count = facts["lines"]
    return f"exported to Spectrum as {facts['number']}, {count} line{'' if count == 1 else 's'}"


def _failed(facts: Facts) -> str:
    return f"failed to export on line {facts['line']}" if "line" in facts else "failed to export"


def _rejected(facts: Facts) -> str:
    removed = f", after {_lines(facts['removed'])} had been removed from Spectrum" if facts.get("removed") else ""
    return f"sent it back{removed}{_not_entered(facts)}"


def _retried(facts: Facts) -> str:
    stored = facts["stored"]
    stays = f"; {_lines(stored)} {'stays' if len(stored) == 1 else 'stay'} in Spectrum as sent" if stored else ""
    return f"retried it{_not_entered(facts)}{stays}"


def _not_entered(facts: Facts) -> str:
    return f", and said that no one had entered it from the workbook {facts['not_entered']}" if facts.get("not_entered") else ""


def _lines(positions: list[int]) -> str:
    return f"line{'' if len(positions) == 1 else 's'} {', '.join(map(str, positions))}"


SENTENCES: dict[str, Callable[[Facts], str]] = {
    Action.CREATED: lambda facts: f"imported it from {facts['file']}" if facts.get("file") else "wrote it",
    Action.EDITED: _edited,
    Action.SENT: _sent,
    Action.SAID_DISTINCT: lambda facts: f"said that {facts['kind']} {facts['number']} is another one than {facts['other']}",
    Action.ASKED: lambda _: "asked the sender",
    Action.ANSWERED: lambda _: "answered the question",
    Action.HELD: lambda facts: f"put it on hold until {day(date.fromisoformat(facts['until']))}",
    Action.RELEASED: lambda _: "took it off hold",
    Action.RETRIEVED: lambda _: "retrieved it",
    Action.VOIDED: lambda _: "voided it",
    Action.RECALLED: lambda _: "recalled it before anything was sent",
    Action.RETRIED: _retried,
    Action.SAID_PRESENT: lambda facts: f"said that it is in Spectrum as {facts['number']}",
    Action.SAID_ABSENT: lambda _: "said that it is not in Spectrum",
    Action.REVIEWED_AGAIN: lambda facts: f"put it up for review again{_not_entered(facts)}; it keeps its number {facts['number']}",
    Action.ENTERED_BY_HAND: lambda facts: f"marked it as entered by hand as {facts['number']}",
    Action.UNLINKED: lambda facts: f"unlinked it from {facts['number']} in Spectrum",
    Action.ACCEPTED: _accepted,
    Action.REJECTED: _rejected,
    Action.EXPORTING: _exporting,
    Action.POSTPONED: lambda _: "postponed",
    Action.EXPORTED: _exported,
    Action.FOUND: lambda facts: f"the read-back found it in Spectrum as {facts['number']}",
    Action.ADOPTED: lambda facts: f"the read-back found it in Spectrum as {facts['number']} already; nothing was sent",
    Action.QUEUED_AGAIN: lambda facts: f"{_lines(facts['missing'])} {'goes' if len(facts['missing']) == 1 else 'go'} to Spectrum again",
    Action.VERIFICATION_ENDED: lambda _: "the portal stopped checking the outcome",
    Action.DIFFERS: lambda facts: f"Spectrum does not hold what was exported as {facts['number']}",
    Action.AGREES_AGAIN: lambda facts: f"Spectrum holds what was exported as {facts['number']} again",
    Action.LOOKED_UP: lambda facts: f"a check of Spectrum showed: {facts['found'].rstrip('.')}",
    Action.FAILED: _failed,
    Action.LEFT_AS_WORKBOOK: lambda facts: f"left it as the workbook {facts['workbook']}",
    Action.OUTCOME_UNKNOWN: lambda facts: f"the outcome of line {facts['line']} is unknown",
}
