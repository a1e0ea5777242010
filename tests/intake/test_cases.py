"""Files as programs and people really make them, each with one oddity: a row for each, with what is right."""

from decimal import Decimal
from pathlib import Path

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job
from portal.domain.imports.entries import BadFile
from portal.domain.imports.staging import Import
from portal.intake import files
from tests.import_files import text_of

CASES = Path(__file__).parent / "cases"
CLEAN = {
    "job": "24-117",
    "vendor": "Voltco Electric",
    "commitment": "SC-014",
    "currency": "",
    "status": "Approved",
    "lines": [("26-27-26", "SUB", "100.00")],
    "notes": [],
}
AS_SHOWN = {  # file -> what is read of each of its change orders
    "formulas-with-empty-text-below-the-list.xlsx": [{"number": "901"}],
    "formula-with-empty-text-in-description.xlsx": [{"number": "901", "description": ""}],
    "euro-by-number-format.xlsx": [{"number": "902", "currency": "EUR", "lines": [("26-27-26", "SUB", "1500.00")]}],
    "cost-code-with-trailing-zero.xlsx": [{"number": "908", "lines": [("01.10", "SUB", "100.00")]}],
    "accounting-format.csv": [
        {
            "number": "914",
            "lines": [("26-27-26", "SUB", "1234.50"), ("26-05-19", "SUB", "-234.50"), ("26-05-33", "SUB", "0.00")],
            "notes": ["Amounts are read with a decimal point: “$1,234.50” at line 2 is 1234.50."],
        }
    ],
    "sep-line-first.csv": [{"number": "915"}],
    "zeros-kept-for-excel.csv": [{"number": "001"}],
    "SharedStrings-with-capital.xlsx": [{"number": "916"}],
    "workbook2.xlsx": [{"number": "918"}],
    "backslashes-in-zip.xlsx": [{"number": "919"}],
    "no-xl-folder.xlsx": [{"number": "920"}],
    "sheet-outside-worksheets.xlsx": [{"number": "921"}],
    "no-break-space-in-vendor.csv": [{"number": "923", "title": "No\u2011break\u00a0title"}],
    "en-dash-in-codes.csv": [{"number": "924"}],
    "no-break-hyphen-in-job.csv": [{"number": "924"}],
    "wrapped-headings-semicolon.csv": [
        {"number": "926", "notes": ["Amounts are read with a decimal comma: “100,00” at line 9 is 100.00."]},
    ],
    "wrapped-headings-comma.csv": [{"number": "926"}],
    "status-in-capitals.csv": [{"number": "927", "status": "APPROVED"}],
    "title-rows-above-headings.csv": [
        {"number": "928", "notes": ["The headings are in line 4; what stands above them was passed over."]},
    ],
    "filtered-rows.xlsx": [
        {"number": "931", "notes": ["2 hidden rows are included."]},
        {"number": "932", "status": "Rejected by owner"},
        {"number": "933", "lines": [("26-27-26", "SUB", "99999.00")]},
    ],
    "description-of-several-lines.csv": [{"number": "970", "description": "First line\r\n\r\n- second\r\n\tthird"}],
    "leading-zeros-lost.csv": [
        {
            "number": "1",
            "commitment": "SC-015",
            "vendor": "Peña Mechanical",
            "lines": [("23-36-00", "SUB", "7284.00")],
        }
    ],
    "nightly-file.csv": [{"number": "960"}],
}
TEXT = "Format the column as Text in Excel and type it again."
BOTH = "it cannot be told which of them is meant."
REFUSED = {  # file -> the reasons
    "formula-never-calculated.xlsx": [
        "row 2, amount: holds a formula without a result. Open the workbook in Excel, save it, and import it again."
    ],
    "code-typed-as-26E05.xlsx": [f"row 2, phase_code: shows “2.60E+06” and holds 2600000: {BOTH} {TEXT}"],
    "code-as-percent-and-fraction.xlsx": [
        f"row 2, phase_code: shows “10%” and holds 0.1: {BOTH} {TEXT}",
        f"row 3, phase_code: shows “1/2” and holds 0.5: {BOTH} {TEXT}",
    ],
    "number-longer-than-15-digits.xlsx": [
        f"row 2, commitment_number: holds a number of 18 digits, of which Excel keeps 15: the others are lost. {TEXT}"
    ],
    "amount-as-percentage.xlsx": [
        f"row 2, amount: shows “5%” and holds 0.05: {BOTH} Format the column in Excel as a number that shows what is meant.",
        f"row 3, amount: shows “1.23E+05” and holds 123456: {BOTH} Format the column in Excel as a number that shows what is meant.",
    ],
    "two-commitments-become-one-power-of-ten.csv": [
        "line 2, commitment_number: “4.50001E+11” is what Excel makes of a long number: its digits are lost. "
        "Format the column as Text where the file is made, and write it again."
    ],
    "styles-under-another-name.xlsx": [
        "row 2, phase_code: holds a date (2026-01-02). If this was meant as text, format the column as Text in Excel and type it again."
    ],
    "totals-row.csv": [
        f"line 4, {column}: is missing." for column in ("vendor_name", "commitment_number", "commitment_kind", "cco_number", "status")
    ],
    "subtotal-inside-change-order.csv": [
        "line 4, amount: is the sum of the rows above it, in a row without cost code and cost type: a total, not a line item. "
        "Remove the row."
    ],
    "zero-width-space.csv": [
        "line 2, cco_number: contains a line break or another control character (zero width space, U+200B, character 4)."
    ],
}
FOREIGN = {
    "html-table.xls": "This is a web page (HTML), whatever its name says. Open it in Excel.",
    "spreadsheetml-2003.xls": "This is an XML spreadsheet of 2003, whatever its name says. Open it in Excel.",
    "ods-named.xlsx": "This is an OpenDocument file (*.ods), not an Excel workbook. Open it in Excel or LibreOffice.",
    "xlsb-named.xlsx": "This is a binary Excel workbook (*.xlsb). Open it in Excel.",
    "pdf-named.csv": "This is a PDF document, whatever its name says. Open the list in the program that made it.",
}


