"""What Procore's records say that must stop: each is a finding that blocks, or a refusal that names it. Never Ready unseen."""

import copy
import json

import pytest

from portal.domain import change_orders, companies
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment
from portal.domain.rules import checks
from portal.domain.rules.findings import blocking
from portal.intake import files

RECORD = {
    "id": 551203,
    "number": "011",
    "title": "Screens",
    "status": "approved",
    "grand_total": "100.00",
    "project": {"name": "Harbor Tower", "project_number": "24-117"},
    "contract": {
        "id": 88101,
        "number": "SC-033",
        "origin_id": "SC-033",
        "vendor": {"company": "Cascade Glazing", "origin_id": "CASCADE"},
        "type": "WorkOrderContract",
    },
    "line_items": [
        {"amount": "60.00", "cost_code": {"full_code": "08-50-00"}, "line_item_type": {"code": "SUB"}},
        {"amount": "40.00", "cost_code": {"full_code": "08-01-50"}, "line_item_type": {"code": "SUB"}},
    ],
}


def changed(path, value):
    """RECORD with one value put in, or taken out (...), at the path."""
    record = copy.deepcopy(RECORD)
    inside = record
    for part in path[:-1]:
        inside = inside[part]
    if value is ...:
        del inside[path[-1]]
    elif isinstance(inside, list) or not isinstance(value, dict) or path[-1] not in inside:
        inside[path[-1]] = value
    else:
        inside[path[-1]] |= value
    return record


def read(document):
    return files.understand(json.dumps(document).encode(), "procore.json")


def findings(command, tmp_path, record):
    """What stands against sending it, once it was imported."""
    (tmp_path / "records.json").write_text(json.dumps([record]), encoding="utf-8")
    result = command(tmp_path / "records.json")
    assert result.exit_code == 0, result.output
    return " ".join(map(str, blocking(checks.at_send(change_orders.load(ChangeOrder.get().id)))))


@pytest.fixture
def known(company, job):
    """The job is known with its customer: nothing else stands against the record."""
    return job


def test_the_codes_that_the_erp_integration_left_in_origin_id_are_read(known, command, tmp_path):
    assert findings(command, tmp_path, RECORD) == ""
    found = change_orders.load(ChangeOrder.get().id)
    assert (found.commitment.vendor_code, found.commitment.subcontract, found.job) == ("CASCADE", "SC-033", known)


def test_the_job_number_may_be_the_projects_origin_id():
    (entry,) = read([changed(("project",), {"project_number": "", "origin_id": "24-117"})]).entries

    assert entry.job_number == "24-117"


def test_an_origin_id_that_is_no_code_of_spectrum_is_passed_over():
    (entry,) = read([changed(("contract", "origin_id"), "9f0c1c52-7f0b-4f8e")]).entries

    assert entry.subcontract == ""


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("deleted_at",), "2026-11-30T08:00:00Z", "The change order is “Deleted” on the project, not Approved."),
        (("contract", "deleted_at"), "2026-11-30T08:00:00Z", "The change order is “Deleted” on the project, not Approved."),
        (("line_items", 0, "tax_amount"), "5.25", "The change order states a tax of 5.25."),
        (("tax_amount",), "5.25", "The change order states a tax of 5.25."),
        (("contract", "vendor"), ..., "Commitment SC-033 has no vendor."),
        (("grand_total",), "105.00", "The lines add up to 100.00, the CCO says 105.00."),
    ],
)
def test_what_must_stop_is_a_finding_that_blocks(known, command, tmp_path, path, value, said):
    assert findings(command, tmp_path, changed(path, value)).startswith(said)


def test_one_commitment_without_a_vendor_does_not_refuse_the_others(known, command, tmp_path):
    nameless = changed(("contract",), {"id": 9, "number": "SC-034", "vendor": None})
    (tmp_path / "records.json").write_text(json.dumps([RECORD, nameless]), encoding="utf-8")

    result = command(tmp_path / "records.json")

    assert "Imported: 2 new" in result.stdout
    assert [one.checks for one in ChangeOrder.select().order_by(ChangeOrder.id)] == ["clean", "block"]


WBS = {"flat_code": "03-300.SUB"}
TWICE = "Correct it in Procore, and export it again."


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("grand_total",), "", "[0], grand_total: is empty: it tells whether the lines are all."),
        (("grand_total",), None, "[0], grand_total: is empty"),
        (("grand_total",), ..., "[0], grand_total: is empty"),
        (("line_items", 1, "deleted_at"), "2026-11-30", "[0], line_items[1]: was deleted in Procore (2026-11-30)."),
        (("line_items", 0, "wbs_code"), WBS, f"[0], line_items[0]: cost_code says “08-50-00”, wbs_code says “03-300”. {TWICE}"),
        (("line_items", 0, "wbs_code"), {"flat_code": "08-50-00.MAT"}, "line_item_type says “SUB”, wbs_code says “MAT”."),
        (("line_items", 0, "total_amount"), "61", "[0], line_items[0]: amount says “60.00”, total_amount says “61.00”."),
        (("line_items", 0, "cost_code"), {"code": "51"}, "[0], line_items[0].cost_code: full_code says “08-50-00”, code says “51”."),
        (("project", "number"), "24-118", "[0], project: project_number says “24-117”, number says “24-118”."),
        (("project", "origin_id"), "24-118", "[0], project: project_number says “24-117”, origin_id says “24-118”."),
        (("contract", "project"), {"number": "24-118"}, "project says “24-117”, contract.project says “24-118”."),
        (("contract", "vendor", "name"), "Rainier", "[0], contract.vendor: name says “Rainier”, company says “Cascade Glazing”."),
        (("contract_id",), 7, "[0], contract_id: says 7, and the contract in the change order is 88101."),
        (("project",), ..., "[0], job: The file does not say on which job commitment SC-033 is."),
        (("tax_amount",), "x", "[0], tax_amount: “x” is not an amount."),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_named(known, command, tmp_path, path, value, said):
    (tmp_path / "records.json").write_text(json.dumps([changed(path, value)]), encoding="utf-8")

    result = command(tmp_path / "records.json")

    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not ChangeOrder.select().exists()


