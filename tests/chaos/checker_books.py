"""Money: Spectrum holds each accepted line exactly once, or the portal says what it holds; and it holds nothing else of ours."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.chaos.checker_evidence import Book, Evidence, Frozen, Row

WATCHED = (
    "CR_Phase_Code", "CR_Cost_Type", "Change_Request_Amount", "Subcontractor_Code", "Subcontract_Number", "Sub_Amount", "Sub_Description",
)  # fmt: skip
AMOUNTS = ("Change_Request_Amount", "Sub_Amount")
SAYS = ("failed", "outcome unknown", "said present", "said absent", "left as a workbook")  # events that tell which lines are in


def held_once(evidence: Evidence) -> Iterator[str]:
    """Every line that the portal calls exported or stored is in Spectrum once, as it was frozen."""
    for change_order in evidence.change_orders.values():
        for book, frozen in _books(evidence, change_order).items():
            if book[3] not in evidence.typed:
                missing, _ = _hold(evidence, change_order, book, frozen)
                for line, elements in missing:
                    told = f"{elements['CR_Phase_Code']} {elements['CR_Cost_Type']} {elements['Change_Request_Amount']}"
                    there = f"Spectrum holds {_listed(evidence, book)}"
                    yield f"line {line} ({told}) of {evidence.named(change_order.id)} is not in Spectrum as the portal says; {there}"


def nothing_else(evidence: Evidence) -> Iterator[str]:
    """Spectrum holds no line twice, none of what was not accepted, and no change request of nobody's."""
    known = set[Book]()
    for change_order in evidence.change_orders.values():
        for book, frozen in _books(evidence, change_order).items():
            known.add(book)
            if book[3] in evidence.typed:
                continue
            _, left = _hold(evidence, change_order, book, frozen)
            if left:
                yield f"Spectrum holds more than the portal knows of {evidence.named(change_order.id)}: {'; '.join(map(_told, left))}"
            if not left and evidence.headers[book] and not any(one.attempts for one in frozen):
                yield f"Spectrum holds a change request of {evidence.named(change_order.id)}, which was never tried"
            if evidence.headers[book] > 1:
                yield f"Spectrum holds {evidence.headers[book]} change requests under the number of {evidence.named(change_order.id)}"
    for book in (evidence.headers.keys() | evidence.held.keys()) - known:
        if book[3] not in evidence.typed:
            yield f"Spectrum holds {'/'.join(book)}, which no accepted change order has: {_listed(evidence, book)}"


def frozen_as_sent(evidence: Evidence) -> Iterator[str]:
    """An Export is sealed, and has the lines and the total of the revision that was sent to accounting and accepted."""
    for frozen in evidence.exports.values():
        row, name = frozen.row, f"Export {frozen.row.id} of {evidence.named(frozen.row.change_order_id)}"
        if hashlib.sha256(row.frozen.encode()).hexdigest() != row.sha256:
            yield f"{name} was changed after it was frozen"
        events = evidence.events.get(row.change_order_id, [])
        sent = next((event for event in events if event.action == "sent" and event.facts["revision"] == row.revision), None)
        if sent is None:
            yield f"{name} is of revision {row.revision}, which was never sent to accounting"
        elif _as_sent(sent) != _as_frozen(frozen):
            yield f"{name} froze {_as_frozen(frozen)}, but what was sent to accounting is {_as_sent(sent)}"
        accepted = [event for event in events if event.action == "accepted" and event.facts["revision"] == row.revision]
        total = sum((Decimal(elements["Change_Request_Amount"]) for elements in frozen.lines.values()), Decimal(0))
        if accepted and Decimal(accepted[-1].facts["total"]) != total:
            yield f"{name} adds up to {total}, but {accepted[-1].facts['total']} was accepted"


def numbers_are_ours_alone(evidence: Evidence) -> Iterator[str]:
    """A Spectrum number belongs to one change order for ever, and is reserved before anything goes out under it."""
    users: dict[Book, set[int]] = defaultdict(set)
    for frozen in evidence.exports.values():
        users[frozen.book].add(frozen.row.change_order_id)
        if frozen.row.number != frozen.header["Change_Request_Number"]:
            yield f"Export {frozen.row.id} is of {frozen.row.number} and froze {frozen.header['Change_Request_Number']}"
    reserved: dict[tuple[int, str], Row] = {(row.change_order_id, row.number): row for row in evidence.rows("spectrum_number")}
    for book, ids in users.items():
        if len(ids) > 1:
            yield f"the number {book[3]} was used for {' and '.join(evidence.named(id) for id in sorted(ids))}"
        for id in ids:
            if (id, book[3]) not in reserved:
                yield f"the number {book[3]} of {evidence.named(id)} is not reserved"


