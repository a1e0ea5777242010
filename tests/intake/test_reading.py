"""What is read out of a good file."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

import config
from portal.domain.projects.sending import LineDraft
from portal.intake import files
from tests.import_files import ROW, text_of

EXAMPLES = Path(config.__file__).parent / "docs" / "examples"


def read(tmp_path, content, name="orders.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = files.read(path)
    assert not reading.problems, list(map(str, reading.problems))
    return reading


def test_rows_with_the_same_job_commitment_and_number_are_one_change_order(tmp_path):
    text = text_of({"amount": "4250.00"}, {"cco_number": "002"}, {"phase_code": "16-3000", "quantity": "", "unit": "", "amount": "-50.25"})

    first, second = read(tmp_path, text).entries

    assert first.where == "line 2"
    assert [line.phase_code for line in first.draft.lines] == ["16-2000", "16-3000"]
    assert first.draft.lines[1] == LineDraft("16-3000", "SUB", Decimal("-50.25"), "Duct bank", None, "", "")
    assert second.draft.number == "002"


def test_a_blank_fact_is_the_one_of_the_row_above(tmp_path):
    blank = dict.fromkeys(set(ROW) - {"job_number", "commitment_number", "cco_number", "amount", "phase_code"}, "")

    (entry,) = read(tmp_path, text_of({}, blank | {"phase_code": "17", "amount": "1"})).entries

    assert (entry.draft.title, len(entry.draft.lines)) == ("Relocate duct bank", 2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    (entry,) = read(tmp_path, text_of({"title": "Pull boxes, 4; level 2"}, delimiter=delimiter)).entries

    assert entry.draft.title == "Pull boxes, 4; level 2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom", "utf-32"])
def test_the_encoding_is_found(tmp_path, encoding):
    text = text_of({"vendor_name": "Peña Müller Łukasz"})
    content = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-bom" else text.encode(encoding)

    reading = read(tmp_path, content)

    assert reading.entries[0].vendor_name == "Peña Müller Łukasz"
    assert not reading.notes


def test_a_file_in_windows_1252_is_read_and_said_so(tmp_path):
    reading = read(tmp_path, text_of({"vendor_name": "Peña Mechanical"}).encode("cp1252"))

    assert reading.entries[0].vendor_name == "Peña Mechanical"
    assert reading.notes == ["The file is not UTF-8; it was read as Windows-1252. Check names with accents."]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_will_do_and_the_last_may_be_missing(tmp_path, ending):
    reading = read(tmp_path, text_of({}, {"cco_number": "002"}).rstrip("\n").replace("\n", ending))

    assert [entry.draft.number for entry in reading.entries] == ["001", "002"]


def test_a_line_break_inside_quotes_stays_in_the_description_and_lines_are_counted_right(tmp_path):
    reading = read(tmp_path, text_of({"description": "One\ntwo\nthree"}, {"cco_number": "002"}))

    assert reading.entries[0].draft.description == "One\ntwo\nthree"
    assert [entry.where for entry in reading.entries] == ["line 2", "line 5"]


def test_headings_may_differ_in_case_blanks_and_order_and_empty_columns_may_trail(tmp_path):
    header, row = text_of({}).splitlines()
    names, cells = header.split(","), row.split(",")
    swapped = [names[1].upper().replace("_", " "), f" {names[0]} ", *names[2:], "", ""]

    (entry,) = read(tmp_path, ",".join(swapped) + "\n" + ",".join([cells[1], cells[0], *cells[2:], "", ""]) + "\n\n,,,\n").entries

    assert (entry.job_number, entry.job_name) == ("24-117", "Harbor Tower")


def test_the_total_is_the_files_when_it_states_one_and_the_sum_otherwise(tmp_path):
    stated, summed = read(tmp_path, text_of({"total": "4000"}, {"cco_number": "002"})).entries

    assert (stated.draft.total, summed.draft.total) == (Decimal("4000.00"), Decimal("4250.00"))


@pytest.mark.parametrize("name", ["orders.csv", "orders.txt", "orders.json"])
def test_the_format_is_told_by_the_content_before_the_name(tmp_path, name):
    reading = read(tmp_path, (EXAMPLES / "change-orders.json").read_bytes(), name)

    assert len(reading.entries) == 2


def test_our_json_is_read_with_numbers_exact():
    first, second = files.read(EXAMPLES / "change-orders.json").entries

    assert [line.amount for line in first.draft.lines] == [Decimal("16230.50"), Decimal("3250.00")]
    assert first.draft.lines[1].quantity == Decimal("2.5")
    assert (second.kind, second.as_subcontract, second.draft.total) == ("purchase order", True, Decimal("-4120.00"))


def test_a_unit_price_contract_is_told_by_a_column_of_its_own(tmp_path):
    yes, unsaid = read(tmp_path, text_of({"unit_price": "yes"}, {"cco_number": "002"})).entries

    assert (yes.unit_price, unsaid.unit_price) == (True, None)


def test_an_amount_never_passes_through_binary_floating_point(tmp_path):
    document = json.loads((EXAMPLES / "change-orders.json").read_text(encoding="utf-8"))
    text = json.dumps(document).replace('"16230.50"', "9007199254.93")
    text = text.replace('"total": "19480.50"', '"total": 0.30')

    first, _ = read(tmp_path, text, "orders.json").entries

    assert first.draft.lines[0].amount == Decimal("9007199254.93")
    assert first.draft.total == Decimal("0.30")


def test_procores_json_is_read_with_the_contract_embedded_or_beside_it():
    first, second = files.read(EXAMPLES / "procore.json").entries

    assert (first.job_number, first.commitment_number, first.vendor_name, first.kind) == (
        "25-104", "SC-033", "Cascade Glazing", "subcontract",
    )  # fmt: skip
    assert (first.draft.project_status, first.draft.description, first.draft.total) == ("Approved", "", Decimal("3940.50"))
    assert [(line.phase_code, line.cost_type) for line in first.draft.lines] == [("08-50-00", "SUB"), ("08-01-50", "SUB")]
    assert (second.draft.number, second.draft.project_status, second.kind) == ("2", "No Charge", "purchase order")
    assert (first.vendor_code, first.subcontract, first.customer) == ("", "", "")


def test_procores_single_change_order_and_its_newer_wrapping_are_read(tmp_path):
    around = json.loads((EXAMPLES / "procore.json").read_text(encoding="utf-8"))
    one = around["commitment_change_orders"][1]

    bare = read(tmp_path, json.dumps(one), "one.json").entries
    wrapped = read(tmp_path, json.dumps({"data": one}), "data.json").entries
    listed = read(tmp_path, json.dumps([one]), "list.json").entries

    assert bare[0].draft == wrapped[0].draft == listed[0].draft
    assert bare[0].job_name == "Lincoln Elementary Modernization"
