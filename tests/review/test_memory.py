"""No one sees a stale row: whatever a page takes from memory is given up when anything that it shows is another."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from portal import clock as clocks
from portal import db
from portal.db import memory as db_memory
from portal.db.sqlite import Watcher
from portal.domain import events, status_totals
from portal.domain.change_orders import ChangeOrder, LineItem, Status, load
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.people import Membership, User
from portal.domain.review import decisions
from portal.domain.rules import spectrum_lists
from portal.domain.rules.contributors import APART, CodeHand, Contribution
from portal.domain.rules.duplicates import Distinction
from portal.domain.rules.spectrum_lists import Reading
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.web import memory
from tests.cast import signed
from tests.conftest import count_queries, sign_in

pytestmark = pytest.mark.databases_differ("how a database tells that someone wrote")

READY, ALL = "/change-orders?view=ready", "/change-orders?view=all"


@pytest.fixture
def recalled(change_order, ana):
    """One that waits and has a Spectrum number."""
    return decisions.recall(change_order.id, ana, signed(change_order.id, ana, change_order.version).version)


def shown(client, address=ALL):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_unchanged_page_reads_no_change_order_again(client, ana, make_change_order, monkeypatch):
    make_change_order("ready")
    sign_in(client, ana)
    first = shown(client)
    db_memory.verify_all(on=False)

    with count_queries() as sent:
        second = shown(client)

    db_memory.verify_all(on=True)
    assert second == first
    assert not [sql for sql in sent if "line_item" in sql or 'FROM "change_order"' in sql]


@pytest.mark.parametrize("view", ["ready", "progress", "failed", "exported", "returned", "all"])
def test_every_view_is_kept(client, ana, make_change_order, view):
    for status in ("ready", "queued", "exporting", "failed", "unknown", "exported", "rejected", "retrieved"):
        make_change_order(status)
    sign_in(client, ana)
    shown(client, f"/change-orders?view={view}")
    kept = [result for key, result in db_memory._memory.results.items() if key[0] == "page"]

    assert [result.holds for result in kept] == [True]


def test_what_is_worked_out_with_a_clock_that_is_not_watched_is_not_kept():
    assert not db_memory.worked_out(clocks.now).holds
    assert db_memory.worked_out(clocks.present).holds


CHANGES = {
    "title": lambda one: ChangeOrder.update(title="Another").where(ChangeOrder.id == one.id),
    "amount": lambda one: ChangeOrder.update(amount=Decimal(9)).where(ChangeOrder.id == one.id),
    "currency": lambda one: ChangeOrder.update(currency="CAD").where(ChangeOrder.id == one.id),
    "tax": lambda one: ChangeOrder.update(tax=Decimal(1)).where(ChangeOrder.id == one.id),
    "revision": lambda one: ChangeOrder.update(revision=3).where(ChangeOrder.id == one.id),
    "question": lambda one: ChangeOrder.update(asked_at=one.sent_at).where(ChangeOrder.id == one.id),
    "answer": lambda one: ChangeOrder.update(asked_at=one.sent_at, answered_at=one.sent_at).where(ChangeOrder.id == one.id),
    "hold": lambda one: ChangeOrder.update(held_until=clocks.present().date() + timedelta(days=9)).where(ChangeOrder.id == one.id),
    "line": lambda one: LineItem.update(amount=Decimal(1)).where(LineItem.change_order == one.id),
    "name of the job": lambda one: Job.update(name="Another tower").where(Job.id == one.job.id),
    "customer of the job": lambda one: Job.update(customer="").where(Job.id == one.job.id),
    "number of the commitment": lambda one: Commitment.update(number="SC-999").where(Commitment.id == one.commitment_id),
    "subcontract": lambda one: Commitment.update(subcontract="").where(Commitment.id == one.commitment_id),
    "kind of the commitment": lambda one: Commitment.update(kind="purchase order").where(Commitment.id == one.commitment_id),
    "vendor": lambda one: Vendor.update(name="Another Co").where(Vendor.id == one.commitment.vendor.id),
    "code of the vendor": lambda one: Vendor.update(code="").where(Vendor.id == one.commitment.vendor.id),
    "sender": lambda one: User.update(name="Dee Other").where(User.id == one.sent_by_id),
    "rights": lambda one: User.update(can_push=False).where(User.name == "Ana Ortiz"),
    "level": lambda one: User.update(level="Read Only").where(User.name == "Ana Ortiz"),
    "currency of the books": lambda one: Company.update(currency="CAD"),
    "time zone": lambda one: Company.update(time_zone="Asia/Tokyo"),
    "contributor": lambda one: Contribution.insert(change_order=one.id, person=User.get(User.name == "Ana Ortiz"), deed=APART),
    "who set a code": lambda one: CodeHand.insert(thing="job", ref=one.job.id, field="customer", person=User.get(User.name == "Ana Ortiz")),
    "Spectrum's list": lambda one: Reading.insert(
        company=one.company.id, listing=spectrum_lists.VENDORS, refresh=1, read_at=spectrum_lists.clock.now(), complete=True
    ),
    "look-alike": lambda one: ChangeOrder.insert(
        commitment=one.commitment_id,
        number="0001",
        key="0001",
        loose="1",
        title="Twin",
        amount=Decimal(1),
        status="ready",
        sent_at=one.sent_at,
        sent_by=one.sent_by_id,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_at_once(client, ana, recalled, what):
    sign_in(client, ana)
    before = shown(client)

    CHANGES[what](load(recalled.id)).execute()

    assert shown(client) != before


def test_another_spectrum_number_is_seen_at_once(client, ana, make_change_order):
    make_change_order("exported")
    assert "S014-001" in shown(sign_in(client, ana))

    SpectrumNumber.update(number="X-1").execute()

    assert "S014-001" not in shown(client)


SQLITE = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1].removeprefix('sqlite:///')) as connection: connection.execute(sys.argv[2])"
POSTGRESQL = "import psycopg, sys\nwith psycopg.connect(sys.argv[1]) as connection: connection.execute(sys.argv[2])"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE change_order SET title = 'From elsewhere'",
        "UPDATE vendor SET name = 'Elsewhere Co'",
        "UPDATE \"user\" SET name = 'Elsewhere' WHERE name = 'Dee Sørensen'",
        "UPDATE lane SET paused_at = '2026-01-01 00:00:00' WHERE name LIKE 'exports%'",
        "UPDATE status_total SET change_orders = 17 WHERE status = 'ready'",
    ],
)
def test_a_change_by_another_process_is_seen_at_once(client, ana, recalled, database_url, sql):
    sign_in(client, ana)
    before = shown(client)

    subprocess.run([sys.executable, "-c", SQLITE if db.is_sqlite() else POSTGRESQL, database_url, sql], check=True)

    assert shown(client) != before


def test_ages_go_on_while_nothing_is_written(client, ana, change_order, clock):
    sign_in(client, ana)
    ages = []
    for passed in (timedelta(0), timedelta(seconds=61), timedelta(minutes=20)):
        clock.moment += passed
        ages.append(shown(client, READY).partition('data-label="Sent"')[2].partition("</time>")[0].rpartition(">")[2])

    assert ages == ["now", "1 min", "21 min"]


def test_a_hold_ends_and_the_age_of_a_question_goes_on_while_nothing_is_written(client, ana, change_order, clock):
    clock.set(datetime.fromisoformat("2026-11-24T23:50:00-06:00").astimezone(UTC))
    ChangeOrder.update(held_until=date(2026, 11, 25), asked_at=clock.now()).where(ChangeOrder.id == change_order.id).execute()
    sign_in(client, ana)
    assert "On hold until Nov 25" in shown(client, READY)
    clock.tick(minutes=9)
    assert "9 min</time> ago" in shown(client, READY)
    assert "On hold until Nov 25" in shown(client, READY)

    clock.tick(minutes=1)

    assert "On hold until Nov" not in shown(client, READY)
    assert "On hold until today" in shown(client, READY)


def test_a_list_of_spectrum_goes_stale_while_nothing_is_written(client, ana, change_order, company, clock):
    spectrum_lists.keep(company, spectrum_lists.VENDORS, "", [], 1, complete=True, reason="")
    sign_in(client, ana)
    assert "is not active in Spectrum" in shown(client, READY)
    User.update(last_active_at=clock.now()).execute()

    clock.tick(days=3, seconds=1)
    sign_in(client, ana)

    assert "is not active in Spectrum" not in shown(client, READY)


def test_what_a_transaction_that_failed_had_written_is_not_shown(client, ana, change_order):
    sign_in(client, ana)
    before = shown(client)
    with pytest.raises(ZeroDivisionError), db.transaction():
        Vendor.update(name="Never").execute()
        raise ZeroDivisionError

    assert shown(client) == before


def test_each_person_sees_what_they_may(client, app, company, ana, ben, change_order):
    of_ana, of_ben = sign_in(client, ana), sign_in(app.test_client(), ben)

    for _ in range(2):
        assert ">Accept</button>" in shown(of_ana, READY)
        assert ">Accept</button>" not in shown(of_ben, READY)


def test_who_works_on_the_job_reads_what_came_back_as_its_project_has_it(client, app, ana, lee, job, make_change_order, dee):
    returned = make_change_order("rejected")
    ChangeOrder.update(title="Corrected meanwhile").where(ChangeOrder.id == returned.id).execute()
    Membership.create(user=lee, job=job)
    of_ana, of_lee = sign_in(client, ana), sign_in(app.test_client(), lee)

    for _ in range(2):
        assert "Corrected meanwhile" not in shown(of_ana)
        assert "Corrected meanwhile" in shown(of_lee)


def test_a_kept_form_has_the_token_of_its_answer(csrf_client, app, ana, make_change_order):
    make_change_order("queued")
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(csrf_client, ana)
    app.config["WTF_CSRF_ENABLED"] = True
    first = shown(csrf_client)

    second = shown(csrf_client)

    assert memory.TOKEN not in first + second
    assert second.count('name="csrf_token"') == first.count('name="csrf_token"') > 1
    assert 'name="csrf_token" value=""' not in second


def test_where_the_file_cannot_be_watched_nothing_is_kept_and_no_page_fails(tmp_path):
    assert Watcher().version(str(tmp_path / "nowhere" / "portal.db")) is None


def test_memory_is_bounded():
    some = db_memory.Memory(most=3)

    for key in range(10):
        some.get(key, lambda: "kept")

    assert list(some.results) == [7, 8, 9]


def test_a_stale_result_would_fail_the_tests():
    some, values = db_memory.Memory(), iter(("then", "now"))
    some.get("key", lambda: next(values))

    with pytest.raises(db_memory.Stale):
        some.get("key", lambda: next(values))


def test_a_row_is_rendered_again_only_for_another_value(client, app, ana, make_change_order):
    one, other = make_change_order("ready"), make_change_order("ready")
    sign_in(client, ana)
    shown(client, READY)
    rows = app.extensions[memory.ROWS].results
    kept = set(rows)
    ChangeOrder.update(title="Changed").where(ChangeOrder.id == other.id).execute()

    shown(client, READY)

    assert len(set(rows) - kept) == 1
    assert load(one.id).state is Status.READY


def test_events_and_totals_move_a_page_on(client, ana, change_order, company):
    sign_in(client, ana)
    first = shown(client)
    status_totals.post(company.id, None, ("ready", change_order.amount))
    second = shown(client)
    events.record("change_order", change_order.id, "differs", text="Spectrum has another amount.", number="1", ours=[], theirs=[])

    assert first != second
    assert shown(client).count("change-order-") == second.count("change-order-")
    assert Distinction.select().count() == 0
