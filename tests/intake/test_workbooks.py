"""Excel workbooks: what a person sees in a cell is what is read, and nothing in a hostile one does any harm."""

import resource
from datetime import date
from decimal import Decimal

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.domain.imports.entries import BadFile
from portal.intake import files, table, workbook
from tests.import_files import ROW
from tests.intake.workbooks import MAIN, PARTS, RELATIONS, book_of, parts, sheet_of, text_cells

ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def read(content):
    reading = files.understand(content, "orders.xlsx")
    assert not reading.problems, list(map(str, reading.problems))
    return reading


def problems(content):
    return [str(problem) for problem in files.understand(content, "orders.xlsx").problems]


def place(name):
    return table.COLUMNS.index(name)


def test_a_workbook_is_read_as_the_same_rows_of_a_csv_file_are():
    first, second = read(book_of({}, {"phase_code": "16-3000", "amount": "-50.25"}, {"cco_number": "002"})).entries

    assert first.where == "row 2"
    assert [(line.phase_code, line.amount) for line in first.draft.lines] == [
        ("16-2000", Decimal("4250.00")),
        ("16-3000", Decimal("-50.25")),
    ]
    assert second.draft.number == "002"


@pytest.mark.parametrize(
    ("value", "amount"),
    [(4250, "4250.00"), (1234.1, "1234.10"), (0.1 + 0.2, "0.30"), (-0.0, "0.00"), (9999999999.99, "9999999999.99"), (-5.5, "-5.50")],
)
def test_a_number_is_the_one_that_excel_shows_exactly(value, amount):
    (entry,) = read(book_of({"amount": value})).entries

    assert str(entry.draft.lines[0].amount) == amount


@pytest.mark.parametrize("value", [0.005, 2.675, 1e-30, 1e12])
def test_a_number_with_more_decimals_or_digits_than_money_has_is_refused(value):
    (problem,) = problems(book_of({"amount": value}))

    assert problem.startswith("row 2, amount: “")
    assert "is not an amount" in problem


def test_a_number_shown_with_leading_zeros_keeps_them():
    def padded(book, sheet):
        sheet.write_number(1, place("cco_number"), 7, book.add_format({"num_format": "000"}))

    assert read(book_of({}, fill=padded)).entries[0].draft.number == "007"


def test_a_number_without_decimals_in_a_text_column_is_its_digits():
    assert read(book_of({"job_number": 24117})).entries[0].job_number == "24117"


@pytest.mark.parametrize("name", ["cco_number", "title", "phase_code", "amount"])
@pytest.mark.parametrize("code", ["yyyy-mm-dd", "m/d/yy", "[$-409]d-mmm-yyyy", "h:mm"])
def test_what_excel_made_a_date_of_is_refused_with_the_date(name, code):
    def dated(book, sheet):
        sheet.write_datetime(1, place(name), date(2026, 1, 2), book.add_format({"num_format": code}))

    assert problems(book_of({}, fill=dated))[0].startswith(f"row 2, {name}: holds a date (2026-01-02).")


def test_text_that_looks_like_a_formula_stays_text():
    (entry,) = read(book_of({"title": "=cmd|' /C calc'!A0", "description": "@SUM(1)", "line_description": "+1"})).entries

    assert (entry.draft.title, entry.draft.description, entry.draft.lines[0].description) == ("=cmd|' /C calc'!A0", "@SUM(1)", "+1")


def test_a_formula_counts_with_its_saved_result_and_is_refused_without_one():
    def calculated(value):
        return lambda book, sheet: sheet.write_formula(1, place("amount"), "=2*21.25", None, value)

    assert read(book_of({}, fill=calculated(42.5))).entries[0].draft.lines[0].amount == Decimal("42.50")
    assert problems(book_of({}, fill=calculated("")))[0].startswith("row 2, amount: holds a formula without a result.")


def test_an_error_in_a_cell_is_refused():
    def broken(book, sheet):
        sheet.write_formula(1, place("amount"), "=1/0", None, "#DIV/0!")

    assert problems(book_of({}, fill=broken)) == ["row 2, amount: holds the error #DIV/0!."]


def test_the_first_visible_sheet_is_read_and_the_others_are_told():
    def more(book, sheet):
        book.add_worksheet("Hidden").hide()
        book.add_worksheet("Notes").write(0, 0, "not this")

    reading = read(book_of({}, fill=more))

    assert len(reading.entries) == 1
    assert reading.notes == ["The sheet “Change orders” was read; “Notes” was not."]


def test_hidden_rows_are_read_and_merged_cells_count_as_blank_below_the_first():
    def merged(book, sheet):
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.merge_range(1, place("title"), 2, place("title"), "Merged")

    (entry,) = read(book_of({}, {"title": None, "phase_code": "17"}, fill=merged)).entries

    assert (entry.draft.title, len(entry.draft.lines)) == ("Merged", 2)


def test_links_to_other_workbooks_are_never_followed():
    content = parts(sheet=sheet_of(text_cells(*ROW), text_cells(*ROW.values())), externalLinks__xml="<x/>")

    assert len(read(content).entries) == 1


