"""`portal import`: what becomes of the change orders of a good file."""

import json
from decimal import Decimal

import pytest

from portal import clock
from portal.domain import change_orders, events
from portal.domain.accounts import rights
from portal.domain.change_orders import ChangeOrder, LineItem, Status
from portal.domain.commitments import Commitment, Job, Kind, Vendor
from portal.domain.imports import import_run
from portal.domain.imports.staging import Import, Staged
from portal.domain.people import Membership
from portal.domain.review import decisions
from tests.intake.test_reading import EXAMPLES

NEW_JOB = {"job_number": "25-001", "job_name": "Annex", "customer_code": "ANNEX"}


def only():
    return change_orders.load(ChangeOrder.get().id)


def actions(change_order):
    return [event.action for event in events.history(change_orders.SUBJECT, change_order.id)]


def test_a_new_change_order_becomes_a_draft_with_its_job_vendor_and_commitment(command, csv_file):
    result = command(csv_file({"total": "4250.00"}))

    found = only()
    assert result.stdout == "Imported: 1 new.\n"
    assert (found.state, found.number, found.title, str(found.amount), found.checks) == (
        Status.DRAFT, "001", "Relocate duct bank", "4250.00", "clean",
    )  # fmt: skip
    assert (found.job.number, found.job.customer, found.commitment.vendor.code, found.commitment.subcontract) == (
        "24-117", "NORTHSIDE", "VOLTCO", "SC-014",
    )  # fmt: skip
    assert found.created_by is None
    assert [(line.position, line.phase_code, line.cost_type) for line in found.lines] == [(1, "16-2000", "SUB")]


def test_columns_that_only_add_something_may_be_left_out(command, tmp_path):
    file = tmp_path / "few.csv"
    file.write_text(
        "job_number,vendor_name,commitment_number,commitment_kind,cco_number,title,status,phase_code,cost_type,amount\n"
        "24-117,Volt Electric Co,SC-014,subcontract,001,Relocate duct bank,Approved,16-2000,SUB,4250.00\n"
    )

    answer = command(file)

    assert answer.exit_code == 0, answer.output
    assert (ChangeOrder.get().title, ChangeOrder.get().amount) == ("Relocate duct bank", Decimal("4250.00"))


def test_the_history_says_that_it_came_from_the_file(command, csv_file):
    command(csv_file({}))

    (event,) = events.history(change_orders.SUBJECT, ChangeOrder.get().id)
    assert (event.action, event.facts["file"], event.facts["snapshot"]["amount"]) == ("created", "orders.csv", "4250.00")
    assert [event.action for event in events.history("import", Import.get().id)] == ["imported"]


def test_the_same_file_again_changes_nothing(command, csv_file):
    command(csv_file({}))
    before = ChangeOrder.get()

    result = command(csv_file({}))

    assert result.stdout == "Imported: 1 unchanged.\n"
    assert ChangeOrder.get().version == before.version
    assert actions(before) == ["created"]


@pytest.mark.parametrize("change", [{"title": "Move duct bank"}, {"amount": "1.00"}, {"status": "Pending"}, {"phase_code": "17"}])
def test_a_change_replaces_a_draft(command, csv_file, change):
    command(csv_file({}))

    result = command(csv_file(change))

    found = only()
    assert "1 changed" in result.stdout
    assert (found.version, actions(found)) == (2, ["created", "edited"])
    assert {
        "title": found.title,
        "amount": str(found.lines[0].amount),
        "status": found.project_status,
        "phase_code": found.lines[0].phase_code,
    }.items() >= change.items()


def test_an_edit_by_a_file_counts_to_the_next_revision(command, csv_file):
    command(csv_file({}))
    command(csv_file({"title": "Move duct bank"}))

    edited = events.history(change_orders.SUBJECT, ChangeOrder.get().id)[-1]
    assert (edited.facts["revision"], edited.facts["snapshot"]["title"]) == (1, "Move duct bank")


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_what_came_back_is_replaced_by_what_is_new_in_the_file(command, csv_file, make_change_order, status):
    change_order = make_change_order(status)
    command(csv_file({}))

    result = command(csv_file({"title": "Corrected"}))

    assert "1 changed" in result.stdout
    assert (only().title, only().status) == ("Corrected", status)
    assert actions(change_order)[-1] == "edited"


