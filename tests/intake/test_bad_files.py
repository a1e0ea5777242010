"""A bad file changes nothing, and says of each row what is wrong with it."""

import json
import os

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Job
from portal.domain.events import Event
from portal.domain.imports.entries import BadFile
from portal.domain.imports.staging import Import
from portal.intake import files, table
from tests.import_files import ROW, text_of

HEADER = ",".join(table.COLUMNS)
ONE = {
    "job": {"number": "24-117"},
    "vendor": {"name": "Volt"},
    "commitment": {"number": "SC-014", "kind": "subcontract"},
    "number": "001",
    "title": "Relocate duct bank",
    "status": "Approved",
    "lines": [{"amount": "1.00"}],
}
PROCORE = {
    "number": "1",
    "title": "T",
    "status": "approved",
    "grand_total": "1.0",
    "contract": {"number": "SC-1"},
    "line_items": [{"amount": "1.0"}],
}


def ours(**changes):
    return json.dumps({"change_orders": [ONE | changes]})


def theirs(**changes):
    return json.dumps([{name: value for name, value in (PROCORE | changes).items() if value is not ...}])


def without(*names):
    return text_of({}, columns=[name for name in table.COLUMNS if name not in names])


WHOLE = {
    "empty": (b"", "The file is empty."),
    "blank": (b" \n\t\n", "The file is empty."),
    "only a BOM": (b"\xef\xbb\xbf", "The file is empty."),
    "header only": (HEADER, "The file has a header and no rows."),
    "NUL bytes": (text_of({}) + "\0\0", "line 3: There is a NUL byte in the file: it is damaged, or it is not a text file."),
    "a broken zip": (b"PK\x03\x04" + b"x" * 99, "The workbook is damaged. Open it in Excel, save it again"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + b"x" * 99, "This is an Excel workbook of an old form, or one with a password."),
    "broken UTF-16": (b"\xff\xfea", "The file says it is UTF-16-LE, but byte 1 is not."),
    "no encoding": (text_of({"title": "X"}).encode() + b"\x81", "is neither UTF-8 nor Windows-1252. Save the file as UTF-8."),
    "too large": (b"x" * (10 * 1024 * 1024 + 1), "The file is larger than 10 MB. Split it."),
    "an open quote": (text_of({}) + '24-117,"Harbor', "line 3: A quote is opened and never closed."),
    "a stray quote": (text_of({}) + '"a"b,c', "line 3: The row cannot be read"),
    "a cell too long": (text_of({}) + "x" * 1_000_001, "line 3: The row cannot be read (field larger than field limit (1000000))."),
    "a missing column": (without("amount", "title"), "line 1: Column “title” is missing.\nline 1: Column “amount” is missing."),
    "an unknown column": (
        text_of({}).replace("bid_item", "bid items", 1),
        "line 1: Column “bid items” is not known. Is it bid_item? Name it so, or remove it.",
    ),
    "a double column": (text_of({}).replace("bid_item", "Unit ", 1), "line 1: Columns “Unit” and “unit” both mean unit. Keep one of them."),
    "the same column twice": (text_of({}).replace("bid_item", "unit", 1), "line 1: Column “unit” is there twice."),
    "two names of a column": (
        text_of({}).replace("bid_item", "Qty", 1),
        "line 1: Columns “Qty” and “quantity” both mean quantity. Keep one of them.",
    ),
    "columns without end": (",".join(["x"] * 1_000_000), "line 1: The first row names 1,000,000 columns; at most 200 can be read."),
    "a nameless column": (text_of({}).replace("bid_item", "", 1), "line 1: Column 24 has no name."),
    "no columns at all": ("hello\nworld\n", "line 1: Column “hello” is not known."),
    "not JSON": ('{"change_orders": [}', "line 1, column 20: This is not JSON: Expecting value."),
    "JSON of something else": ('{"rfis": []}', "The JSON is neither ours"),
    "JSON without change orders": ('{"change_orders": []}', "There are no change orders in the file."),
    "an empty list": ("[]", "There are no change orders in the file."),
    "NaN": (ours(total=float("nan")), "NaN is not a number that JSON has."),
    "a double field": ('{"change_orders": [{"number": "1", "number": "2"}]}', "An object has the field “number” twice."),
    "deep nesting": ("[" * 100_000, "The JSON is nested too deeply."),
}
ROWS = {
    "no amount": (text_of({"amount": ""}), "line 2, amount: is missing."),
    "three decimals": (text_of({"amount": "1.005"}), "line 2, amount: “1.005” is not an amount."),
    "an exponent": (text_of({"amount": "1e3"}), "line 2, amount: “1e3” is not an amount."),
    "NaN as text": (text_of({"amount": "NaN"}), "line 2, amount: “NaN” is not an amount."),
    "Arabic digits": (text_of({"amount": "٣٤"}), "line 2, amount: “٣٤” is not an amount."),
    "eleven digits": (text_of({"amount": "12345678901"}), "line 2, amount: “12345678901” is not an amount."),
    "a bad total": (text_of({"total": "five"}), "line 2, total: “five” is not an amount. Write it like 1234.50"),
    "a bad original amount": (text_of({"original_amount": "x"}), "line 2, original_amount: “x” is not an amount."),
    "a bad quantity": (text_of({"quantity": "1/2"}), "line 2, quantity: “1/2” is not a quantity. Write it like 12 or 12.5"),
    "a bad kind": (text_of({"commitment_kind": "lease"}), "line 2, commitment_kind: “lease” is not a kind of commitment."),
    "no kind": (text_of({"commitment_kind": ""}), "line 2, commitment_kind: is missing."),
    "a bad yes": (text_of({"as_subcontract": "maybe"}), "line 2, as_subcontract: “maybe” is neither yes nor no."),
    "a bad revision": (text_of({"revision": "B"}), "line 2, revision: “B” is not a revision number."),
    "no status": (text_of({"status": ""}), "line 2, status: is missing."),
    "no job": (text_of({"job_number": ""}), "line 2, job_number: is missing."),
    "no vendor": (text_of({"vendor_name": ""}), "line 2, vendor_name: is missing."),
    "no CCO number": (text_of({"cco_number": ""}), "line 2, cco_number: is missing."),
    "a long CCO number": (text_of({"cco_number": "1" * 13}), "line 2, cco_number: has 13 characters; 12 fit."),
    "a long job number": (text_of({"job_number": "1" * 11}), "line 2, job_number: has 11 characters; 10 fit."),
    "a long title": (text_of({"title": "x" * 501}), "line 2, title: has 501 characters; 500 fit."),
    "a bell in a code": (
        text_of({"vendor_code": "V\aX"}),
        "line 2, vendor_code: contains a line break or another control character (U+0007, character 2).",
    ),
    "too many cells": (text_of({}).rstrip("\n") + ",,,extra\n", "line 2: There are 31 cells but 28 columns. Is a quote missing?"),
    "two titles": (
        text_of({}, {"title": "Other"}),
        "line 3, title: “Other” contradicts “Relocate duct bank” at line 2.",
    ),
    "two totals": (text_of({"total": "1"}, {"total": "2"}), "line 3, total: “2” contradicts “1” at line 2."),
    "two customers of a job": (
        text_of({}, {"cco_number": "002", "customer_code": "OTHER"}),
        "line 3, customer_code: “OTHER” contradicts “NORTHSIDE” at line 2 for job 24-117.",
    ),
    "two vendor codes of a commitment": (
        text_of({}, {"cco_number": "002", "vendor_code": "OTHER"}),
        "line 3, vendor_code: “OTHER” contradicts “VOLTCO” at line 2 for commitment SC-014 of 24-117.",
    ),
    "the right line after line breaks": (text_of({"description": "a\nb"}, {"cco_number": "002", "amount": "x"}), "line 4, amount: “x”"),
    "501 lines": (text_of(*[{}] * 501), "line 2, lines: CCO 001 has 501 lines; 500 fit into one change order."),
    "JSON: missing": (json.dumps({"change_orders": [{}]}), "change_orders[0], job: is missing."),
    "JSON: unknown field": (ours(colour="red"), "change_orders[0], colour: is not a field of ours"),
    "JSON: unknown field beside": (json.dumps({"change_orders": [ONE], "x": 1}), "x: is not a field of ours; only change_orders is."),
    "JSON: no object": (json.dumps({"change_orders": [7]}), "change_orders[0]: has to be an object."),
    "JSON: lines no list": (ours(lines={}), "change_orders[0], lines: has to be a list."),
    "JSON: amount true": (ours(lines=[{"amount": True}]), "change_orders[0], lines[0].amount: is not a text or a number."),
    "JSON: float amount": (ours(lines=[{"amount": 0.1 + 0.2}]), "change_orders[0], lines[0].amount: “0.30000000000000004” is not"),
    "JSON: surrogate": (ours(title="\ud800"), "change_orders[0], title: contains a character that cannot be stored (U+D800)."),
    "JSON: NUL": (ours(title="a\0b"), "change_orders[0], title: contains a character that cannot be stored (U+0000)."),
    "JSON: twice": (
        json.dumps({"change_orders": [ONE, ONE]}),
        "change_orders[1], number: CCO 001 of SC-014 is already at change_orders[0].",
    ),
    "Procore: no contract": (theirs(contract=...), "[0], contract: is missing. Put the contract into the change order, or beside it"),
    "Procore: no lines": (theirs(line_items=...), "[0], line_items: is missing. A list of change orders comes without lines"),
    "Procore: unknown job": (theirs(), "[0], job: The file does not say on which job commitment SC-1 is. Put its project into the file."),
}