def test_cells_without_addresses_and_texts_with_readings_are_read():
    texts = "".join(f"<si><t>{text}</t><rPh><t>aside</t></rPh></si>" for text in ROW)
    shared = "".join(f'<c t="s"><v>{number}</v></c>' for number in range(len(ROW)))
    content = parts(sheet=sheet_of(shared, text_cells(*ROW.values())), sharedStrings__xml=f"<sst {MAIN}>{texts}</sst>")

    assert read(content).entries[0].draft.title == "Relocate duct bank"


@pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders"])
def test_a_workbook_is_told_by_its_content_whatever_its_name(name):
    assert len(files.understand(book_of({}), name).entries) == 1


def test_a_csv_file_named_as_a_workbook_is_read_as_csv(csv_file):
    assert len(files.read(csv_file({}, name="orders.xlsx")).entries) == 1


HOSTILE = {
    "another zip": (parts(workbook=...), "This is a zip file, but not an Excel workbook"),
    "only slips": (parts(workbook=..., **{"../../../etc/passwd": "x"}), "This is a zip file, but not an Excel workbook"),
    "macros": (parts(vbaProject__bin="x"), "The workbook contains macros."),
    "too many parts": (parts(**{f"part{number}": "" for number in range(1_000)}), "The workbook is far larger unpacked"),
    "a zip bomb": (parts(sheet=b"<a>" + b" " * 20_000_000), "The workbook is far larger unpacked"),
    "a bomb beside": (parts(media=b"\0" * 20_000_000), "The workbook is far larger unpacked"),
    "an entity bomb": (parts(sheet=f"{ENTITIES}{sheet_of(text_cells('&b;'))}"), "The workbook is damaged."),
    "an outer entity": (
        parts(sheet='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + sheet_of(text_cells("&f;"))),
        "The workbook is damaged.",
    ),
    "an entity in the texts": (parts(sharedStrings__xml=f"{ENTITIES}<sst><si><t>&b;</t></si></sst>"), "The workbook is damaged."),
    "no XML": (parts(sheet="hello"), "The workbook is damaged."),
    "half a sheet": (parts(sheet=sheet_of(text_cells(*ROW), text_cells(*ROW.values()))[:-20]), "The workbook is damaged."),
    "half a file": (book_of({})[:-200], "The workbook is damaged."),
    "a missing sheet": (parts(sheet=...), "The workbook is damaged."),
    "no relations": (parts(rels=...), "The workbook is damaged."),
    "a sheet elsewhere": (
        parts(rels=PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets", "../../worksheets")),
        "The workbook is damaged.",
    ),
    "only hidden sheets": (
        parts(
            workbook=f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="S" r:id="r1" state="veryHidden"/></sheets></workbook>'
        ),
        "The workbook has no visible sheet with cells.",
    ),
    "an unknown text": (parts(sheet=sheet_of('<c t="s"><v>99</v></c>')), "row 1: The workbook is damaged."),
    "a number that is none": (parts(sheet=sheet_of("<c><v>nan</v></c>")), "row 1: The workbook is damaged."),
    "a column out of reach": (parts(sheet=sheet_of('<c r="ZZZZ1"><v>1</v></c>')), "The workbook is damaged."),
    "a text of 10 MB": (parts(sheet=sheet_of(text_cells("x" * 4_000_000))), "The workbook is damaged."),
    "one text in very many cells": (
        parts(
            sheet=sheet_of(text_cells(*ROW), *['<c t="s"><v>0</v></c>' * 20] * 1000),
            sharedStrings__xml=f"<sst {MAIN}><si><t>{'x' * 900_000}</t></si></sst>",
        ),
        "The workbook is far larger unpacked",
    ),
    "very wide rows of blanks": (
        parts(sheet=sheet_of(text_cells(*ROW), *['<c r="XFD1" t="str"><v> </v></c>'] * 20_000)),
        "The file has a header and no rows.",
    ),
    "a value far beside the list": (
        parts(sheet=sheet_of(text_cells(*ROW), '<c r="XFD2" t="str"><v>x</v></c>')),
        "row 2: There is a value in column 16,384.",
    ),
    "no rows at all": (parts(), "The file is empty."),
    "a header only": (book_of(), "The file has a header and no rows."),
}


@pytest.mark.parametrize(("content", "sentence"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_workbook_that_cannot_be_read_is_refused_with_a_sentence(command, tmp_path, content, sentence):
    path = tmp_path / "orders.xlsx"
    path.write_bytes(content)

    result = command(path)

    assert result.exit_code == 2, result
    assert sentence in result.stderr
    assert not ChangeOrder.select().exists()


def test_a_million_blank_rows_are_passed_over_in_little_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = "".join(f'<row r="{number}"><c r="A{number}" s="1"/></row>' for number in range(3, 1_048_577))
    header = f'<row r="1">{text_cells(*ROW)}</row><row r="2">{text_cells(*ROW.values())}</row>'
    content = parts(sheet=f"<worksheet {MAIN}><sheetData>{header}{rows}</sheetData></worksheet>")

    assert len(read(content).entries) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KB; most of it is this test's own text


def test_more_rows_than_fit_are_refused_before_the_rest_is_read(monkeypatch):
    monkeypatch.setattr(table, "MOST_ROWS", 3)
    rows, _, _ = workbook.rows(book_of(*[{"cco_number": str(number)} for number in range(10)]))

    with pytest.raises(BadFile, match="more than 3 line items"):
        table.read(rows, "row")
    assert next(rows)[0] == 6