@pytest.mark.parametrize("status", ["ready", "queued", "exported", "failed", "unknown", "void"])
def test_what_accounting_has_is_never_touched_and_is_named(command, csv_file, make_change_order, status):
    change_order = make_change_order(status)

    result = command(csv_file({"title": "Other"}))

    assert "1 skipped." in result.stdout
    assert f"  Job 24-117, SC-014, CCO 001: {change_order.label}" in result.stdout
    assert (only().title, only().version) == (change_order.title, change_order.version)


def test_of_several_revisions_the_highest_counts(command, csv_file):
    command(csv_file({"revision": "0", "title": "First"}, {"revision": "2", "title": "Third"}, {"revision": "1", "title": "Second"}))

    assert only().title == "Third"


def test_labels_follow_the_file_and_empty_codes_are_filled_in(command, csv_file):
    command(csv_file({"customer_code": "", "vendor_code": "", "subcontract_number": "", "job_name": "Old"}))
    blocked = only().checks

    command(csv_file({}))

    found = only()
    assert (found.job.name, found.job.customer, found.commitment.vendor.code, found.commitment.subcontract) == (
        "Harbor Tower", "NORTHSIDE", "VOLTCO", "SC-014",
    )  # fmt: skip
    assert (blocked, found.checks) == ("block", "clean")


def test_an_amount_that_is_known_here_stays_and_is_told(command, csv_file, change_order):
    command(csv_file({"cco_number": "008"}))

    result = command(csv_file({"original_amount": "5.00", "cco_number": "009"}))

    assert "Kept: Commitment SC-014 of job 24-117: original amount stays “100000.00”; the file says “5.00”." in result.stdout


def test_a_vendor_is_the_same_in_other_case_and_with_other_blanks(command, csv_file, vendor):
    command(csv_file({"vendor_name": " VOLT  electric CO "}))

    assert [one.name for one in Vendor.select()] == ["Volt Electric Co"]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(command, csv_file, change_order):
    result = command(csv_file({}, {"cco_number": "002"}, NEW_JOB | {"commitment_number": "SC-900", "vendor_name": "New"}), "--dry-run")

    assert result.stdout.startswith("Would be 2 new, 1 skipped.\n")
    assert (ChangeOrder.select().count(), Job.select().count(), Import.select().count()) == (1, 1, 0)


def test_a_dry_run_with_send_says_what_would_be_sent_and_what_not(command, csv_file, dee, make_change_order):
    make_change_order("draft")

    result = command(csv_file({}, {"cco_number": "002", "status": "Pending"}), "--dry-run", "--send", "dee@example.test")

    assert "Would be 1 new, 1 changed; 1 sent to accounting, 1 not sent." in result.stdout
    assert "CCO 002: The change order is “Pending” on the project, not Approved." in result.stdout
    assert [one.status for one in ChangeOrder.select()] == ["draft"]


def test_what_an_import_makes_and_completes_is_told_by_names_with_old_and_new_value(command, csv_file):
    command(csv_file({"subcontract_number": ""}))
    command(csv_file({"subcontract_number": "SC-9"}))

    made, changed = [event.facts for event in events.history("commitment", Commitment.get().id)]
    assert {name: made[name] for name in ("job", "vendor", "kind", "as_subcontract")} == {
        "job": Job.get().number,
        "vendor": Vendor.get().name,
        "kind": "subcontract",
        "as_subcontract": False,
    }
    assert changed == {"old": {"subcontract": ""}, "new": {"subcontract": "SC-9"}}


def test_sending_makes_the_sender_a_member_and_says_what_was_not_sent_and_why(command, csv_file, dee):
    result = command(
        csv_file({}, NEW_JOB | {"commitment_number": "SC-900"}, {"cco_number": "002", "title": "A title that Spectrum has no room for"}),
        "--send",
        "dee@example.test",
    )

    assert "Imported: 3 new; 2 sent to accounting, 1 not sent." in result.stdout
    assert "Dee Sørensen is now a member of job 25-001." in result.stdout
    assert "Job 24-117, SC-014, CCO 002: The title has 37 characters; Spectrum holds 30. Shorten the title." in result.stdout
    assert [one.status for one in ChangeOrder.select().order_by(ChangeOrder.id)] == ["ready", "ready", "draft"]
    assert Membership.select().count() == 2
    assert [event.facts for event in events.history("user", dee.id) if event.action == rights.JOINED] == [{"job": "25-001"}]


