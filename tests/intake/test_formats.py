"""Number formats of Excel: what a cell shows decides what is read, or the cell is refused with both."""

import time
from decimal import Decimal

import pytest

from portal.intake import files, formats
from portal.intake.formats import BUILT_IN
from tests.import_files import ROW
from tests.intake.test_workbooks import place, problems, read
from tests.intake.workbooks import MAIN, book_of, parts, sheet_of, text_cells

SHOWN = [
    ("1.1", "00.00", "01.10"), ("7", "000", "007"), ("262726", "00-00-00", "26-27-26"), ("262726", "00\\-00\\-00", "26-27-26"),
    ("24117", '00"-"000', "24-117"), ("14", '"SC-"000', "SC-014"), ("1234567", "000-00-00", "123-45-67"), ("5", 'General" h"', "5 h"),
    ("2600000", BUILT_IN[11], "2.60E+06"), ("0.00012", BUILT_IN[11], "1.20E-04"), ("0.1", "0%", "10%"), ("0.5", "# ?/?", "1/2"),
    ("2.25", "# ?/?", "2 1/4"), ("1500", "[$€-407]\\ #,##0.00", "€ 1,500.00"), ("1500", '#,##0.00 "USD"', "1,500.00 USD"),
    ("-1500", "[$€-407]#,##0.00;-[$€-407]#,##0.00", "-€1,500.00"), ("1500", "#,##0.00\\ [$CAD]", "1,500.00 CAD"),
    ("-234.5", BUILT_IN[44], "$(234.50)"), ("0", BUILT_IN[44], "$-"), ("1234.5", BUILT_IN[44], "$1,234.50"), ("0", BUILT_IN[43], "-"),
    ("1234567", "#,##0,", "1,235"), ("1234567", "0.0,,", "1.2"), ("-5", "0.00;[Red]0.00", "5.00"), ("-5", "0.00", "-5.00"),
    ("-5", "#,##0.00_);[Red](#,##0.00)", "(5.00)"), ("5", "+0.00;-0.00", "+5.00"), ("0.5", "#.00", ".50"), ("5.1", "0.0#", "5.1"),
    ("1234567.891", "#,##0.00", "1,234,567.89"), ("123", "#,##0", "123"), ("150", "[<100]0;[>=100]0.0", "150.0"), ("5", ";;;", ""),
    ("1.25", "0.0", "1.3"), ("-1.25", "0.0", "-1.3"), ("5", "@", "5"), ("-5", "General", "-5"), ("100000000000", "General", "100000000000"),
]  # fmt: skip
OUTSIDE = "Format the column in Excel as a number that shows what is meant."


def cell(name, value, code):
    """A workbook with that value under that number format."""
    return book_of({}, fill=lambda book, sheet: sheet.write_number(1, place(name), value, book.add_format({"num_format": code})))


@pytest.mark.parametrize(("number", "code", "text"), SHOWN)
def test_a_number_is_shown_as_excel_shows_it(number, code, text):
    assert formats.shown(Decimal(number), code).text == text


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [(1.1, "00.00", "01.10"), (262726, "00-00-00", "26-27-26"), (14, '"SC-"000', "SC-014"), (24117, "0", "24117"), (5, "0.00", "5.00")],
)
def test_a_code_is_what_the_cell_shows(value, code, shown):
    assert read(cell("phase_code", value, code)).entries[0].draft.lines[0].phase_code == shown


@pytest.mark.parametrize(
    ("value", "code", "shown", "held"),
    [
        (1.15, "0.0", "1.2", "1.15"),
        (24117, "#,##0", "24,117", "24117"),
        (2600000, "0.00E+00", "2.60E+06", "2600000"),
        (0.1, "0%", "10%", "0.1"),
        (1.5, "# ?/?", "1 1/2", "1.5"),
        (5000, "0,", "5", "5000"),
        (5, ";;;", "", "5"),
        (-5, "0;0", "5", "-5"),
        (7, '"SC"', "SC", "7"),
    ],
)
def test_a_code_that_is_not_the_number_it_shows_is_refused_with_both(value, code, shown, held):
    (problem,) = problems(cell("phase_code", value, code))

    assert problem.startswith(f"row 2, phase_code: shows “{shown}” and holds {held}: it cannot be told which of them is meant.")


