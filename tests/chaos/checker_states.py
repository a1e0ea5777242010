"""States: every change has exactly one event, the events make a legal path, and their chain is as it was written.

The table of transitions is written down here once more, from the product's table: the portal's own is what is being checked.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterator

from tests.chaos.checker_evidence import Evidence, Row

GENESIS = "0" * 64
EDITABLE = ("draft", "rejected", "retrieved")
MOVES: dict[str, set[tuple[str, str]]] = {
    "sent": {(state, "ready") for state in EDITABLE},
    "retrieved": {("ready", "retrieved")},
    "accepted": {("ready", "queued")},
    "rejected": {("ready", "rejected"), ("failed", "rejected")},
    "recalled": {("queued", "ready")},
    "exporting": {("queued", "exporting")},
    "exported": {("exporting", "exported"), ("unknown", "exported")},
    "postponed": {("exporting", "queued"), ("unknown", "queued")},
    "failed": {("queued", "failed"), ("exporting", "failed"), ("unknown", "failed")},
    "outcome unknown": {("exporting", "unknown")},
    "found": {("unknown", "exported")},
    "queued again": {("unknown", "queued")},
    "said present": {("unknown", "exported"), ("unknown", "failed")},
    "said absent": {("unknown", "failed")},
    "reviewed again": {("failed", "ready")},
    "retried": {("failed", "queued")},
    "entered by hand": {("failed", "exported")},
    "unlinked": {("exported", "retrieved")},
    "voided": {(state, "void") for state in EDITABLE},
    "adopted": {("queued", "exported")},
    "left as a workbook": {("queued", "failed")},
}
WRITES = {"edited": EDITABLE}  # what changes the version and not the state, and where that may happen


def path_is_legal(evidence: Evidence) -> Iterator[str]:
    """The events of a change order lead from draft to the state it is in, each by a transition that exists."""
    for id, change_order in evidence.change_orders.items():
        state = "draft"
        for event in evidence.events.get(id, []):
            if event.action in WRITES and state not in WRITES[event.action]:
                yield f"event {event.seq} says that {evidence.named(id)} was {event.action} while it was {state}"
            if event.action not in MOVES:
                continue
            ways = [after for before, after in sorted(MOVES[event.action]) if before == state]
            if not ways:
                yield f"event {event.seq} says that {evidence.named(id)} was {event.action} while it was {state}"
                ways = [after for _, after in sorted(MOVES[event.action])]
            state = "failed" if "failed" in ways and "cause" in event.facts else ways[0]
        if state != change_order.status:
            yield f"the events of {evidence.named(id)} end with {state}"


def one_event_each(evidence: Evidence) -> Iterator[str]:
    """Every write of a change order counts its version up, and has one event."""
    for id, change_order in evidence.change_orders.items():
        events = evidence.events.get(id, [])
        if [event.action for event in events].count("created") != 1:
            yield f"{evidence.named(id)} was not created once"
        told = 1 + sum(event.action in MOVES or event.action in WRITES for event in events)
        if told != change_order.version:
            yield f"{evidence.named(id)} was written {change_order.version} times, and its events tell of {told}"
        sends = [event.facts["revision"] for event in events if event.action == "sent"]
        if sends != list(range(1, change_order.revision + 1)):
            yield f"{evidence.named(id)} is at revision {change_order.revision}, and its events tell of {sends}"


def chain_holds(evidence: Evidence) -> Iterator[str]:
    """The audit chain has no gap, and every hash is that of the content and of all before it."""
    previous, expected = GENESIS, 1
    for row in evidence.rows("event"):
        if row.seq != expected:
            yield f"event {expected} is missing"
        if row.previous != previous:
            yield f"event {row.seq} does not continue the one before it"
        if _seal(row) != row.hash:
            yield f"the content of event {row.seq} does not match its hash"
        previous, expected = row.hash, row.seq + 1


def _seal(row: Row) -> str:
    """As the audit trail documents it."""
    content = {
        "at": f"{row.at:%Y-%m-%dT%H:%M:%S.%fZ}", "actor": row.actor_id, "subject": row.subject, "ref": row.ref, "action": row.action,
        "data": row.data,
    }  # fmt: skip
    canonical = unicodedata.normalize("NFC", json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    return hashlib.sha256(f"{row.seq}|{row.previous}|{canonical}".encode()).hexdigest()
