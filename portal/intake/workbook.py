"""The rows of an Excel workbook (XLSX), read as a stream: nothing is calculated, followed, unpacked to disk, or held whole.

A cell is what a person sees in it: text stays text whatever it begins with, a formula counts with the result that Excel
saved, a number has Excel's 15 digits. What is neither text nor number is `Unreadable`, with the reason.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from xml.parsers import expat

from portal.domain.entries import BadFile, Problem
from portal.intake import dates
from portal.intake.sheets import Parsed, Shared, Sheet, Styles, Toc, parse

MOST_PARTS = 1_000
LARGEST_PART = 300_000_000  # bytes, unpacked
LARGEST_TEXTS = 60_000_000  # the shared texts are the only part that is held whole
MOST_TIMES = 250  # a part may be larger than its packed form; sheets of repeated text come to 50
MOST_TEXT = 200_000_000  # characters in all rows: a shared text can stand in any number of cells
WIDEST = 1_000  # columns
SMALL = 5_000_000  # bytes that are no bomb however they are packed
CHUNK = 65_536
DAMAGED = "The workbook is damaged. Open it in Excel, save it again as “Excel Workbook (*.xlsx)”, and import that."
BOMB = "The workbook is far larger unpacked than any list of change orders. Save its rows as CSV UTF-8 and import that."


class Unreadable(str):
    """A cell that holds neither text nor number; its text is what is shown of it."""

    reason: str

    def __new__(cls, shown: str, reason: str) -> "Unreadable":
        made = super().__new__(cls, shown)
        made.reason = reason
        return made


class Dated(Unreadable):
    """A cell that Excel shows as a date; its text is the day, 2026-11-30. Only a column of dates can use it."""


class Book(NamedTuple):
    """The rows of the first sheet that is not hidden, notes about what was passed over, and the day 0 of its day numbers."""

    rows: Iterator[tuple[int, list[str]]]
    notes: list[str]
    epoch: date


def rows(content: bytes) -> Book:
    """What the workbook holds. Raises BadFile, also while iterating."""
    try:
        book = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise _refusal(DAMAGED) from None
    _ensure_harmless(book)
    toc = Toc()
    _read(book, "xl/workbook.xml", toc)
    _read(book, "xl/_rels/workbook.xml.rels", toc)
    names = [name for name, target in toc.visible() if "worksheets/" in target]
    if not names:
        raise _refusal("The workbook has no visible sheet with cells.")
    notes = [f"The sheet “{names[0]}” was read; {_listed(names[1:])} not."] if names[1:] else []
    shared, styles = Shared(), Styles()
    _read(book, "xl/sharedStrings.xml", shared, LARGEST_TEXTS, optional=True)
    _read(book, "xl/styles.xml", styles, optional=True)
    target = posixpath.normpath(posixpath.join("/xl", dict(toc.visible())[names[0]])).lstrip("/")
    reader = Reader(shared.texts, styles, toc.since_1904)
    return Book(_rows(book, target, reader), notes, reader.epoch)


class Reader:
    """Makes the text of a cell out of what its XML says."""

    def __init__(self, texts: list[str], styles: Styles, since_1904: bool) -> None:
        self.texts, self.styles = texts, styles
        self.epoch = dates.EPOCH_1904 if since_1904 else dates.EPOCH

    def text(self, kind: str, style: str, value: str, formula: bool) -> str:
        if formula and not value:
            reason = "holds a formula without a result. Open the workbook in Excel, save it, and import it again."
            return Unreadable("(formula)", reason)
        if kind == "s":
            return self.texts[int(value)] if value else ""
        if kind == "e":
            return Unreadable(value, f"holds the error {value[:20]}.")
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind == "d":
            return self._date(value[:10])
        return value if kind in ("str", "inlineStr") or not value else self._number(value, self.styles.code(style))

    def _number(self, value: str, code: str) -> str:
        number = Decimal(f"{float(value):.15g}")  # the digits Excel itself shows: 0.1 + 0.2 is 0.3
        if not number.is_finite():
            raise ValueError(value)
        if _is_date(code):
            return self._date(self._day(float(value)))
        text = f"{number:f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.zfill(len(code)) if re.fullmatch("0+", code) and text.isdigit() else text

    def _day(self, serial: float) -> str:
        try:
            return (self.epoch + timedelta(days=int(serial))).isoformat()
        except OverflowError:
            return "a day out of reach"

    @staticmethod
    def _date(shown: str) -> str:
        reason = f"holds a date ({shown}). If this was meant as text, format the column as Text in Excel and type it again."
        return Dated(shown, reason)


def _rows(book: zipfile.ZipFile, name: str, reader: Reader) -> Iterator[tuple[int, list[str]]]:
    sheet, left = Sheet(), MOST_TEXT
    for _ in _parsed(book, name, sheet, LARGEST_PART):
        for number, cells in sheet.rows():
            try:
                texts = {place: reader.text(*cell) for place, cell in cells.items()}
            except (ValueError, IndexError, ArithmeticError):
                raise BadFile([Problem(f"row {number}", "", DAMAGED)]) from None
            width = max((place for place, text in texts.items() if text.strip()), default=-1) + 1
            left -= sum(map(len, texts.values()))
            if left < 0:
                raise _refusal(BOMB)
            if width > WIDEST:
                raise BadFile([Problem(f"row {number}", "", f"There is a value in column {width:,}. Delete what stands beside the list.")])
            yield number, [texts.get(place, "") for place in range(width)]


def _read(book: zipfile.ZipFile, name: str, into: Parsed, largest: int = LARGEST_TEXTS, *, optional: bool = False) -> None:
    if optional and name not in book.namelist():
        return
    for _ in _parsed(book, name, into, largest):
        pass


def _parsed(book: zipfile.ZipFile, name: str, into: Parsed, largest: int) -> Iterator[None]:
    """Feed the part piece by piece. Raises BadFile for what is damaged, too large, or declares entities."""
    try:
        if book.getinfo(name).file_size > largest:
            raise _refusal(BOMB)
        with book.open(name) as part:
            yield from parse(iter(lambda: part.read(CHUNK), b""), into)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError, ValueError, RuntimeError):
        raise _refusal(DAMAGED) from None


def _ensure_harmless(book: zipfile.ZipFile) -> None:
    parts = book.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise _refusal("This is a zip file, but not an Excel workbook (*.xlsx). Save it as “Excel Workbook” or “CSV UTF-8”.")
    if any(name.casefold().endswith("vbaproject.bin") for name in names):
        raise _refusal("The workbook contains macros. Save it as “Excel Workbook (*.xlsx)”, without macros, and import that.")
    if any(part.flag_bits & 1 for part in parts):
        raise _refusal("The workbook is encrypted. Save it without a password.")
    unpacked = sum(part.file_size for part in parts)
    bombs = [part for part in parts if part.file_size > SMALL and part.file_size > MOST_TIMES * part.compress_size]
    if len(parts) > MOST_PARTS or unpacked > LARGEST_PART or bombs:
        raise _refusal(BOMB)


def _is_date(code: str) -> bool:
    """Whether a number format shows a day or a time."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.', "", code.casefold())
    return bool(re.search(r"[dmyhs]", bare.replace("general", "").replace("standard", "")))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name[:31]}”" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{shown}{more} {'was' if len(names) == 1 else 'were'}"


def _refusal(reason: str) -> BadFile:
    return BadFile([Problem("", "", reason)])
