"""Tables to take away as CSV or XLSX, row by row, so that a long one needs no memory; and nothing in them is taken for a formula."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Response, send_file, stream_with_context

# What makes spreadsheets calculate what follows: = + - @, the full-width twins of these, and control characters.
FORMULA = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")
UNSEEN = " \u00a0\u200b\ufeff"  # may stand before it
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATTERNS = {Decimal: "#,##0.00", date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm"}
BOM = "\ufeff"  # without it Excel reads UTF-8 as something else


def as_csv(name: str, head: Sequence[str], rows: Iterable[Iterable[object]]) -> Response:
    """The table as a file called `name`. The rows are asked for while it is sent."""
    answer = Response(stream_with_context(_lines(head, rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def as_xlsx(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The table as a workbook called `name`: text stays text, whatever it begins with; amounts are numbers, days and moments are dates."""
    import xlsxwriter  # here, because hardly a process ever writes one

    file = tempfile.TemporaryFile()  # noqa: SIM115 -- the answer closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in PATTERNS.items()}
        sheet = book.add_worksheet()
        sheet.set_column(0, len(head) - 1, 16)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, head, book.add_format({"bold": True, "bottom": 1}))
        for at, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                _write(sheet, at, column, cell, formats)
    file.seek(0)
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


def _write(sheet: Any, row: int, column: int, cell: object, formats: dict[type, Any]) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, date):  # a moment is one too
        sheet.write_datetime(row, column, cell, formats[type(cell)])
    elif isinstance(cell, Decimal):
        sheet.write_number(row, column, float(cell), formats[Decimal])  # 12 digits: a double holds them exactly enough
    elif cell is not None:
        sheet.write_number(row, column, cell)


def _lines(head: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    yield BOM + _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def harmless(text: str) -> str:
    """The text with a leading quote mark where a spreadsheet would calculate it, blanks before it or not. Numbers are no text."""
    return f"'{text}" if text.lstrip(UNSEEN).startswith(FORMULA) else text
