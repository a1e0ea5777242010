"""Codes that Excel made of codes: whoever types 1-2 into a cell gets a date, and the file has `2-Jan`."""

import io
from pathlib import Path

import pytest

from portal.background import tasks
from portal.domain.change_orders import ChangeOrder, with_lines
from portal.domain.imports import mangled_codes, uploads
from tests.conftest import sign_in
from tests.pages import main_words

CASES = Path(__file__).parent / "cases"
CODES, CCO = "codes-as-dates-in-csv.csv", "cco-number-as-date-in-csv.csv"
SENTENCES = {
    CODES: [
        "CCO 1-Feb is what Excel makes of a code such as 2-1; Cost code 5-Jan is what Excel makes of a code such as 1-5.",
        "Cost code Oct-00 is what Excel makes of a code such as 10-00.",
    ],
    CCO: ["CCO 2-Jan is what Excel makes of a code such as 1-2."],
}


@pytest.fixture
def previewed(app, client, eve):
    """Hand a file in and let the worker read it; answers the address of its page. Called with that address: confirmed and imported."""
    sign_in(client, eve)

    def work(name, *ticked):
        if name.startswith("/"):
            client.post(f"{name}/confirmation", data={"ticked": list(ticked)})
            address = name
        else:
            file = (io.BytesIO((CASES / name).read_bytes()), name)
            address = client.post("/imports", data={"file": file}, content_type="multipart/form-data").location
        with app.app_context():
            tasks.drain(uploads.LANE)
        return address

    return work


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("2-Jan", "1-2"), ("5-Jan", "1-5"), ("Oct-00", "10-00"), ("1-FEB", "2-1"), ("3-Mar-26", "3-3-26"), ("Jan-2026", "1-2026"),
        ("5/19/2026", "5-19-2026"), ("26-05-19", ""), ("24-117", ""), ("001", ""), ("SC-014", ""), ("Mar", ""), ("1-Foo", ""),
        ("Jan-1a", ""),
    ],
)  # fmt: skip
def test_what_excel_shows_for_a_code_is_told_from_a_code(code, typed):
    assert mangled_codes.typed(code) == typed


@pytest.mark.parametrize("name", [CODES, CCO])
def test_the_preview_names_them_and_the_import_leaves_them_out(client, previewed, name):
    page = previewed(name)

    told = main_words(client.get(page))
    assert "Did Excel make these codes?" in told
    assert [sentence in told for sentence in SENTENCES[name]] == [True] * len(SENTENCES[name])

    previewed(page)

    assert not ChangeOrder.select().exists()


def test_what_a_person_ticks_is_imported_as_it_stands(client, previewed):
    previewed(previewed(CODES), "line 3")

    (kept,) = with_lines(ChangeOrder.select())
    assert (kept.number, kept.lines[0].phase_code) == ("913", "Oct-00")


def test_with_send_they_are_left_out_and_listed(command, dee):
    result = command(CASES / CODES, "--send", dee.email)

    assert result.exit_code == 0, result.output
    assert [sentence in result.stdout for sentence in SENTENCES[CODES]] == [True, True]
    assert "tick it there" in result.stdout
    assert not ChangeOrder.select().exists()


def test_a_dry_run_lists_them(command):
    assert SENTENCES[CCO][0] in command(CASES / CCO, "--dry-run").stdout


def test_what_is_here_with_such_a_code_already_is_no_longer_asked_for(client, previewed, command):
    previewed(previewed(CCO), "line 2")

    again = command(CASES / CCO)

    assert "1 unchanged" in again.stdout
    assert [one.number for one in ChangeOrder.select()] == ["2-Jan"]


def test_a_change_of_such_a_one_is_asked_for_again(previewed, command, csv_file):
    previewed(previewed(CODES), "line 3")
    row = {"vendor_name": "Voltco Electric", "cco_number": "913", "title": "Other", "phase_code": "Oct-00", "amount": "7.00"}

    result = command(csv_file(row))

    assert SENTENCES[CODES][1] in result.stdout
    assert ChangeOrder.get().title == "Field case"
