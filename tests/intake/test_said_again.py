"""A scheduled file says the same every night: only what is new in it replaces what stands here."""

import dataclasses
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from portal.background import tasks
from portal.domain import change_orders, events
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Vendor
from portal.domain.imports import uploads
from portal.domain.projects import sending, statements
from portal.domain.projects.sending import Draft, LineDraft
from portal.domain.projects.statements import News, Statement
from portal.domain.review import decisions
from tests.conftest import sign_in
from tests.import_files import text_of

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

NIGHTLY = Path(__file__).parent / "cases" / "nightly-file.csv"
SEND = ("--send", "dee@example.test")


def only():
    return change_orders.load(ChangeOrder.get().id)


def correct(dee, title="Corrected", amount="90.00", number=""):
    """As the sender does on the form."""
    here = only()
    sending.edit(
        here.id, dee, here.version, Draft(number or here.number, title, here.description, [LineDraft("26-27-26", "SUB", Decimal(amount))])
    )
    return only()


@pytest.fixture
def rejected(command, csv_file, dee, ana):
    """Came in by the nightly file, was sent and rejected."""
    command(csv_file({}), *SEND)
    decisions.reject(only().id, by=ana, version=only().version, reason="Wrong amount")
    return only()


def test_the_nightly_file_leaves_the_correction_of_what_was_rejected_alone_and_lists_it(command, dee, ana, job, company):
    voltco = Vendor.create(company=company, name="Voltco Electric", code="VOLTCO")
    Commitment.create(job=job, vendor=voltco, number="SC-014", subcontract="SC-014")
    command(NIGHTLY, *SEND)
    decisions.reject(only().id, by=ana, version=only().version, reason="Wrong amount")
    corrected = correct(dee)

    result = command(NIGHTLY, *SEND)

    assert "1 skipped; 0 sent to accounting, 0 not sent." in result.stdout
    said = "CCO 960: Rejected: the file says what it said before, and what was corrected here since stays."
    assert said in result.stdout
    assert (only().version, only().title, only().status, str(only().amount)) == (corrected.version, "Corrected", "rejected", "90.00")
    assert [event.action for event in events.history("change_order", only().id)] == ["created", "sent", "rejected", "edited"]


def test_what_is_new_in_the_file_is_taken_over_after_a_correction_too(command, csv_file, rejected, dee):
    correct(dee)

    result = command(csv_file({"title": "News"}), *SEND)

    assert "1 changed; 1 sent" in result.stdout
    assert only().title == "News"


def test_a_dry_run_lists_what_it_would_leave_alone(command, csv_file, rejected, dee):
    correct(dee)

    result = command(csv_file({}), "--dry-run", *SEND)

    assert "1 skipped; 0 sent" in result.stdout
    assert "Rejected: the file says what it said before" in result.stdout


def test_a_draft_that_was_corrected_here_is_left_alone_too(command, csv_file, dee):
    command(csv_file({}))
    correct(dee)

    result = command(csv_file({}), *SEND)

    assert "Draft: the file says what it said before" in result.stdout
    assert (only().title, only().status) == ("Corrected", "draft")


@pytest.mark.parametrize("spelling", ["C-2", "c\u20132", "Ｃ-２"])
def test_a_draft_whose_number_was_spelled_otherwise_here_is_left_alone_too(command, csv_file, dee, spelling):
    command(csv_file({"cco_number": "c-2"}))
    correct(dee, number=spelling)

    result = command(csv_file({"cco_number": "c-2"}), *SEND)

    assert "Draft: the file says what it said before" in result.stdout
    assert (only().title, only().status) == ("Corrected", "draft")


def test_what_the_file_said_twice_is_old_though_the_first_time_it_changed_nothing(command, csv_file, rejected, dee):
    correct(dee, "Relocate", "4250.00")
    again = {"title": "Relocate", "phase_code": "26-27-26", "quantity": "", "unit": "", "line_description": ""}
    assert "1 unchanged" in command(csv_file(again)).stdout
    correct(dee, "Better")

    assert "1 skipped" in command(csv_file(again)).stdout
    assert only().title == "Better"


def test_what_changed_in_the_file_while_accounting_had_it_is_taken_over_when_it_comes_back(command, csv_file, dee, ana):
    command(csv_file({}), *SEND)
    assert "1 skipped" in command(csv_file({"title": "Meanwhile"})).stdout
    decisions.reject(only().id, by=ana, version=only().version, reason="Wrong title")

    assert "1 changed" in command(csv_file({"title": "Meanwhile"})).stdout


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_what_came_back_and_no_file_is_known_of_is_left_alone_until_the_file_changes(command, csv_file, make_change_order, status):
    make_change_order(status)

    first = command(csv_file({"title": "Other"}))
    again = command(csv_file({"title": "Other"}))
    changed = command(csv_file({"title": "News"}))

    assert f"CCO 001: {only().label}, and what a file said of it before is not known: it stays as it is here." in first.stdout
    assert "1 skipped" in again.stdout
    assert "1 changed" in changed.stdout
    assert only().title == "News"


def test_a_draft_that_no_file_is_known_of_is_replaced(command, csv_file, make_change_order):
    make_change_order("draft")

    assert "1 changed" in command(csv_file({"title": "Other"})).stdout


def test_the_nightly_file_does_not_bring_back_what_a_file_on_the_page_corrected(app, client, command, csv_file, rejected, eve):
    sign_in(client, eve)
    content = io.BytesIO(text_of({"title": "By hand"}).encode())
    page = client.post("/imports", data={"file": (content, "fix.csv")}, content_type="multipart/form-data").location
    with app.app_context():
        tasks.drain(uploads.LANE)
        client.post(f"{page}/confirmation")
        tasks.drain(uploads.LANE)

    result = command(csv_file({}), *SEND)

    assert "1 skipped" in result.stdout
    assert (only().title, only().status) == ("By hand", "rejected")


def test_what_another_source_said_is_old_from_whoever_repeats_it(rejected, dee):
    correct(dee)
    said = Draft("001", "Relocate duct bank", "RFI 118", [LineDraft("16-2000", "SUB", Decimal("4250.00"), "Duct bank", Decimal(1), "LS")])

    news = statements.weigh(only(), said, statements.PAGE), statements.weigh(only(), dataclasses.replace(said, title="X"), statements.PAGE)

    assert news == (News.OLD, News.FRESH)


def test_an_upgrade_that_adds_a_fact_is_no_news(command, csv_file, rejected, dee):
    kept = json.loads(Statement.get().content)
    kept["snapshot"] = {name: value for name, value in kept["snapshot"].items() if name not in ("tax", "currency", "date")}
    Statement.update(content=json.dumps(kept)).execute()
    correct(dee)

    assert "1 skipped" in command(csv_file({})).stdout


def test_what_was_kept_with_its_number_is_no_news(command, csv_file, rejected, dee):
    """As earlier versions kept it."""
    kept = json.loads(Statement.get().content)
    kept["snapshot"]["number"] = "spelled otherwise"
    Statement.update(content=json.dumps(kept)).execute()
    correct(dee)

    assert "1 skipped" in command(csv_file({})).stdout
