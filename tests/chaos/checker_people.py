"""Decisions: one per revision, by somebody who may, and each person was told the truth about theirs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.chaos.checker_evidence import Evidence

ACTIONS = {
    "accept": "accepted", "reject": "rejected", "recall": "recalled", "retrieve": "retrieved", "retry": "retried", "void": "voided",
    "say present": "said present", "say absent": "said absent", "by hand": "entered by hand", "unlink": "unlinked",
    "review again": "reviewed again",
}  # fmt: skip
DECISIONS = ("accepted", "rejected")
LATER_DECISIONS = ("retried", "said present", "said absent", "entered by hand", "unlinked")

Press = tuple[int, str, int, int]  # change order, action, person, version: what one press of a button asks for


def one_decision_each(evidence: Evidence) -> Iterator[str]:
    """A revision is accepted or rejected once; one recalled or reviewed again is decided anew, a failed one may be rejected after all."""
    for id, events in evidence.events.items():
        waiting, failed, accepted = False, False, Counter[int]()
        for event in events:
            if event.action in ("sent", "recalled", "reviewed again"):
                waiting, failed = True, False
            elif event.action in DECISIONS:
                if not waiting and not (failed and event.action == "rejected"):
                    yield f"event {event.seq} is a second decision on revision {event.facts['revision']} of {evidence.named(id)}"
                waiting, failed = False, False
                accepted[event.facts["revision"]] += event.action == "accepted"
            elif "cause" in event.facts:
                failed = True
        exports = Counter(frozen.row.revision for frozen in evidence.exports_of.get(id, []))
        for revision in accepted.keys() | exports.keys():
            if accepted[revision] != exports[revision]:
                yield (
                    f"revision {revision} of {evidence.named(id)} was accepted {accepted[revision]} times"
                    f" and frozen for export {exports[revision]} times"
                )


def decided_by_another(evidence: Evidence) -> Iterator[str]:
    """Four eyes: who decides about a change order has neither written nor edited nor sent it, in whichever revision."""
    if not any(company.four_eyes for company in evidence.rows("company")):
        return
    for id, events in evidence.events.items():
        contributors: set[int | None] = set()
        for event in events:
            if event.action in ("created", "edited", "sent"):
                contributors.add(event.actor_id)
            elif event.action in (*DECISIONS, *LATER_DECISIONS) and event.actor_id in contributors - {None}:
                yield f"{evidence.named(id)} was {event.action} by person {event.actor_id}, who wrote or sent it (event {event.seq})"


def told_the_truth(evidence: Evidence) -> Iterator[str]:
    """Who was told that it is done finds it recorded; who was refused does not; and nothing is recorded that nobody asked for."""
    pressed: dict[Press, set[str]] = defaultdict(set)
    for entry in evidence.history:
        if entry["do"] in ACTIONS:
            person = evidence.people[entry["person"]]
            pressed[entry["change_order"], ACTIONS[entry["do"]], person, int(entry["version"])].add(entry["event"])
    recorded = Counter[Press]()
    for id, events in evidence.events.items():
        recorded.update((id, event.action, event.actor_id, event.facts["seen"]) for event in _pressed(events))
    for press, answers in pressed.items():
        if "ok" in answers and not recorded[press]:
            yield f"person {press[2]} was told that {_said(evidence, press)}, which is not recorded"
        if "fail" in answers and not answers & {"ok", "info"} and recorded[press]:
            yield f"person {press[2]} was refused, and it is recorded all the same that {_said(evidence, press)}"
    for press, times in recorded.items():
        if times > 1:
            yield f"it is recorded {times} times that {_said(evidence, press)} by person {press[2]}"
        if evidence.history and press not in pressed:
            yield f"it is recorded that {_said(evidence, press)} by person {press[2]}, who never asked for it"
    yield from _sent_truly(evidence)


def _pressed(events: list[Any]) -> Iterator[Any]:
    """Those with the version that was seen; how a change order is sent is looked at by itself."""
    return (event for event in events if "seen" in event.facts and event.action != "sent")


def _sent_truly(evidence: Evidence) -> Iterator[str]:
    told = {(entry["change_order"], entry["person"], entry["version"]) for entry in evidence.history if _is_sent(entry)}
    for (id, person), times in Counter((id, person) for id, person, _ in told).items():
        sends = [event for event in evidence.events.get(id, []) if event.action == "sent" and event.actor_id == evidence.people[person]]
        if len(sends) < times:
            yield f"{person} was told {times} times that {evidence.named(id)} was sent, which is recorded {len(sends)} times"


def _is_sent(entry: dict[str, Any]) -> bool:
    return bool(entry["do"] == "send" and entry["event"] == "ok")


def _said(evidence: Evidence, press: Press) -> str:
    return f"{evidence.named(press[0])} was {press[1]} at version {press[3]}"
