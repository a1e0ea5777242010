"""Change orders from a CSV file: one row is one line item; rows with the same job, commitment and CCO number belong together."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from portal.domain.entries import BadFile, Entry, Problem
from portal.intake import shapes

DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
# column -> its place in the shape of a change order; the flag: the column must be there
HEADER: dict[str, tuple[tuple[str, ...], bool]] = {
    "job_number": (("job", "number"), True),
    "job_name": (("job", "name"), False),
    "customer_code": (("job", "customer_code"), False),
    "vendor_name": (("vendor", "name"), True),
    "vendor_code": (("vendor", "code"), False),
    "commitment_number": (("commitment", "number"), True),
    "commitment_title": (("commitment", "title"), False),
    "commitment_kind": (("commitment", "kind"), True),
    "as_subcontract": (("commitment", "as_subcontract"), False),
    "unit_price": (("commitment", "unit_price"), False),
    "subcontract_number": (("commitment", "subcontract_number"), False),
    "original_amount": (("commitment", "original_amount"), False),
    "cco_number": (("number",), True),
    "revision": (("revision",), False),
    "title": (("title",), True),
    "description": (("description",), False),
    "status": (("status",), True),
    "total": (("total",), False),
}
LINE: dict[str, tuple[str, bool]] = {
    "phase_code": ("phase_code", True),
    "cost_type": ("cost_type", True),
    "bid_item": ("bid_item", False),
    "line_description": ("description", False),
    "quantity": ("quantity", False),
    "unit": ("unit", False),
    "amount": ("amount", True),
}
KEY = ("job_number", "commitment_number", "cco_number", "revision")
COLUMNS = (*HEADER, *LINE)
REQUIRED = [name for name, (_, needed) in HEADER.items() if needed] + [name for name, (_, needed) in LINE.items() if needed]
PLACES = {place: name for name, (place, _) in HEADER.items()}
LINE_PLACES = {place: name for name, (place, _) in LINE.items()}


class Gathered:
    """The rows of one change order: its facts, where each was first said, and its lines with theirs."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.facts: dict[str, str] = {}
        self.said: dict[str, int] = {}
        self.lines: list[dict[str, str]] = []
        self.places: list[int] = []

    def add(self, line: int, row: dict[str, str]) -> Iterator[Problem]:
        """Take the row in. A blank fact is one the row does not repeat; another one than before is a problem."""
        for name in HEADER:
            value = row.get(name, "").strip()
            first = self.facts.setdefault(name, value)
            if value and not first:
                self.facts[name], self.said[name] = value, line
            elif value and value != first:
                yield Problem(f"line {line}", name, f"“{_short(value)}” contradicts “{_short(first)}” at line {self.said[name]}.")
            else:
                self.said.setdefault(name, line)
        self.lines.append({place: row.get(name, "") for name, (place, _) in LINE.items()})
        self.places.append(line)

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"lines": self.lines}
        for name, (place, _) in HEADER.items():
            inside = document
            for part in place[:-1]:
                inside = inside.setdefault(part, {})
            inside[place[-1]] = self.facts[name]
        return document

    def problem(self, loc: tuple[int | str, ...], reason: str) -> Problem:
        if loc[0] == "lines" and len(loc) > 2:
            return Problem(f"line {self.places[int(loc[1])]}", LINE_PLACES[str(loc[2])], reason)
        name = PLACES.get(tuple(map(str, loc)), shapes.path(loc))
        return Problem(f"line {self.said.get(name, self.line)}", name, reason)


def read(text: str) -> tuple[list[Entry], list[Problem]]:
    """The change orders of the text. Raises BadFile where no row can be told from another."""
    gathered, problems = _gather(text)
    entries = []
    for one in gathered:
        try:
            entries.append(shapes.ChangeOrder.model_validate(one.document()).entry(f"line {one.line}"))
        except ValidationError as error:
            problems.extend(one.problem(loc, reason) for loc, reason in shapes.faults(error))
    return entries, problems


def _gather(text: str) -> tuple[list[Gathered], list[Problem]]:
    rows = _rows(text)
    names = _columns(*next(row for row in rows if any(row[1])))
    gathered: dict[tuple[str, ...], Gathered] = {}
    problems: list[Problem] = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(names) :]):
            problems.append(Problem(f"line {line}", "", f"There are {len(cells)} cells but {len(names)} columns. Is a quote missing?"))
            continue
        row = dict(zip(names, cells, strict=False))
        key = tuple(row.get(name, "").strip() for name in KEY)
        problems.extend(gathered.setdefault(key, Gathered(line)).add(line, row))
    if not gathered and not problems:
        raise BadFile([Problem("", "", "The file has a header and no rows.")])
    return list(gathered.values()), problems


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line it begins on."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "A quote is opened and never closed." if "end of data" in str(error) else f"The row cannot be read ({error})."
        raise BadFile([Problem(f"line {line}", "", reason)]) from None


def _delimiter(text: str) -> str:
    """The one that splits the first line into the most columns we know."""
    first = text.lstrip().splitlines()[0]
    return max(DELIMITERS, key=lambda one: len({_name(cell) for cell in first.split(one)} & set(COLUMNS)))


def _columns(line: int, cells: list[str]) -> list[str]:
    """The names of the columns. Raises BadFile with all that is wrong with them."""
    names = [_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = sorted({name for name in names if name and names.count(name) > 1})
    reasons = [
        *(f"Column {place} has no name." for place, name in enumerate(names, 1) if not name),
        *(f"Column “{_short(name)}” is there twice." for name in twice),
        *(
            f"Column “{_short(name)}” is not known. Remove it, or give it one of the documented names."
            for name in names
            if name and name not in COLUMNS
        ),
        *(f"Column “{name}” is missing." for name in REQUIRED if name not in names),
    ]
    if reasons:
        raise BadFile([Problem(f"line {line}", "", reason) for reason in reasons])
    return names


def _name(cell: str) -> str:
    return "_".join(cell.strip().strip('"').casefold().split())


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