def understand(name):
    return files.understand((CASES / name).read_bytes(), name)


@pytest.mark.parametrize(("name", "right"), AS_SHOWN.items(), ids=AS_SHOWN.keys())
def test_what_a_person_sees_in_the_file_is_what_is_read(name, right):
    reading = understand(name)

    found = [
        {
            "job": entry.job_number,
            "vendor": entry.vendor_name,
            "commitment": entry.commitment_number,
            "number": entry.draft.number,
            "title": entry.draft.title,
            "description": entry.draft.description,
            "currency": entry.draft.currency,
            "status": entry.draft.project_status,
            "lines": [(line.phase_code, line.cost_type, str(line.amount)) for line in entry.draft.lines],
            "notes": reading.notes if place == 0 else [],
        }
        for place, entry in enumerate(reading.entries)
    ]
    assert not reading.problems
    assert [one | changed for one, changed in zip(found, right, strict=True)] == found
    assert [{name: one[name] for name in CLEAN} for one in found] == [CLEAN | {n: v for n, v in one.items() if n in CLEAN} for one in right]


@pytest.mark.parametrize(("name", "reasons"), REFUSED.items(), ids=REFUSED.keys())
def test_what_cannot_be_trusted_is_refused_with_what_was_found_and_what_to_do(name, reasons):
    assert list(map(str, understand(name).problems)) == reasons


@pytest.mark.parametrize(("name", "sentence"), FOREIGN.items(), ids=FOREIGN.keys())
def test_a_file_of_another_kind_is_refused_by_what_it_is(name, sentence):
    with pytest.raises(BadFile, match="import that") as caught:
        understand(name)

    (problem,) = caught.value.problems
    assert problem.reason.startswith(sentence)


@pytest.mark.parametrize("name", [*REFUSED, *FOREIGN])
def test_nothing_of_a_refused_file_is_stored(command, name):
    result = command(CASES / name)

    assert result.exit_code == 2
    assert not any(table.select().exists() for table in (ChangeOrder, Job, Import))


@pytest.mark.parametrize("name", ["en-dash-in-codes.csv", "no-break-hyphen-in-job.csv"])
def test_a_dash_of_another_kind_leads_to_the_job_and_commitment_that_are_there(command, commitment, name):
    commitment.vendor.name = "Voltco Electric"
    commitment.vendor.save()

    result = command(CASES / name)

    assert result.exit_code == 0, result.output
    assert [job.number for job in Job.select()] == ["24-117"]
    assert [one.number for one in Commitment.select()] == ["SC-014"]
    assert ChangeOrder.get().commitment == commitment


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_each_case_is_named_in_a_test(case):
    assert any(case.name in module.read_text(encoding="utf-8") for module in Path(__file__).parent.glob("test_*.py"))


def test_euros_by_a_number_format_are_kept_and_cannot_be_sent(command):
    result = command(CASES / "euro-by-number-format.xlsx")

    kept = ChangeOrder.get()
    assert result.exit_code == 0, result.output
    assert (kept.currency, kept.amount, kept.checks) == ("EUR", Decimal("1500.00"), "block")
    assert "1 change order in EUR, 1,500.00 in all: kept, but not to be sent, since the books are in USD." in result.stderr


def test_equal_lines_that_have_no_codes_yet_are_no_total():
    rows = [{"phase_code": "", "cost_type": "", "line_description": name, "amount": "50.00"} for name in ("First", "Second")]

    assert not files.understand(text_of(*rows).encode(), "orders.csv").problems
