"""Sends: nothing leaves without a committed attempt, nothing but what was frozen, nothing again too early, no answer is forgotten."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.checker_evidence import Evidence, Row

MOST_SENDS = 4
WRITTEN_WITHIN = timedelta(seconds=1)  # a database's clock and the journal's agree that far
LINE = ("CR_Phase_Code", "CR_Cost_Type", "Subcontractor_Code", "Subcontract_Number", "Sub_Bid_Item_Code")


def sends_are_promised(evidence: Evidence) -> Iterator[str]:
    """Each call that Spectrum received has an attempt of its own that was committed before."""
    attempts: dict[tuple[str, tuple[str, ...]], list[Row]] = defaultdict(list)
    for frozen in evidence.exports.values():
        for attempt in frozen.attempts:
            if attempt.kind in ("send", "check") and attempt.line in frozen.lines:
                attempts[attempt.guid, _line(frozen.lines[attempt.line])].append(attempt)
    received = Counter[tuple[str, tuple[str, ...]]]()
    for call in evidence.calls:
        key = call["guid"], _line(call["elements"])
        received[key] += 1
        name = f"call {call['seq']} ({call['elements']['Change_Request_Number']}, {key[1][0]}, GUID {call['guid']})"
        if received[key] > len(attempts[key]):
            yield f"{name} reached Spectrum without an open attempt"
            continue
        opened = attempts[key][received[key] - 1].started_at
        at = evidence.portal_time(datetime.fromisoformat(call["at"]))
        if not evidence.still and opened > at + WRITTEN_WITHIN + timedelta(seconds=evidence.slack_s):
            yield f"{name} reached Spectrum at {at:%H:%M:%S}, and its attempt was opened at {opened:%H:%M:%S}"


def sends_are_frozen(evidence: Evidence) -> Iterator[str]:
    """Each call carried the elements of one line of an Export, and no others."""
    known: dict[tuple[str, tuple[str, ...]], list[dict[str, str]]] = defaultdict(list)
    for frozen in evidence.exports.values():
        for elements in frozen.lines.values():
            known[frozen.row.number, _line(elements)].append(elements)
    for call in evidence.calls:
        number, sent = call["elements"]["Change_Request_Number"], call["elements"]
        candidates = known[number, _line(sent)]
        if not any(_differences(sent, elements) == [] for elements in candidates):
            what = f"differs in {', '.join(_differences(sent, candidates[0]))}" if candidates else "was never frozen"
            yield f"what call {call['seq']} sent as {number}, {_line(sent)[0]}, {what}"


def quiet_is_kept(evidence: Evidence) -> Iterator[str]:
    """A line in doubt is not sent again before the quiet window is over, and then only because somebody looked, or a rule allows it."""
    for frozen in evidence.exports.values():
        for line in frozen.lines:
            doubt, because = None, False
            for attempt in (one for one in frozen.attempts if one.line == line):
                if attempt.kind == "send" and doubt is not None:
                    waited = (attempt.started_at - doubt.ended_at).total_seconds()
                    name = f"line {line} of {evidence.named(frozen.row.change_order_id)}, in doubt since attempt {doubt.id},"
                    if waited < evidence.quiet_s - evidence.slack_s:
                        yield f"{name} was sent again after {waited:.0f} s (attempt {attempt.id})"
                    if not because:
                        yield f"{name} was sent again though nothing says that it is not there (attempt {attempt.id})"
                if attempt.outcome in ("absent", "again"):
                    because = True
                elif attempt.outcome in ("unknown", "lost") and attempt.kind != "check":
                    doubt, because = attempt, False
                elif attempt.kind in ("send", "late") and attempt.outcome != "not sent":
                    doubt = None


def sends_are_few(evidence: Evidence) -> Iterator[str]:
    """A line is really sent at most four times since Accept or the last Retry."""
    for frozen in evidence.exports.values():
        sent = Counter[int]()
        for attempt in frozen.attempts:
            if attempt.kind == "person" and attempt.outcome == "again":
                sent[attempt.line] = 0
            sent[attempt.line] += attempt.kind == "send" and attempt.outcome != "not sent"
            if sent[attempt.line] == MOST_SENDS + 1:
                yield f"line {attempt.line} of {evidence.named(frozen.row.change_order_id)} was sent more than {MOST_SENDS} times"


def claims_only_grow(evidence: Evidence) -> Iterator[str]:
    """Who lost a lane sends nothing more on it: no attempt is opened under an older claim than the one before it."""
    lanes = _lanes(evidence)
    last: dict[str, Row] = {}
    for attempt in evidence.rows("attempt"):
        if attempt.kind != "send":
            continue
        lane = lanes[evidence.exports[attempt.export_id].row.change_order_id]
        if lane in last and attempt.claim < last[lane].claim:
            yield f"attempt {attempt.id} was opened under claim {attempt.claim} after attempt {last[lane].id} under {last[lane].claim}"
        last[lane] = attempt


def stored_lines_rest(evidence: Evidence) -> Iterator[str]:
    """A line that is in Spectrum as far as anybody knows is not sent again."""
    for frozen in evidence.exports.values():
        stored = set[int]()
        for attempt in frozen.attempts:
            if attempt.kind == "send" and attempt.line in stored:
                yield f"line {attempt.line} of {evidence.named(frozen.row.change_order_id)} was sent again (attempt {attempt.id})"
            if attempt.outcome in ("sent", "present") and attempt.kind != "check":
                stored.add(attempt.line)


def answers_are_kept(evidence: Evidence) -> Iterator[str]:
    """What a worker was answered stands in an attempt, whoever had the lane by then."""
    for told in evidence.answers:
        kept = [attempt for attempt, elements in _tries(evidence, told["guid"]) if elements["CR_Phase_Code"] == told["phase"]]
        if not any(attempt.outcome == told["outcome"] for attempt in kept):
            found = ", ".join(f"{attempt.kind} {attempt.outcome}" for attempt in kept) or "no attempt"
            yield f"a worker was answered “{told['outcome']}” for {told['phase']} (GUID {told['guid']}); the portal has {found}"


def _tries(evidence: Evidence, guid: str) -> Iterator[tuple[Row, dict[str, str]]]:
    for frozen in evidence.exports.values():
        for attempt in frozen.attempts:
            if attempt.guid == guid:
                yield attempt, frozen.lines[attempt.line]


def _lanes(evidence: Evidence) -> dict[int, str]:
    """The lane of each change order that was ever promised to be sent."""
    by_key = {row.key: row.lane for row in evidence.rows("dispatch")}
    return {frozen.row.change_order_id: by_key.get(f"export:{frozen.row.id}", "") for frozen in evidence.exports.values()}


def _line(elements: dict[str, str]) -> tuple[str, ...]:
    return tuple(elements[name].strip().upper() for name in LINE)


def _differences(sent: dict[str, Any], frozen: dict[str, str]) -> list[str]:
    return [name for name, value in frozen.items() if sent.get(name, "").strip() != value.strip()]
