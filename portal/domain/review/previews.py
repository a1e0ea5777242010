"""What Spectrum will receive, or has received, as people read it: labels, widths, and what became of their words on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from portal.domain.change_orders import ChangeOrder
from portal.domain.exporting import payload
from portal.domain.exporting.payload import Payload
from portal.domain.rules import checks, spectrum_numbers
from portal.domain.rules.findings import ACCOUNTING, Finding, blocking
from portal.domain.wording import Wording
from portal.spectrum import records

BY_NAME = {field.name: field for field in records.FIELDS}
BY_LINE = ("CR_Phase_Code", "CR_Cost_Type", "Change_Request_Quantity", "Change_Request_Amount", "Sub_Amount", "Sub_Bid_Item_Code")
TYPED = ("number", "title", "description", "accounting_date")
LONGEST_SHOWN = 300  # characters of what was written: more than any element holds

Place = tuple[str, int]
Piece = tuple[str, str]  # "same", "gone" or "new", and the characters


@dataclass(frozen=True, slots=True)
class Value:
    """One element.

    name, label, width  Spectrum's name, plain words for it, and how many characters it holds
    text                what Spectrum gets
    counts              whether its length says anything: not for numbers and dates
    notes               what was done to the words on the way: "shortened from 41"
    before, after       the words as written and as received, cut into what stayed and what changed; empty when nothing did
    """

    name: str
    label: str
    width: int
    text: str
    counts: bool
    notes: tuple[str, ...] = ()
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """`common` is said once for all lines, filled elements only; each line has one of `columns` each."""

    payload: Payload
    common: list[Value]
    columns: list[records.Field]
    lines: list[tuple[int, list[Value]]]

    @property
    def notes(self) -> int:
        """How many elements differ from what was written."""
        return sum(bool(value.notes) for value in [*self.common, *(value for _, values in self.lines for value in values)])


@dataclass(frozen=True, slots=True)
class Preview:
    """`received` is None where Spectrum could not take it; `findings` say why, and what else the typed words run into."""

    received: Received | None
    findings: list[Finding]


def of(change_order: ChangeOrder, wording: Wording) -> Preview:
    """What an Accept in this wording would freeze."""
    found = blocking(checks.at_accept(change_order, wording))
    typed = [finding for finding in found if finding.field in TYPED]
    try:
        built = payload.build(change_order, wording)
    except ValueError as error:
        return Preview(None, typed or [Finding(10, "lines", str(error), ACCOUNTING)])
    return Preview(received(built, _written(change_order, wording)), typed)


def proposed(change_order: ChangeOrder) -> Preview | None:
    """What would leave if it were accepted now as it is; None for one that does not wait."""
    if not change_order.is_ready:
        return None
    return of(change_order, Wording(spectrum_numbers.propose(change_order)))


def received(payload: Payload, written: Mapping[Place, str] | None = None) -> Received:
    """The payload for people; with what was `written` also what was done to it."""
    names = _columns(payload)
    same = payload.header | {name: text for name, text in payload.lines[0][1].items() if name not in names}
    return Received(
        payload,
        [_value(name, text, (written or {}).get((name, 0))) for name, text in same.items() if text],
        [BY_NAME[name] for name in names],
        [(at, [_value(name, elements[name], (written or {}).get((name, at))) for name in names]) for at, elements in payload.lines],
    )


def _columns(payload: Payload) -> list[str]:
    """The elements told line by line: those that belong to a line, and any other that differs."""
    return [
        name
        for name in payload.lines[0][1]
        if len({elements[name] for _, elements in payload.lines}) > 1 or (name in BY_LINE and payload.lines[0][1][name])
    ]


def _written(change_order: ChangeOrder, wording: Wording) -> dict[Place, str]:
    """The words behind the elements that may change on the way, by element and position of the line, 0 for all lines."""
    title, description = payload.words(change_order, wording)
    whole = f"{change_order.number}: {title} - {description}" if description.strip() else f"{change_order.number}: {title}"
    phases: dict[Place, str] = {("CR_Phase_Code", line.position): line.phase_code for line in change_order.lines}
    return phases | {("CR_Description", 0): whole, ("Sub_Description", 0): title}


def _value(name: str, text: str, written: str | None) -> Value:
    field = BY_NAME[name]
    plain = Value(name, field.label, field.width, text, field.kind == "text")
    if written is None or not (notes := tuple(_notes(name, text, written))):
        return plain
    before, after = _compared(written, text)
    return replace(plain, notes=notes, before=before, after=after)


def _notes(name: str, text: str, written: str) -> Iterator[str]:
    if name == "CR_Phase_Code":
        if text != written:
            yield "dashes removed"
        return
    folded = records.fold(written)
    if not written.isascii():
        yield "in plain letters"
    elif folded != written:
        yield "blanks joined"
    if len(folded) > len(text):
        yield f"shortened from {len(folded)}"


def _compared(written: str, text: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    shown = written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}…"
    steps = SequenceMatcher(None, shown, text, autojunk=False).get_opcodes()
    before = tuple(("same" if step == "equal" else "gone", shown[a:b]) for step, a, b, _, _ in steps if b > a)
    after = tuple(("same" if step == "equal" else "new", text[c:d]) for step, _, _, c, d in steps if d > c)
    return before, after