def halves_are_told(evidence: Evidence) -> Iterator[str]:
    """What failed or is unknown says why, and which lines are in Spectrum."""
    for change_order in evidence.change_orders.values():
        frozen = evidence.open_export(change_order)
        if change_order.status not in ("failed", "unknown") or frozen is None or frozen.book[3] in evidence.typed:
            continue
        event = next((event for event in reversed(evidence.events[change_order.id]) if event.action in SAYS), None)
        name = evidence.named(change_order.id)
        if event is None or not (event.facts.get("text") or event.facts.get("note")):
            yield f"{name} does not say why"
            continue
        told = set(event.facts.get("sent", []))
        there = {line for line, elements in frozen.lines.items() if any(_matches(elements, one) for one in evidence.held[frozen.book])}
        if not told <= there:
            yield f"{name} says that line {_lines(told - there)} is in Spectrum, and it is not"
        if silent := there - told - frozen.stored - frozen.doubtful:
            yield f"{name} does not say that line {_lines(silent)} is in Spectrum"


def _books(evidence: Evidence, change_order: Row) -> dict[Book, list[Frozen]]:
    """The Exports of a change order by the number under which they stand, or may stand, in Spectrum."""
    found: dict[Book, list[Frozen]] = defaultdict(list)
    for frozen in evidence.exports_of.get(change_order.id, []):
        found[frozen.book].append(frozen)
    return found


Lines = list[tuple[int, dict[str, str]]]


def _hold(evidence: Evidence, change_order: Row, book: Book, frozen: list[Frozen]) -> tuple[Lines, list[dict[str, str]]]:
    """Hold what Spectrum has under a number against what it must and may have: what it lacks, and what it has too much."""
    left = list(evidence.held.get(book, []))
    present = evidence.open_export(change_order)
    must, may = (_owed(change_order, present), []) if present in frozen else (set[int](), [])
    missing: Lines = []
    for line in sorted(must):
        if not _take(left, present.lines[line]):  # type: ignore[union-attr]
            missing.append((line, present.lines[line]))  # type: ignore[union-attr]
    for one in frozen:  # of what was left behind when a person took it back, and of what is in doubt
        allowed = one.lines if one is present and change_order.manual else one.stored | one.doubtful
        may += [one.lines[line] for line in allowed if one is not present or line not in must]
    for elements in may:
        _take(left, elements)
    return missing, left


def _owed(change_order: Row, frozen: Frozen | None) -> set[int]:
    if frozen is None:
        return set()
    whole = change_order.status == "exported" and not change_order.manual
    return set(frozen.lines) if whole else frozen.stored


def _take(left: list[dict[str, str]], elements: dict[str, str]) -> bool:
    found = next((one for one in left if _matches(elements, one)), None)
    if found is not None:
        left.remove(found)
    return found is not None


def _matches(sent: dict[str, str], held: dict[str, str]) -> bool:
    """Whether Spectrum holds the line as it was sent; what is sent empty keeps what is there."""
    return all(_same(name, sent[name].strip(), held[name].strip()) for name in WATCHED if sent[name].strip())


def _same(name: str, sent: str, held: str) -> bool:
    return Decimal(sent) == Decimal(held or 0) if name in AMOUNTS else sent.upper() == held.upper()


def _as_sent(event: Row) -> list[tuple[str, str, Decimal]]:
    lines = event.facts["snapshot"]["lines"]
    told = [(line["phase_code"].replace("-", ""), line["cost_type"], Decimal(line["amount"])) for line in lines]
    return sorted(line for line in told if line[2])


def _as_frozen(frozen: Frozen) -> list[tuple[str, str, Decimal]]:
    lines = frozen.lines.values()
    return sorted((line["CR_Phase_Code"], line["CR_Cost_Type"], Decimal(line["Change_Request_Amount"])) for line in lines)


def _listed(evidence: Evidence, book: Book) -> str:
    return "; ".join(map(_told, evidence.held.get(book, []))) or "nothing"


def _told(held: dict[str, str]) -> str:
    return json.dumps([held["CR_Phase_Code"], held["CR_Cost_Type"], held["Change_Request_Amount"]])


def _lines(lines: set[int]) -> str:
    return ", ".join(map(str, sorted(lines)))