@pytest.mark.parametrize(
    ("value", "code", "amount", "currency"),
    [
        (1500, "[$€-407]\\ #,##0.00", "1500.00", "EUR"),
        (1500, '#,##0.00\\ "CAD"', "1500.00", "CAD"),
        (-234.5, BUILT_IN[44], "-234.50", ""),
        (0, BUILT_IN[44], "0.00", ""),
        (0, BUILT_IN[43], "0.00", ""),
        (-5, "0.00;[Red]0.00", "-5.00", ""),
        (5, "+0.00;-0.00", "5.00", ""),
        (1234.5, "#,##0", "1234.50", ""),
    ],
)
def test_an_amount_is_what_the_cell_holds_in_the_currency_it_shows(value, code, amount, currency):
    (entry,) = read(cell("amount", value, code)).entries

    assert (str(entry.draft.lines[0].amount), entry.draft.currency) == (amount, currency)


@pytest.mark.parametrize("name", ["amount", "total", "tax", "original_amount", "quantity", "revision"])
@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.05, "0%", "5%"),
        (5000, "0,", "5"),
        (123456, "0.00E+00", "1.23E+05"),
        (0.5, "# ?/?", "1/2"),
        (-5, "0;0", "5"),
        (5, '0 "kr"', "5 kr"),
    ],
)
def test_an_amount_or_quantity_that_is_not_what_the_cell_shows_is_refused_with_both(name, value, code, shown):
    (problem,) = problems(cell(name, value, code))

    assert problem == f"row 2, {name}: shows “{shown}” and holds {value}: it cannot be told which of them is meant. {OUTSIDE}"


def test_decimals_that_a_cell_does_not_show_are_told():
    assert read(cell("amount", 1234.5, "#,##0")).notes == [
        "Cells that show fewer decimals than they hold are read as they hold them: “1,235” at row 2 is 1234.5."
    ]


def test_a_number_stays_itself_in_a_file_that_writes_amounts_with_a_comma():
    rows = (
        {"original_amount": None, "amount": "1.234,50"},
        {"original_amount": None, "cco_number": "002", "amount": 1234.5, "quantity": 1.125},
    )
    first, second = read(book_of(*rows)).entries

    assert (first.draft.lines[0].amount, second.draft.lines[0].amount) == (Decimal("1234.50"), Decimal("1234.50"))
    assert second.draft.lines[0].quantity == Decimal("1.125")


def test_two_currencies_by_number_format_contradict_each_other():
    def formatted(book, sheet):
        sheet.write_number(1, place("amount"), 5, book.add_format({"num_format": "[$€-407] 0.00"}))
        sheet.write_number(2, place("amount"), 6, book.add_format({"num_format": "[$£-809]0.00"}))

    assert problems(book_of({}, {"phase_code": "2"}, fill=formatted)) == [
        "row 3, currency: “£6.00” is in another currency than “€ 5.00” at row 2."
    ]


def test_hidden_columns_are_read_and_told():
    reading = read(book_of({}, fill=lambda book, sheet: sheet.set_column(2, 3, None, None, {"hidden": True})))

    assert reading.entries[0].customer == "NORTHSIDE"
    assert reading.notes == ["2 hidden columns are included."]


@pytest.mark.parametrize("code", ["0" * 256, "[" * 256, '"' * 255 + "]0", "0" * 400_000])
def test_a_number_format_longer_than_excel_has_is_refused(code):
    styles = (
        f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="{code.replace(chr(34), "&quot;")}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    )
    rows = ['<c s="1"><v>1</v></c>' * len(ROW)] * 1_000

    with pytest.raises(files.BadFile, match="The workbook is damaged"):
        files.understand(parts(sheet=sheet_of(text_cells(*ROW), *rows), styles__xml=styles), "orders.xlsx")


@pytest.mark.parametrize("code", ["[" * 200_000, '"' * 200_001, "\\" * 200_000, "[$" * 100_000, "0" * 200_000], ids=lambda code: code[:2])
def test_a_format_of_any_length_is_read_once_from_left_to_right(code):
    begun = time.process_time()

    formats.sections(code)

    assert time.process_time() - begun < 5  # seconds of the processor; going back and forth takes minutes
