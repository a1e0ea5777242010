"""The XML of a workbook's parts, piece by piece. A document type, and so any entity, is refused."""

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol
from xml.parsers import expat

from portal.intake import formats

MOST_CELLS = 16_384  # columns that Excel has
LONGEST_TEXT = 1_000_000
YES = ("1", "true")
MOST_FORMATS = 65_490  # cell styles that Excel has


class Cell(NamedTuple):
    """`value`: None where the cell has none, which is not the same as an empty one."""

    kind: str
    style: str
    value: str | None
    formula: bool


class Parsed(Protocol):
    """One kind of part: told of each element as it begins and ends, by its local name."""

    def start(self, name: str, facts: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


def parse(chunks: Iterator[bytes], into: Parsed) -> Iterator[None]:
    """Feed the chunks; hands back control after each. Raises expat.ExpatError, or ValueError for what no workbook holds."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, facts: into.start(_local(name), {_local(key): value for key, value in facts.items()})
    parser.EndElementHandler = lambda name: into.end(_local(name))
    parser.CharacterDataHandler = into.data
    for chunk in chunks:
        parser.Parse(chunk, False)
        yield
    parser.Parse(b"", True)
    yield


class Toc:
    """The sheets, in the workbook's order: name, relationship, and whether it is shown."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((facts.get("name", ""), facts.get("id", ""), facts.get("state", "visible") == "visible"))
        elif name == "workbookPr":
            self.since_1904 = facts.get("date1904") in YES

    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


class Relations:
    """What a part refers to, by id: the last word of its type (`worksheet`, `styles`) and its address."""

    def __init__(self) -> None:
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name == "Relationship" and facts.get("TargetMode") != "External":
            self.targets[facts.get("Id", "")] = facts.get("Type", "").rpartition("/")[2], facts.get("Target", "")

    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...

    def of(self, kind: str) -> str | None:
        """The address of the first part of that kind."""
        return next((target for type, target in self.targets.values() if type == kind), None)


class Styles:
    """The number format of each cell style."""

    def __init__(self) -> None:
        self.codes = {str(id): code for id, code in formats.BUILT_IN.items()}
        self.styles: list[str] = []
        self.inside = False

    def start(self, name: str, facts: dict[str, str]) -> None:
        if name == "numFmt":
            self.codes[facts.get("numFmtId", "")] = _within_limits(facts.get("formatCode", ""), len(self.codes))
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.styles.append(_within_limits(facts.get("numFmtId", "0"), len(self.styles)))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.inside = False

    def data(self, text: str) -> None: ...

    def code(self, style: str) -> str:
        place = int(style or 0)
        return self.codes.get(self.styles[place], "") if place < len(self.styles) else ""


class Text:
    """Collects the text of `t` elements, but not what tells how it is pronounced."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.open = self.aside = False

    def start(self, name: str, facts: dict[str, str]) -> None:
        self.aside = self.aside or name == "rPh"
        self.open = name in ("t", "v") and not self.aside

    def end(self, name: str) -> None:
        if name == "rPh":
            self.aside = False
        if name in ("t", "v"):
            self.open = False

    def data(self, text: str) -> None:
        if self.open:
            self.length += len(text)
            if self.length > LONGEST_TEXT:
                raise ValueError("a text longer than any cell holds")
            self.pieces.append(text)

    def take(self) -> str:
        text = "".join(self.pieces)
        self.pieces, self.length = [], 0
        return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class Shared(Text):
    """The texts that cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self.texts.append(self.take())


class Sheet(Text):
    """The rows of a sheet; `rows` answers those that are complete.

    hidden          numbers of the rows with cells that are hidden
    hidden_columns  from the first to the last of each group
    """

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[int, dict[int, Cell]]] = []
        self.number = 0
        self.place = -1
        self.cells: dict[int, Cell] = {}
        self.kind = self.style = ""
        self.formula = self.valued = self.concealed = False
        self.hidden: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []

    def start(self, name: str, facts: dict[str, str]) -> None:
        super().start(name, facts)
        if name == "row":
            self.number, self.place, self.cells = int(facts.get("r", self.number + 1)), -1, {}
            self.concealed = facts.get("hidden") in YES
        elif name == "c":
            self.place = _column(facts["r"]) if "r" in facts else self.place + 1
            if self.place >= MOST_CELLS:
                raise ValueError("a column that no sheet has")
            self.kind, self.style, self.formula, self.valued = facts.get("t", "n"), facts.get("s", ""), False, False
        elif name == "f":
            self.formula = True
        elif name == "v":
            self.valued = True
        elif name == "col" and facts.get("hidden") in YES and len(self.hidden_columns) < MOST_CELLS:
            self.hidden_columns.append((int(facts.get("min", 0)) - 1, int(facts.get("max", 0)) - 1))

    def end(self, name: str) -> None:
        super().end(name)
        if name == "c":
            value = self.take()
            if value or self.formula:
                self.cells[self.place] = Cell(self.kind, self.style, value if value or self.valued else None, self.formula)
        elif name == "row":
            self.done.append((self.number, self.cells))
            if self.concealed and self.cells:
                self.hidden.add(self.number)

    def rows(self) -> list[tuple[int, dict[int, Cell]]]:
        found, self.done = self.done, []
        return found


def _column(reference: str) -> int:
    """`C7` -> 2"""
    place = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        place = place * 26 + ord(letter) - 64
    return place - 1


def _within_limits(text: str, place: int) -> str:
    if len(text) > formats.LONGEST:
        raise ValueError("a number format longer than Excel's")
    if place >= MOST_FORMATS:
        raise ValueError("more formats than Excel has")
    return text


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    raise ValueError("a workbook declares no document type")