@pytest.mark.parametrize(("content", "sentence"), (WHOLE | ROWS).values(), ids=(WHOLE | ROWS).keys())
def test_a_bad_file_is_refused_with_a_sentence_and_changes_nothing(tmp_path, command, content, sentence):
    path = tmp_path / "orders"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    result = command(path)

    assert result.exit_code == 2, result
    assert "Nothing was imported." in result.stderr
    assert sentence in result.stderr
    assert not result.stdout
    assert not any(table.select().exists() for table in (ChangeOrder, Job, Import, Event))


def test_all_that_is_wrong_is_said_at_once_and_the_list_is_capped(command, csv_file):
    rows = [{"cco_number": str(number), "amount": "x", "status": ""} for number in range(150)]

    said = command(csv_file(*rows)).stderr

    assert said.count("is not an amount") + said.count("status: is missing") == 200
    assert "... and 100 more." in said


def test_more_than_100_000_line_items_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "MOST_ROWS", 3)
    path = tmp_path / "orders.csv"
    path.write_text(text_of(*[{"cco_number": str(number)} for number in range(4)]), encoding="utf-8")

    with pytest.raises(BadFile, match="The file has more than 3 line items"):
        files.read(path)


@pytest.mark.parametrize("name", ["nothing-there.csv", "folder"])
def test_a_file_that_cannot_be_opened_is_refused(tmp_path, command, name):
    (tmp_path / "folder").mkdir()

    result = command(tmp_path / name)

    assert result.exit_code == 2
    assert name in result.stderr


def test_a_file_that_changes_while_it_is_read_is_refused(csv_file, monkeypatch):
    path, look = csv_file({}), os.fstat

    def write_on(number):
        seen = look(number)
        with path.open("a", encoding="utf-8") as other:
            other.write("24-117,")
        return seen

    monkeypatch.setattr(files.os, "fstat", write_on)

    with pytest.raises(BadFile, match="The file changed while it was read"):
        files.read(path)


def test_an_object_of_very_many_fields_is_looked_through_once():
    fields = ",".join(f'"{number}": 1' for number in range(400_000))

    with pytest.raises(BadFile, match="An object has the field “399999” twice."):
        files.understand(f'{{{fields}, "399999": 2}}'.encode(), "orders.json")


def test_an_unknown_sender_is_refused(command, csv_file):
    result = command(csv_file(ROW), "--send", "nobody@example.test")

    assert result.exit_code == 2
    assert "No account has the address nobody@example.test." in result.stderr
    assert not ChangeOrder.select().exists()


def test_a_database_that_was_never_set_up_is_refused(tmp_path, csv_file, command, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")

    result = command(csv_file(ROW))

    assert result.exit_code == 2
    assert "The database is not set up. Run: portal db migrate" in result.stderr
