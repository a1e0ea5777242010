"""The workbook for Spectrum's Office add-in: one row per line in the order of Trimble's table, typed cells, and a sheet of contents."""

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.domain.recovery.workbook import Left
from portal.spectrum.records import FIELDS, Field

COLUMNS: tuple[Field, ...] = FIELDS[2:]  # without Authorization_ID and GUID, which belong to the web service
CONTENTS = ("Rows", "CCO", "Title", "Job", "Commitment", "Vendor", "Spectrum number", "Lines", "Amount", "Left out, because zero")
WIDTHS = (10, 8, 32, 12, 14, 30, 16, 8, 16, 24)


def write(left: list[Left]) -> bytes:
    """The file. Text stays text, whatever it begins with; amounts and quantities are numbers with two decimals, dates are dates."""
    import xlsxwriter  # here, because hardly a process ever writes one

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}),
            "text": book.add_format({"num_format": "@"}),
            "number": book.add_format({"num_format": "0.00"}),
            "date": book.add_format({"num_format": "mm/dd/yyyy"}),
        }
        ends = _lines(book.add_worksheet("Change Requests"), formats, left)
        _contents(book.add_worksheet("Contents"), formats, left, ends)
    return file.getvalue()


def _lines(sheet: Any, formats: dict[str, Any], left: list[Left]) -> list[int]:
    """Every line of every change order; answers the last row of each change order, as Excel numbers rows."""
    for column, field in enumerate(COLUMNS):
        sheet.write_string(0, column, field.name, formats["head"])
        sheet.set_column(column, column, max(len(field.name), 12) + 1)
    sheet.freeze_panes(1, 0)
    row, ends = 0, []
    for one in left:
        for _, elements in one.payload.lines:
            row += 1
            for column, field in enumerate(COLUMNS):
                _cell(sheet, row, column, field, (one.payload.header | elements)[field.name], formats)
        ends.append(row + 1)
    return ends


def _cell(sheet: Any, row: int, column: int, field: Field, text: str, formats: dict[str, Any]) -> None:
    """One element; an empty one leaves the cell empty, which leaves the field as it is in Spectrum."""
    if not text:
        return
    if field.kind == "number":
        sheet.write_number(row, column, float(Decimal(text)), formats["number"])  # 12 digits: a double holds them exactly enough
    elif field.kind == "date":
        sheet.write_datetime(row, column, datetime.strptime(text, "%m/%d/%Y"), formats["date"])  # noqa: DTZ007 -- a day has no zone
    else:
        sheet.write_string(row, column, text, formats["text"])


def _contents(sheet: Any, formats: dict[str, Any], left: list[Left], ends: list[int]) -> None:
    """Which change order stands in which rows, in the portal's own words."""
    for column, (name, width) in enumerate(zip(CONTENTS, WIDTHS, strict=True)):
        sheet.write_string(0, column, name, formats["head"])
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    for row, (one, end) in enumerate(zip(left, ends, strict=True), 1):
        held, lines = one.change_order.commitment, len(one.payload.lines)
        told = (f"{end - lines + 1}-{end}", one.change_order.number, one.change_order.title, one.change_order.job.number, held.number)
        for column, text in enumerate((*told, held.vendor_name, one.number)):
            sheet.write_string(row, column, text, formats["text"])
        sheet.write_number(row, 7, lines)
        sheet.write_number(row, 8, float(one.payload.total), formats["number"])
        sheet.write_string(row, 9, ", ".join(map(str, one.payload.skipped)), formats["text"])