def test_what_is_sent_has_the_sender_as_creator_and_sender(command, csv_file, dee):
    command(csv_file({}), "--send", "Dee@Example.test")

    found = only()
    assert (found.created_by, found.sent_by, found.revision) == (dee, dee, 1)
    assert actions(found) == ["created", "sent"]


def test_drafts_of_an_earlier_import_are_sent_later(command, csv_file, dee):
    command(csv_file({}))

    result = command(csv_file({}), "--send", "dee@example.test")

    assert "1 unchanged; 1 sent" in result.stdout
    assert only().state is Status.READY


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_what_came_back_is_sent_again_only_with_a_change(command, csv_file, dee, make_change_order, status):
    make_change_order(status, description="RFI 118")
    same = {"quantity": "", "unit": "", "line_description": "", "original_amount": "", "status": "approved"}

    unchanged = command(csv_file(same), "--send", "dee@example.test").stdout
    state = only().status
    changed = command(csv_file(same | {"title": "Corrected"}), "--send", "dee@example.test").stdout

    assert "1 unchanged; 0 sent to accounting, 1 not sent." in unchanged
    assert "before, and nothing has changed since." in unchanged
    assert state == status
    assert "1 changed; 1 sent" in changed
    assert only().state is Status.READY


def test_a_sender_who_was_deactivated_is_refused(command, csv_file, dee):
    dee.active = False
    dee.save()

    assert command(csv_file({}), "--send", "dee@example.test").exit_code == 2


def test_procores_change_orders_find_job_and_commitment_by_what_is_known(command, csv_file, tmp_path):
    command(csv_file({"job_number": "25-104", "job_name": "Lincoln Elementary Modernization", "commitment_number": "SC-033"}))
    bare = json.loads((EXAMPLES / "procore.json").read_text(encoding="utf-8"))["commitment_change_orders"]
    bare[0] |= {"contract": {"number": "SC-033"}, "project": {"name": "Lincoln Elementary Modernization"}}
    (tmp_path / "bare.json").write_text(json.dumps(bare), encoding="utf-8")

    result = command(tmp_path / "bare.json")

    assert "Imported: 2 new" in result.stdout
    assert {one.commitment.number: one.job.number for one in ChangeOrder.select()} == {"SC-033": "25-104", "PO-071": "25-104"}
    assert Commitment.get(number="PO-071").kind == Kind.PURCHASE_ORDER
    assert Commitment.get(number="SC-033").vendor.name == "Volt Electric Co"


def test_our_own_example_can_be_imported(command):
    result = command(EXAMPLES / "change-orders.json")

    assert "Imported: 2 new" in result.stdout
    assert LineItem.select().count() == 3


def test_a_guessed_encoding_is_said(command, tmp_path, csv_file):
    path = csv_file({"vendor_name": "Peña"})
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))

    assert "Note: The file is not UTF-8; it was read as Windows-1252." in command(path).stderr


def test_another_import_under_way_is_waited_for_and_then_refused(command, csv_file, monkeypatch):
    monkeypatch.setattr(import_run, "WAIT_S", 0.3)
    assert import_run.Lane.take(import_run.LANE, import_run.LEASE)

    result = command(csv_file({}))

    assert result.exit_code == 2
    assert "Another import is running. Try again when it has finished." in result.stderr


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(command, csv_file):
    said = command(csv_file({}, {"cco_number": "002"})).stderr

    assert "Importing: 2 of 2" in said
    assert "\x1b" not in said


def test_a_rejection_after_an_import_with_send_can_be_corrected_by_the_next_file(command, csv_file, dee, ana):
    command(csv_file({}), "--send", "dee@example.test")
    decisions.reject(only().id, by=ana, version=only().version, reason="Wrong phase")

    command(csv_file({"phase_code": "16-3000"}), "--send", "dee@example.test")

    found = only()
    assert (found.state, found.revision, found.lines[0].phase_code) == (Status.READY, 2, "16-3000")
    assert actions(found) == ["created", "sent", "rejected", "edited", "sent"]
    assert found.sent_at <= clock.now()


def test_nothing_staged_stays_behind(command, csv_file):
    command(csv_file({}, {"cco_number": "002"}))

    assert not Staged.select().exists()
    assert Import.get().finished_at