def test_taxes_that_cancel_each_other_out_are_refused():
    record = changed(("line_items", 0, "tax_amount"), "5.00")
    record["line_items"][1]["tax_amount"] = "-5.00"

    assert "adds up to nothing" in str(read([record]).problems[0])


def test_taxes_of_the_lines_that_are_not_the_tax_of_the_change_order_are_refused():
    record = changed(("line_items", 0, "tax_amount"), "3.00") | {"tax_amount": "5.00"}

    (problem,) = read([record]).problems

    assert problem.reason == f"tax_amount of the lines says “3.00”, tax_amount says “5.00”. {TWICE}"


def test_a_contract_that_reads_otherwise_beside_the_change_order_is_refused():
    beside = {"id": 88101, "number": "SC-033", "vendor": {"company": "Rainier"}}

    problems = read({"contracts": [beside], "commitment_change_orders": [RECORD]}).problems

    assert str(problems[0]).startswith(
        "commitment_change_orders[0], contract.vendor.company: says “Cascade Glazing” in the change order and “Rainier” beside it."
    )


def test_a_project_around_the_list_that_is_another_one_is_refused():
    problems = read({"project": {"project_number": "25-001"}, "commitment_change_orders": [RECORD]}).problems

    assert "project says “24-117”, project of the file says “25-001”." in str(problems[0])


def test_two_lists_in_one_file_are_refused():
    with pytest.raises(files.BadFile, match="under “commitment_change_orders” and under “data”"):
        read({"commitment_change_orders": [RECORD], "data": [RECORD]})


def test_a_change_order_that_was_deleted_as_a_whole_does_not_refuse_the_list_for_its_lines():
    record = changed(("deleted_at",), "2026-11-30")
    record["line_items"][0]["deleted_at"] = "2026-11-30"

    reading = read([record])

    assert (reading.problems, reading.entries[0].draft.project_status) == ([], "Deleted")


@pytest.mark.parametrize(
    ("line", "phase"),
    [
        ({"cost_code": {"full_code": "03-300"}, "wbs_code": {"flat_code": "03300.SUB"}}, "03-300"),
        ({"cost_code": {"full_code": "03-300", "code": "300"}}, "03-300"),
        ({"cost_code": {"code": "300"}, "wbs_code": {"flat_code": "03-300.SUB"}}, "03-300"),
        ({"cost_code": {"full_code": "03-300"}, "wbs_code": {"flat_code": "1-010.03-300.SUB"}}, "03-300"),
        ({"wbs_code": {"flat_code": "03-300.SUB"}}, "03-300"),
    ],
)
def test_codes_that_agree_in_another_spelling_are_read(line, phase):
    record = changed(("line_items",), [{"amount": "100.00"} | line])

    (entry,) = read([record]).entries

    assert entry.draft.lines[0].phase_code == phase


def test_a_job_name_that_two_jobs_have_does_not_tell_the_job(known, command, tmp_path):
    type(known).create(company=companies.current(), number="25-001", name=known.name)
    (tmp_path / "records.json").write_text(json.dumps([changed(("project",), {"project_number": ""})]), encoding="utf-8")

    result = command(tmp_path / "records.json")

    assert "The file does not number the job, and 2 jobs here are called “Harbor Tower”." in result.stderr


def test_a_commitment_that_only_one_job_has_does_not_tell_the_job(known, command, tmp_path):
    Commitment.create(job=known, number=RECORD["contract"]["number"], title="Glazing")
    (tmp_path / "records.json").write_text(json.dumps([changed(("project",), ...)]), encoding="utf-8")

    result = command(tmp_path / "records.json")

    assert result.exit_code == 2, result.output
    assert "The file does not say on which job commitment SC-033 is. Put its project into the file." in result.stderr
    assert not ChangeOrder.select().exists()


def test_a_project_of_two_names_and_no_number_is_refused():
    record = changed(("project", "project_number"), ...)
    record["contract"]["project"] = {"name": "Pier 9"}

    (problem,) = read([record]).problems

    assert problem.reason == "project says “Harbor Tower”, contract.project says “Pier 9”. Correct it in Procore, and export it again."
