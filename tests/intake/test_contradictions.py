"""A file that means another customer, subcontract or kind than the job or commitment has here changes nothing."""

import pytest

from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.imports import import_run, staging
from portal.domain.imports.entries import BadFile
from portal.domain.projects import correct_codes
from portal.intake import files
from tests.import_files import text_of
from tests.intake.test_bad_files import ours

PAGE = "on the page Spectrum codes of the commitment."
OTHERWISE = [
    (
        {"customer_code": "OTHER"},
        "customer code: Job 24-117 has customer code NORTHSIDE here; the file says OTHER. "
        f"Correct the file, or have an administrator correct the customer code {PAGE}",
    ),
    (
        {"subcontract_number": "SC-9"},
        "subcontract number: Commitment SC-014 of job 24-117 has subcontract number SC-014 here; the file says SC-9. "
        f"Correct the file, or have an administrator correct the subcontract number {PAGE}",
    ),
    (
        {"commitment_kind": "purchase order"},
        "kind of commitment: Commitment SC-014 of job 24-117 is a subcontract here; the file says purchase order. "
        f"Correct the file, or have an administrator correct the kind of commitment {PAGE}",
    ),
]


def refusal(text, by=None):
    reading = files.understand(text.encode(), "orders")
    with pytest.raises(BadFile) as refused:
        import_run.prepare(reading.entries, reading.problems, by)
    return str(refused.value)


@pytest.mark.parametrize(("row", "said"), OTHERWISE)
@pytest.mark.parametrize("sending", [(), ("--send", "dee@example.test")])
def test_a_file_that_contradicts_what_is_here_is_refused(command, csv_file, commitment, dee, row, said, sending):
    result = command(csv_file(row), *sending)

    assert result.exit_code == 2
    assert f"line 2, {said}" in result.stderr
    assert not ChangeOrder.select().exists()
    assert (Job.get().customer, Commitment.get().subcontract, Commitment.get().kind) == ("NORTHSIDE", "SC-014", "subcontract")


@pytest.mark.parametrize(("row", "said"), OTHERWISE)
def test_a_members_file_is_refused_alike(commitment, dee, row, said):
    assert refusal(text_of(row), dee) == f"line 2, {said}"


def test_all_that_a_file_contradicts_is_said_at_once(commitment):
    rows = {name: value for row, _ in OTHERWISE for name, value in row.items()}

    assert refusal(text_of(rows)).splitlines() == [f"line 2, {said}" for _, said in OTHERWISE]


def test_json_is_refused_alike(commitment):
    said = {"number": "SC-014", "kind": "subcontract", "subcontract_number": "SC-9"}

    assert "has subcontract number SC-014 here; the file says SC-9." in refusal(ours(commitment=said))


def test_another_spelling_of_what_is_here_contradicts_nothing(command, csv_file, commitment):
    result = command(csv_file({"customer_code": "northside", "subcontract_number": "sc–014"}))

    assert result.exit_code == 0, result.output
    assert ChangeOrder.get().checks == "clean"


@pytest.mark.parametrize("value", ["", "SC-014"])
def test_a_members_code_is_not_saved_where_nothing_is_known_here(commitment, dee, value):
    Commitment.update(subcontract="").execute()
    reading = files.understand(text_of({"subcontract_number": value}).encode(), "orders.csv")

    (entry,) = import_run.prepare(reading.entries, reading.problems, dee)

    assert (entry.subcontract, entry.customer, entry.may_link) == ("", "", False)


@pytest.mark.parametrize(("row", "said"), OTHERWISE)
def test_what_was_corrected_here_between_check_and_import_is_left_alone(command, csv_file, commitment, monkeypatch, row, said):
    write = staging.write
    columns = {"customer_code": Job.customer, "subcontract_number": Commitment.subcontract, "commitment_kind": Commitment.kind}
    ((name, value),) = row.items()

    def overtake(origin, batch):
        write(origin, batch)
        columns[name].model.update({columns[name]: value}).execute()

    monkeypatch.setattr(staging, "write", overtake)

    result = command(csv_file({}))

    assert "1 skipped." in result.stdout
    assert not ChangeOrder.select().exists()


@pytest.mark.parametrize("state", ["draft", "ready"])
def test_what_is_here_already_is_not_brought_back_into_line_by_such_a_file(command, csv_file, make_change_order, state):
    change_order = make_change_order(state)

    result = command(csv_file({"subcontract_number": "SC-9", "title": "Other"}))

    assert result.exit_code == 2
    assert (ChangeOrder.get().title, ChangeOrder.get().state) == (change_order.title, Status(state))


def test_once_an_administrator_corrected_the_codes_the_file_is_taken(command, csv_file, commitment, eve):
    correct_codes.correct(commitment, "customer", "NORTHSIDE", "OTHER", eve)
    correct_codes.correct(commitment, "subcontract", "SC-014", "SC-9", eve)
    correct_codes.give_kind(commitment, "subcontract", "purchase order", eve)

    result = command(csv_file({name: value for row, _ in OTHERWISE for name, value in row.items()}))

    assert result.exit_code == 0, result.output
    assert "1 new" in result.stdout
