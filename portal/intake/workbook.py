"""The rows of an Excel workbook (XLSX), read as a stream: nothing is calculated, followed, unpacked to disk, or held whole.

A cell is what a person sees in it: text stays text whatever it begins with, a formula counts with the result that Excel
saved, a number has Excel's 15 digits. What is neither text nor number is `Unreadable`, with the reason.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from portal.domain.imports.entries import BadFile, Problem
from portal.intake import dates, formats
from portal.intake.cells import Dated, Number, Unreadable
from portal.intake.package import BOMB, DAMAGED, Package, beside, refusal
from portal.intake.sheets import Cell, Shared, Sheet, Styles, Toc

MOST_TEXT = 200_000_000  # characters in all rows: a shared text can stand in any number of cells
MOST_DIGITS = 15  # that Excel keeps of a number
WIDEST = 1_000  # columns


class Book(NamedTuple):
    """The rows of the first sheet that is not hidden, notes about what was passed over, and the day 0 of its day numbers."""

    rows: Iterator[tuple[int, list[str]]]
    notes: list[str]
    epoch: date


def rows(content: bytes) -> Book:
    """What the workbook holds. Raises BadFile, also while iterating; notes may be added until the last row was read."""
    book, toc = Package(content), Toc()
    book.read(book.main, toc)
    relations = book.relations(book.main)
    shown = [(name, *relations.targets.get(id, ("", ""))) for name, id, shown in toc.sheets if shown]
    if shown and not any(target for _, _, target in shown):
        raise refusal(DAMAGED)
    sheets = [(name, target) for name, kind, target in shown if kind == "worksheet"]
    if not sheets:
        raise refusal("The workbook has no visible sheet with cells.")
    (name, target), others = sheets[0], [name for name, _ in sheets[1:]]
    notes = [f"The sheet “{name[:31]}” was read; {_listed(others)} not."] if others else []
    shared, styles = Shared(), Styles()
    for kind, into in (("sharedStrings", shared), ("styles", styles)):
        if (part := relations.of(kind)) is not None:
            book.read(beside(book.main, part), into)
    reader = Reader(shared.texts, styles, toc.since_1904)
    return Book(_rows(book, beside(book.main, target), reader, notes), notes, reader.epoch)


class Reader:
    """Makes the text of a cell out of what its XML says."""

    def __init__(self, texts: list[str], styles: Styles, since_1904: bool) -> None:
        self.texts, self.styles = texts, styles
        self.epoch = dates.EPOCH_1904 if since_1904 else dates.EPOCH

    def text(self, cell: Cell) -> str:
        kind, style, value, formula = cell
        if formula and not value and not (kind == "str" and value is not None):
            reason = "holds a formula without a result. Open the workbook in Excel, save it, and import it again."
            return Unreadable("(formula)", reason)
        if not value:
            return ""
        if kind == "s":
            return self.texts[int(value)]
        if kind == "e":
            return Unreadable(value, f"holds the error {value[:20]}.")
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind == "d":
            return self._date(value[:10])
        return value if kind in ("str", "inlineStr") else self._number(value, self.styles.code(style))

    def _number(self, value: str, code: str) -> str:
        number = Decimal(f"{float(value):.{MOST_DIGITS}g}")  # the digits Excel itself shows: 0.1 + 0.2 is 0.3
        if not number.is_finite():
            raise ValueError(value)
        if formats.is_date(code):
            return self._date(self._day(float(value)))
        held = f"{number:f}"
        if "." in held:
            held = held.rstrip("0").rstrip(".")
        if (digits := number.adjusted() + 1) > MOST_DIGITS:
            reason = f"holds a number of {digits} digits, of which Excel keeps {MOST_DIGITS}: the others are lost."
            return Unreadable(held, f"{reason} Format the column as Text in Excel and type it again.")
        return Number(held, *formats.shown(Decimal(held), code))

    def _day(self, serial: float) -> str:
        try:
            return (self.epoch + timedelta(days=int(serial))).isoformat()
        except OverflowError:
            return "a day out of reach"

    @staticmethod
    def _date(shown: str) -> str:
        reason = f"holds a date ({shown}). If this was meant as text, format the column as Text in Excel and type it again."
        return Dated(shown, reason)


def _rows(book: Package, name: str, reader: Reader, notes: list[str]) -> Iterator[tuple[int, list[str]]]:
    sheet, left, hidden = Sheet(), MOST_TEXT, 0
    widest = 0
    for _ in book.parsed(name, sheet):
        for number, cells in sheet.rows():
            try:
                texts = {place: reader.text(cell) for place, cell in cells.items()}
            except (ValueError, IndexError, ArithmeticError):
                raise BadFile([Problem(f"row {number}", "", DAMAGED)]) from None
            width = max((place for place, text in texts.items() if text.strip()), default=-1) + 1
            left -= sum(map(_size, texts.values()))
            if left < 0:
                raise refusal(BOMB)
            if width > WIDEST:
                raise BadFile([Problem(f"row {number}", "", f"There is a value in column {width:,}. Delete what stands beside the list.")])
            hidden += bool(width and number in sheet.hidden)
            widest = max(widest, width)
            yield number, [texts.get(place, "") for place in range(width)]
    columns = sum(any(first <= place <= last for first, last in sheet.hidden_columns) for place in range(widest))
    notes += [_included(count, what) for count, what in ((hidden, "row"), (columns, "column")) if count]


def _size(text: str) -> int:
    return len(text) + (len(text.shown) if isinstance(text, Number) else 0)


def _included(count: int, what: str) -> str:
    return f"{count:,} hidden {what} is included." if count == 1 else f"{count:,} hidden {what}s are included."


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name[:31]}”" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{shown}{more} {'was' if len(names) == 1 else 'were'}"
