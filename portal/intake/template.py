"""A table to fill in: the columns an import knows, with nothing in it, as CSV or as an Excel workbook with a sheet of explanations."""

import io
from typing import Any

from portal.intake.headings import COLUMNS, REQUIRED, SYNONYMS

MEANING = {
    "job_number": "Spectrum job number, at most 10 characters",
    "job_name": "Name of the job",
    "customer_code": "Spectrum customer code, at most 10 characters",
    "vendor_name": "Vendor of the commitment",
    "vendor_code": "Spectrum vendor code, at most 10 characters",
    "commitment_number": "Number of the subcontract or purchase order",
    "commitment_title": "Title of the commitment",
    "commitment_kind": "subcontract, or purchase order",
    "as_subcontract": "yes: a purchase order that was entered in Spectrum as a subcontract",
    "unit_price": "yes: a unit price contract; every line then needs its bid item",
    "subcontract_number": "Spectrum subcontract number, at most 10 characters",
    "original_amount": "Original amount of the commitment",
    "cco_number": "Number of the change order, at most 12 characters",
    "revision": "0, 1, 2 ...; of several revisions the highest counts",
    "title": "Spectrum takes 30 characters",
    "description": "Spectrum takes 250 characters",
    "status": "Approval on the project; only Approved may be sent",
    "total": "Compared with the lines when it is sent",
    "tax": "Tax of the change order, beside the total; not sent to Spectrum",
    "currency": "Code such as USD, for all amounts of the change order; empty: the company's",
    "date": "Date of the change order, such as 2026-11-30 or 11/30/2026; not sent to Spectrum",
    "phase_code": "Cost code (phase) of the line",
    "cost_type": "Cost type of the line",
    "bid_item": "Bid item, for unit price contracts",
    "line_description": "Description of the line",
    "quantity": "Quantity, such as 12.5",
    "unit": "Unit, such as LS",
    "amount": "Amount of the line, such as 1234.50 or -1234.50",
}
NUMBERS = {"original_amount", "total", "tax", "quantity", "amount"}


def as_csv() -> str:
    return "\ufeff" + ",".join(COLUMNS) + "\r\n"


def as_workbook() -> bytes:
    """Codes and numbers of things are formatted as text, so that Excel makes neither dates nor sums of them."""
    import xlsxwriter  # here, because hardly a process ever writes one

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {True: book.add_format({"num_format": "#,##0.00"}), False: book.add_format({"num_format": "@"})}
        sheet = book.add_worksheet("Change orders")
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(COLUMNS):
            sheet.write_string(0, place, name, bold)
            sheet.set_column(place, place, max(len(name), 12) + 1, formats[name in NUMBERS])
        _explain(book.add_worksheet("Columns"), bold)
    return file.getvalue()


def _explain(sheet: Any, bold: Any) -> None:
    for place, (name, width) in enumerate({"Column": 20, "Needed": 8, "What": 64, "Also understood": 64}.items()):
        sheet.write_string(0, place, name, bold)
        sheet.set_column(place, place, width)
    for row, name in enumerate(COLUMNS, 1):
        told = (name, "yes" if name in REQUIRED else "", MEANING[name], SYNONYMS.get(name, ""))
        for place, text in enumerate(told):
            sheet.write_string(row, place, text)
