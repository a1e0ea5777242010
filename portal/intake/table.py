"""Change orders from a table: one row is one line item; rows with the same job, commitment and CCO number belong together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from pydantic import ValidationError

from portal.domain import currencies, keys, money
from portal.domain.imports.entries import BadFile, Entry, Problem, keep_few
from portal.intake import amounts, dates, limits, schemas, values
from portal.intake.headings import COLUMNS, HEADER, KNOWN, LINE, Columns, Rows, headed
from portal.intake.limits import MOST_ROWS

__all__ = ["COLUMNS", "Table", "read"]

KEY = ("job_number", "commitment_number", "cco_number", "revision")
CODES = (*KEY[:3], "customer_code", "vendor_code", "subcontract_number")
MONEY = ("original_amount", "total", "tax")
TOTAL = "is the sum of the rows above it, in a row without cost code and cost type: a total, not a line item. Remove the row."
PLACES = {place: name for name, (place, _) in HEADER.items()}
LINE_PLACES = {place: name for name, (place, _) in LINE.items()}


@dataclass(slots=True)
class Table:
    """What a table holds. `notes`: what was taken for granted; `renamed`: heading in the file -> our column."""

    entries: list[Entry]
    problems: list[Problem]
    notes: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Styles:
    """How the file writes amounts and dates."""

    amounts: amounts.Style
    dates: dates.Style

    def amount(self, text: str) -> str:
        """The amount in our own way. Raises ValueError."""
        plain = self.amounts.plain(text)
        money.parse(plain)
        return plain


class Gathered:
    """The rows of one change order: its facts, where each was first said, and its lines with theirs."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.facts: dict[str, str] = {}
        self.said: dict[str, str] = {}
        self.lines: list[dict[str, str]] = []
        self.places: list[str] = []
        self.is_bad = self.has_prices = False

    def add(self, where: str, row: dict[str, str], known: Columns) -> Iterator[Problem]:
        """Take the row in. A blank fact is one the row does not repeat; another one than before is a problem."""
        for name in HEADER:
            value = row.get(name, "")
            if name == "unit_price" and values.is_price(value):
                self.has_prices, value = True, ""
            first = self.facts.setdefault(name, value)
            if value and not first:
                self.facts[name], self.said[name] = value, where
            elif value and value != first and not (name in CODES and keys.canonical(value) == keys.canonical(first)):
                reason = f"“{_short(value)}” contradicts “{_short(first)}” at {self.said[name]}."
                yield Problem(where, known.heading(name), reason)
            else:
                self.said.setdefault(name, where)
        self.lines.append({place: row.get(name, "") for name, (place, _) in LINE.items()})
        self.places.append(where)

    def texts(self, *names: str) -> Iterator[tuple[str, str]]:
        """The facts of these names, or the amounts, as they are written, each with its place."""
        yield from ((self.said[name], self.facts[name]) for name in names or MONEY if self.facts[name])
        if not names:
            yield from ((place, line["amount"]) for place, line in zip(self.places, self.lines, strict=True) if line["amount"].strip())

    def restate(self, styles: "Styles", known: Columns) -> Iterator[Problem]:
        """Write currency, date, amounts and quantities in our own way."""
        yield from self._name_currency(known)
        if self.facts["date"]:
            yield from _restated(self.facts, "date", styles.dates.plain, Problem(self.said["date"], known.heading("date"), ""))
        for name in MONEY:
            yield from _restated(self.facts, name, styles.amount, Problem(self.said[name], known.heading(name), ""))
        for place, line in zip(self.places, self.lines, strict=True):
            for name, read in (("amount", styles.amount), ("quantity", styles.amounts.plain)):
                yield from _restated(line, name, read, Problem(place, known.heading(name), ""))

    def _name_currency(self, known: Columns) -> Iterator[Problem]:
        """What stands beside the amounts names the currency where its column does not, and never contradicts it."""
        stated = self.facts["currency"]
        try:
            code = currencies.read(stated)
        except ValueError:
            return  # the check of the field says so
        first = f"“{stated}” at {self.said['currency']}"
        for place, text in self.texts():
            mark = amounts.currency_of(text)
            named = currencies.read(mark)
            if mark and stated and not currencies.agree(stated, mark):
                yield Problem(place, known.heading("currency"), f"“{_short(amounts.written(text))}” is in another currency than {first}.")
            elif mark and (not stated or (named and not code)):
                stated, code, first = mark, named, f"“{_short(amounts.written(text))}” at {place}"
        self.facts["currency"] = code

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"lines": self.lines}
        for name, (place, _) in HEADER.items():
            inside = document
            for part in place[:-1]:
                inside = inside.setdefault(part, {})
            inside[place[-1]] = self.facts[name]
        return document

    def problem(self, loc: tuple[int | str, ...], reason: str, known: Columns) -> Problem:
        if loc[0] == "lines" and len(loc) > 2:
            return Problem(self.places[int(loc[1])], known.heading(LINE_PLACES[str(loc[2])]), reason)
        name = PLACES.get(tuple(map(str, loc)), schemas.path(loc))
        return Problem(self.said.get(name, self.where), known.heading(name), reason)


