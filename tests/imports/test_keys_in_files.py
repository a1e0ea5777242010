"""Numbers and codes in files: every spelling meets what is here, what nobody sees is refused, look-alikes only where ticked."""

import pytest

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.rules import checks
from portal.domain.rules.duplicates import Distinction
from portal.domain.rules.findings import blocking
from portal.intake import files
from tests.import_files import ROW, text_of
from tests.imports.test_import_page import eve_there, hand_in, work  # noqa: F401
from tests.pages import main_words

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

SPELLED = {
    "en dashes": {"job_number": "24–117", "commitment_number": "SC–014", "phase_code": "16–2000"},
    "a no-break hyphen": {"job_number": "24‑117"},
    "wide digits": {"commitment_number": "SC-０１４", "cco_number": "００１"},
    "small letters": {"commitment_number": "sc-014", "vendor_code": "voltco", "subcontract_number": "sc-014"},
    "no-break blanks": {"vendor_name": "Volt\u00a0Electric\u202fCo", "job_number": "24-117\u00a0"},
    "a zero-width space in a name": {"vendor_name": "Volt Elec\u200btric Co"},
}


@pytest.mark.parametrize("changes", SPELLED.values(), ids=SPELLED)
def test_another_spelling_meets_what_is_here(command, csv_file, changes):
    assert command(csv_file({})).exit_code == 0

    answer = command(csv_file(changes, name="again.csv"))

    assert "1 unchanged" in answer.output
    assert "Kept" not in answer.output
    assert [one.select().count() for one in (Job, Commitment, Vendor, ChangeOrder)] == [1, 1, 1, 1]


def test_a_new_job_is_kept_with_plain_dashes_and_digits(command, csv_file):
    command(csv_file({"job_number": "２４–200"}))

    assert Job.get().number == "24-200"


@pytest.mark.parametrize(
    "field", ["job_number", "commitment_number", "cco_number", "vendor_code", "subcontract_number", "phase_code", "cost_type"]
)
def test_what_nobody_sees_in_a_key_is_refused_with_its_name_and_place(field):
    reading = files.understand(text_of({field: ROW[field][:2] + "\u200b" + ROW[field][2:]}).encode(), "orders.csv")

    (problem,) = reading.problems
    assert problem.where == "line 2"
    assert "(zero width space, U+200B, character 3)" in problem.reason


@pytest.mark.parametrize("unseen", ["\ufe0f", "\u3164", "\u034f"])
def test_what_counts_as_printable_and_shows_as_nothing_is_refused_too(unseen):
    reading = files.understand(text_of({"cco_number": f"00{unseen}7"}).encode(), "orders.csv")

    assert [problem.where for problem in reading.problems] == ["line 2"]
    assert "contains an invisible character" in reading.problems[0].reason


def test_rows_that_spell_one_change_order_in_two_ways_are_one(command, csv_file):
    answer = command(
        csv_file({}, {"commitment_number": "sc–014", "cco_number": "00１", "phase_code": "16-2010", "subcontract_number": "sc-014"})
    )

    assert "1 new" in answer.output
    assert [line.phase_code for line in load(ChangeOrder.get().id).lines] == ["16-2000", "16-2010"]


LOOKS = {
    "a change order": ({"cco_number": "1"}, "CCO 1 looks like 001 (Draft)."),
    "a commitment": ({"commitment_number": "SC14"}, "Commitment SC14 looks like SC-014."),
    "a job": ({"job_number": "24117"}, "Job 24117 looks like 24-117."),
}


@pytest.mark.parametrize(("changes", "told"), LOOKS.values(), ids=LOOKS)
def test_what_looks_like_something_here_is_left_out_and_listed(command, csv_file, changes, told):
    command(csv_file({}))

    answer = command(csv_file(changes, {"cco_number": "077"}, name="second.csv"))

    assert "1 new, 1 skipped" in answer.output
    assert f"{told} If it is another one, upload the file on the page Imports and tick it there." in answer.output
    assert [one.select().count() for one in (Job, Commitment)] == [1, 1]


def test_with_send_it_is_left_out_too_and_never_reaches_accounting(command, csv_file, dee):
    command(csv_file({}), "--send", dee.email)

    answer = command(csv_file({"cco_number": "1"}, name="second.csv"), "--send", dee.email)

    assert "0 sent to accounting" in answer.output
    assert [(one.number, one.status) for one in ChangeOrder.select()] == [("001", "ready")]


def test_two_of_one_file_that_look_alike_are_not_both_made(command, csv_file):
    answer = command(csv_file({}, {"cco_number": "01"}))

    assert "1 new, 1 skipped" in answer.output
    assert "CCO 01 looks like 001" in answer.output


def test_a_dry_run_lists_it(command, csv_file):
    command(csv_file({}))

    answer = command(csv_file({"cco_number": "1"}, name="second.csv"), "--dry-run")

    assert "CCO 1 looks like 001 (Draft)." in answer.output
    assert ChangeOrder.select().count() == 1


def test_the_preview_asks_and_what_is_not_ticked_is_left_out(client, eve_there, hand_in, work, command, csv_file):  # noqa: F811
    command(csv_file({}))
    page = hand_in(text_of({"cco_number": "1"}, {"cco_number": "01"}))
    shown = client.get(page)
    assert "CCO 1 looks like 001 (Draft)." in main_words(shown)
    assert shown.text.count('name="ticked"') == 2

    client.post(f"{page}/confirmation", data={"ticked": "line 3"})
    work()

    assert sorted(one.number for one in ChangeOrder.select()) == ["001", "01"]


def test_the_tick_is_the_word_of_who_brought_it(client, eve_there, eve, hand_in, work, command, csv_file):  # noqa: F811
    command(csv_file({}))
    page = hand_in(text_of({"cco_number": "1"}))

    client.post(f"{page}/confirmation", data={"ticked": "line 2"})
    work()

    said = Distinction.get()
    assert (said.kind, said.by) == ("CCO", eve)
    assert blocking(checks.at_send(load(ChangeOrder.get(number="1").id))) == []
