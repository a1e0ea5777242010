"""What the columns of a table are called: our names, and those that project systems and people give the same things."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain

from portal.domain.imports.entries import BadFile, Problem

MOST_COLUMNS = 200
MOST_ABOVE = 20  # rows among which the headings are looked for
LONGEST_HEADING = 200
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
    "tax": (("tax",), False),
    "currency": (("currency",), False),
    "date": (("date",), False),
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
COLUMNS = (*HEADER, *LINE)
KNOWN = set(COLUMNS)
REQUIRED = [name for name, (_, needed) in HEADER.items() if needed] + [name for name, (_, needed) in LINE.items() if needed]
SYNONYMS = {
    "job_number": "job, job code, project number, project code",
    "job_name": "project, project name, job title, job description",
    "customer_code": "customer, customer number",
    "vendor_name": "vendor, subcontractor, supplier, company, contract company",
    "vendor_code": "vendor number, vendor id, supplier number",
    "commitment_number": "commitment, contract, contract number",
    "commitment_title": "commitment name, contract title, contract name",
    "commitment_kind": "commitment type, contract type, kind, type",
    "subcontract_number": "spectrum subcontract, spectrum subcontract number",
    "original_amount": "original contract amount, original commitment amount, original value, original contract value",
    "cco_number": "cco, number, co, co number, change order, change order number, commitment change order number",
    "revision": "rev, revision number",
    "title": "cco title, change order title, subject",
    "description": "cco description, change order description",
    "status": "cco status, change order status, approval status",
    "total": "grand total, total amount, cco total, change order total",
    "phase_code": "phase, cost code, phase number",
    "cost_type": "category, line item type",
    "bid_item": "bid item number, item number",
    "line_description": "line item description, item description",
    "quantity": "qty",
    "unit": "uom, units, unit of measure",
    "amount": "line amount, line total, line item amount, amount usd",
    "tax": "tax amount, total tax, sales tax, change order tax, cco tax",
    "currency": "currency code, currency iso code",
    "date": "cco date, change order date, date of change order, executed date, signed change order received date",
}
NAMES = {"_".join(said.split()): column for column, all_said in SYNONYMS.items() for said in all_said.split(", ")}
Rows = Iterator[tuple[int, list[str]]]
NUMBER = {"#", "no", "num", "nr"}
ALIKE = 0.8  # how much of two words has to agree for the one to be the other, mistyped


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table: what each is, and how the file writes it. What is not in KNOWN is passed over."""

    names: list[str]
    headings: dict[str, str]

    @property
    def note(self) -> str:
        """The columns that no one here knows, as a sentence; empty where there are none."""
        unknown = ", ".join(f"“{_short(heading)}”" for name, heading in self.headings.items() if name not in KNOWN)
        return f"Passed over, because no such column is known: {unknown}." if unknown else ""

    def heading(self, name: str) -> str:
        """How the file calls our column; our own name where it has none."""
        return self.headings.get(name, name)

    @property
    def renamed(self) -> dict[str, str]:
        """Heading in the file -> our column, where they differ."""
        return {heading: name for name, heading in self.headings.items() if _words(heading) != name}


def headed(rows: Rows, unit: str) -> tuple[Columns, str, Rows]:
    """The columns, what was passed over to find their headings, and the rows below them. Raises BadFile."""
    looked: list[tuple[int, list[str]]] = []
    for row in rows:
        if any(cell.strip() for cell in row[1]):
            looked.append(row)
            if _is_heading(row[1]) or len(looked) == MOST_ABOVE:
                break
    if not looked:
        raise BadFile([Problem("", "", "The file is empty.")])
    at = len(looked) - 1 if _is_heading(looked[-1][1]) else 0
    known = columns(f"{unit} {looked[at][0]}", looked[at][1])
    note = f"The headings are in {unit} {looked[at][0]}; what stands above them was passed over." if at else ""
    return known, note, chain(looked[at + 1 :], rows)


def columns(where: str, cells: Sequence[str]) -> Columns:
    """The columns that the cells of the first row name. Raises BadFile with all that is wrong with them."""
    cells = list(cells)
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise BadFile([Problem(where, "", f"The first row names {len(cells):,} columns; at most {MOST_COLUMNS} can be read.")])
    if reasons := _reasons(cells):
        raise BadFile([Problem(where, "", reason) for reason in reasons])
    names = [column_of(cell) for cell in cells]
    return Columns(names, {name: " ".join(cell.split()) for name, cell in zip(names, cells, strict=True)})


def column_of(cell: str) -> str:
    """The column that a heading means; the heading's words where we know none."""
    if len(cell) > LONGEST_HEADING:
        return cell
    words = _words(cell)
    return words if words in KNOWN else NAMES.get(words, words)


def _is_heading(cells: Sequence[str]) -> bool:
    """Whether the cells name at least half of the columns that must be there."""
    return 2 * len({column_of(cell) for cell in cells[:MOST_COLUMNS]} & set(REQUIRED)) >= len(REQUIRED)


def _reasons(cells: list[str]) -> list[str]:
    names = [column_of(cell) for cell in cells]
    missing = [name for name in REQUIRED if name not in names]
    return [
        *(f"Column {place} has no name." for place, cell in enumerate(cells, 1) if not cell.strip()),
        *(_twice(name, cells) for name in dict.fromkeys(names) if name in KNOWN and names.count(name) > 1),
        *(
            reason
            for name, cell in zip(names, cells, strict=True)
            if cell.strip() and name not in KNOWN and (reason := _unknown(name, cell, names, bool(missing)))
        ),
        *(f"Column “{name}” is missing." for name in missing),
    ]


def _unknown(name: str, cell: str, names: Collection[str], told: bool) -> str:
    """Why an unknown column is refused: it looks like one that the file lacks. Else it is passed over; `told`: another one is missing."""
    if meant := _meant(name, names):
        return f"Column “{_short(cell)}” is not known. Is it {meant}? Name it so, or remove it."
    return f"Column “{_short(cell)}” is not known. Remove it, or give it one of the documented names." if told else ""


def _meant(name: str, names: Collection[str]) -> str:
    """The known column that the heading is, mistyped; none that is there already, and never the switch that prices are taken for."""
    for said, column in [*zip(COLUMNS, COLUMNS, strict=True), *NAMES.items()]:
        ours, theirs = said.split("_"), name.split("_")
        alike = len(ours) == len(theirs) and all(map(_alike, ours, theirs))
        if column not in names and column != "unit_price" and (alike or "".join(ours) == "".join(theirs)):
            return column
    return ""


def _alike(ours: str, theirs: str) -> bool:
    """The same word, in another number or mistyped."""
    short, long = sorted((ours, theirs), key=len)
    if short == long or (len(short) > 2 and long.startswith(short) and len(long) - len(short) <= 2):
        return True
    return len(short) > 3 and SequenceMatcher(None, ours, theirs).ratio() >= ALIKE


def _twice(name: str, cells: list[str]) -> str:
    said = list(dict.fromkeys(_short(cell.strip()) for cell in cells if column_of(cell) == name))
    if len(said) == 1:
        return f"Column “{said[0]}” is there twice."
    return f"Columns {' and '.join(f'“{one}”' for one in said)} both mean {name}. Keep one of them."


def _words(cell: str) -> str:
    """`Job #`, ` job NO. ` and `job_number` are all `job_number`."""
    found = re.findall(r"[^\W_]+|#", cell.strip().strip('"').casefold())
    return "_".join("number" if word in NUMBER else word for word in found)


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