def read(rows: Rows, unit: str, epoch: date = dates.EPOCH) -> Table:
    """The change orders of the rows; `unit` is what the file's program calls one: line, row. Raises BadFile.

    epoch   the day 0 of the file's day numbers
    """
    known, above_note, rows = headed(rows, unit)
    gathered, problems = _gather(rows, unit, known)
    styles = Styles(
        amounts.style_of(text for one in gathered for _, text in one.texts()),
        dates.style_of((text for one in gathered for _, text in one.texts("date")), epoch),
    )
    notes = [
        above_note,
        known.note,
        _pass_over_prices(gathered, known),
        styles.amounts.note(chain.from_iterable(one.texts() for one in gathered)),
        amounts.hidden(chain.from_iterable(one.texts() for one in gathered)),
        styles.dates.note(chain.from_iterable(one.texts("date") for one in gathered)),
    ]
    entries: list[Entry] = []
    for one in gathered:
        found, wrong = _entry(one, styles, known)
        entries += found
        problems += wrong
        keep_few(problems)
    return Table(entries, _in_order(problems, unit), [note for note in notes if note], known.renamed)


def _in_order(problems: list[Problem], unit: str) -> list[Problem]:
    """Row by row; of each cell only the first thing that is wrong with it."""
    first: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.where, problem.field, problem.field or problem.reason), problem)
    return sorted(first.values(), key=lambda problem: int(problem.where.removeprefix(f"{unit} ") or 0))


def _entry(one: Gathered, styles: Styles, known: Columns) -> tuple[list[Entry], list[Problem]]:
    """The change order, or what is wrong with it."""
    if len(one.lines) > limits.MOST_LINES:
        return [], [limits.too_long(one.where, "lines", one.facts["cco_number"], len(one.lines))]
    wrong = list(one.restate(styles, known))
    try:
        entry = schemas.ChangeOrder.model_validate(one.document()).entry(one.where)
    except ValidationError as error:
        return [], wrong + [one.problem(loc, reason, known) for loc, reason in schemas.faults(error)]
    wrong += [Problem(one.places[at], known.heading("amount"), TOTAL) for at in _totals(entry)]
    return ([], wrong) if wrong or one.is_bad else ([entry], [])


def _totals(entry: Entry) -> Iterator[int]:
    """Lines that name no cost and hold the sum of those before them, which do."""
    sum_above = Decimal("0.00")
    for at, line in enumerate(entry.draft.lines):
        if not (line.phase_code or line.cost_type):
            if at and sum_above == line.amount != 0:
                yield at
            return
        sum_above += line.amount or 0


def _gather(rows: Rows, unit: str, known: Columns) -> tuple[list[Gathered], list[Problem]]:
    gathered: dict[tuple[str, ...], Gathered] = {}
    problems: list[Problem] = []
    count = 0
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise BadFile([Problem("", "", f"The file has more than {MOST_ROWS:,} line items. Split it.")])
        where = f"{unit} {number}"
        if any(cell.strip() for cell in cells[len(known.names) :]):
            problems.append(Problem(where, "", f"There are {len(cells):,} cells but {len(known.names)} columns. Is a quote missing?"))
            keep_few(problems)
            continue
        row, wrong = _said(where, dict(zip(known.names, cells, strict=False)), known)
        one = gathered.setdefault(tuple(keys.canonical(row.get(name, "")) for name in KEY), Gathered(where))
        wrong += one.add(where, row, known)
        one.is_bad = one.is_bad or bool(wrong)
        problems.extend(wrong)
        keep_few(problems)
    if not count:
        raise BadFile([Problem("", "", "The file has a header and no rows.")])
    return list(gathered.values()), problems


def _pass_over_prices(gathered: list[Gathered], known: Columns) -> str:
    """A column of prices is not the switch of the same name: what else stands in it says nothing either. Answers the note."""
    if not any(one.has_prices for one in gathered):
        return ""
    for one in gathered:
        one.facts["unit_price"] = ""
    return f"Column “{known.heading('unit_price')}” holds prices, not yes or no: it is passed over."


def _said(where: str, row: dict[str, str], known: Columns) -> tuple[dict[str, str], list[Problem]]:
    """What the cells of the columns we know say, and those that say nothing that can be used."""
    said, odd = {}, []
    for name, cell in row.items():
        try:
            said[name] = values.said(name, cell) if name in KNOWN else str(cell)
        except ValueError as error:
            said[name] = str(cell)
            odd.append(Problem(where, known.heading(name), str(error)))
    return said, odd


def _restated(inside: dict[str, str], name: str, read: Callable[[str], str], place: Problem) -> Iterator[Problem]:
    """What can be read exactly is written our way; what cannot stays, for the check of the field to refuse."""
    text = inside[name]
    if not text:
        return
    try:
        inside[name] = read(text)
    except ValueError as error:
        yield Problem(place.where, place.field, str(error))


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
