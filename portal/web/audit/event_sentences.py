"""Events of every kind in plain words: who did it, what was done, and what was changed from what to what."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from portal.domain import change_orders
from portal.domain.accounts import rights
from portal.domain.audit import search
from portal.domain.events import BULK_ACTION, PROVIDER, Event
from portal.domain.projects import revisions
from portal.web.change_orders import sentences

LABELS = {
    "cr_status": "Change request status",
    "cr_approves": "Status means Approved (action type 1 or 2)",
    "cost_reimbursable": "Cost-reimbursable flag",
    "sub_status": "Subcontract status",
    "custom_title": "Custom title and description",
    "edit_number": "Approver may edit the Spectrum number",
    "export_delay": "Export delay in seconds",
    "accounting_dates": "Approver may set an accounting date",
    "test_company": "A test company in Spectrum",
    "tax_allowed": "Change orders may have tax",
    "look_rules": "Needs a look for",
    "look_limit": "Look limit",
    "growth_limit": "Growth limit in percent of the original contract",
    "bulk_cap": "Most at once",
    "bulk_read_all": "Export of many only after the last row was in view",
    "period_from": "Open period from",
    "period_to": "Open period to",
    "basic": "HTTP Basic",
    "enhanced": "Enhanced authentication",
    "client_id": "Client ID",
    "secret_expires_on": "Last day of the client secret",
    "as_subcontract": "Entered in Spectrum as a subcontract",
    "can_push": "Can Push to Accounting",
    "it_people": "IT",
    "administrator_people": "Administrators",
    "sha256": "SHA-256",
}
OF_ACTION = {"level changed": "Level", "privilege granted": "Can Push to Accounting", "privilege removed": "Can Push to Accounting"}
OF_ACTION |= {
    "account opened": "Open",
    "account closed": "Open",
    "resending recorded": "A line sent again",
    "customer read from Spectrum": "Customer",
    "owner assigned": "Owner",
    "note written": "Note",
}
OF_SETTINGS = (
    "settings changed",
    "clock noticed",
    "connection changed",
    "database restored",
    "connection test asked for",
    "exports paused",
    "exports resumed",
    "refresh from Spectrum asked for",
    "resending check asked for",
    "resending recorded",
    "restore confirmed",
    "secrets resealed",
    "test mail asked for",
    "totals corrected",
    "sample data loaded",
)
OF_SIGNING_IN = (
    "password changed",
    "password chosen by link",
    "password link made",
    "password link sent",
    "session ended",
    "sessions ended",
    "sign-in unlocked",
    "identity linked",
    "keys turned off",
    "keys turned on",
    "identity unlinked",
)
OF_MAIL = (
    "daily summary asked for",
    "daily summary declined",
    "mail on failed exports asked for",
    "mail on failed exports declined",
    "mail on corrected change orders asked for",
    "mail on corrected change orders declined",
    "mail sent again",
    "mail set aside",
)
OF_FAILURES = ("archived until it grows", "note written", "owner assigned", "pinned", "taken out of the archive", "unpinned")
OF_THINGS = ("abandoned", "changed", "code corrected", "confirmed", "customer read from Spectrum", "imported", "made", "revoked")
ACTIONS = sorted({*sentences.SENTENCES, *rights.CHANGES, *OF_SETTINGS, *OF_SIGNING_IN, *OF_MAIL, *OF_FAILURES, *OF_THINGS})  # to search by
HEAD = tuple(revisions.WORDS)  # of a change order's snapshot, in the order in which they are told
LINE = ("phase_code", "cost_type", "bid_item", "description", "quantity", "unit", "amount")
SAID = ("reason", "note", "text")  # stands on its own beside the sentence
NOTHING = "nothing"
COMMAND_LINE, PORTAL, THE_PROVIDER = "Command line", "The portal", "The identity provider"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the event says of a field. `old` is None where there was no before."""

    label: str
    old: str | None
    new: str


def who(event: Event) -> str:
    """The person; without one it was the identity provider, the command line for accounts, else a worker of ours."""
    if event.actor:
        return str(event.actor.name)
    if PROVIDER in event.facts:
        return THE_PROVIDER
    return COMMAND_LINE if event.subject == "user" else PORTAL


def what(event: Event) -> str:
    """What was done, as a sentence without its subject."""
    sentence = sentences.action_phrase(event) if event.subject == change_orders.SUBJECT else str(event.action)
    return sentence[:1].upper() + sentence[1:]


def changes(entry: search.Entry) -> list[Change]:
    """The facts of the event, field by field; for a change order only what its sentence does not say."""
    event, facts = entry.event, entry.event.facts
    if entry.private:
        return []
    if event.subject == change_orders.SUBJECT:
        edits = _edits(entry.before, facts["snapshot"]) if entry.before else []
        return edits + [Change("Bulk action", None, str(facts[name])) for name in (BULK_ACTION,) if name in facts]
    if not {"old", "new"} <= facts.keys():
        return _plain(facts)
    old, new = facts.pop("old"), facts.pop("new")
    if isinstance(old, dict) and isinstance(new, dict):
        return [Change(_label(name), _said(old.get(name)), _said(value)) for name, value in new.items()] + _plain(facts)
    return [Change(OF_ACTION.get(event.action, "Value"), _said(old), _said(new)), *_plain(facts)]


def _edits(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What an edit of a change order changed, its lines by their position."""
    before, after = revisions.whole(before), revisions.whole(after)
    named = [Change(_label(name), _said(before[name]), _said(after[name])) for name in HEAD if before[name] != after[name]]
    lines = zip_longest(*([_line(line) for line in snapshot["lines"]] for snapshot in (before, after)), fillvalue=NOTHING)
    return named + [Change(f"Line {position}", old, new) for position, (old, new) in enumerate(lines, 1) if old != new]


def _line(line: dict[str, Any]) -> str:
    return " ".join(line[name] for name in LINE if line[name] not in (None, ""))


def _plain(facts: dict[str, Any]) -> list[Change]:
    return [Change(_label(name), None, _said(value)) for name, value in facts.items() if name not in SAID and value not in ("", None, [])]


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or NOTHING
    return NOTHING if value in ("", None) else str(value)
