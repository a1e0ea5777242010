"""Files to import, and the command that does it."""

import csv
import io

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.intake import table

ROW = {
    "job_number": "24-117",
    "job_name": "Harbor Tower",
    "customer_code": "NORTHSIDE",
    "vendor_name": "Volt Electric Co",
    "vendor_code": "VOLTCO",
    "commitment_number": "SC-014",
    "commitment_title": "Electrical",
    "commitment_kind": "subcontract",
    "subcontract_number": "SC-014",
    "original_amount": "100000.00",
    "cco_number": "001",
    "title": "Relocate duct bank",
    "description": "RFI 118",
    "status": "Approved",
    "phase_code": "16-2000",
    "cost_type": "SUB",
    "line_description": "Duct bank",
    "quantity": "1",
    "unit": "LS",
    "amount": "4250.00",
}


def text_of(*rows, delimiter=",", columns=table.COLUMNS):
    """A CSV file whose rows are ROW with these changes."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: value for name, value in (ROW | row).items() if name in columns} for row in rows])
    return out.getvalue()


@pytest.fixture
def csv_file(tmp_path):
    """Write rows to a file; answers its path."""

    def write(*rows, name="orders.csv"):
        path = tmp_path / name
        path.write_text(text_of(*rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def command(database, database_url, company, monkeypatch):
    """`portal import` with these arguments; answers exit code, stdout and stderr."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(main, ["import", *map(str, arguments)])
