"""`portal restore`: what it puts in place, what it refuses, and what must not come back to life with it."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from portal import db
from portal.domain import companies, events, processes
from portal.domain.accounts import password_links, sessions
from portal.domain.accounts.sessions import Session
from portal.domain.audit import heads
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.exporting import pausing
from portal.domain.lanes import RESTORED, Lane
from portal.domain.people import NotPermitted, User
from portal.domain.recovery import restored
from portal.standalone import machine
from tests.cast import signed
from tests.conftest import PASSWORD, sign_in
from tests.databases import POSTGRESQL, migrate

pytestmark = pytest.mark.databases_differ("what a database is replaced by")


@pytest.fixture
def database_url(database_kind, request, tmp_path):
    """A database of its own: its tables are dropped, and no one else may be connected to it."""
    return migrate(request.getfixturevalue("postgres") if database_kind == POSTGRESQL else f"sqlite:///{tmp_path / 'portal.db'}")


@pytest.fixture
def restore(command, database_url):
    """The command, in a process that has no connection of its own before; the test has a new one afterwards."""

    def run(*arguments, **options):
        db.database.close()
        told = command("restore", *arguments, "--json", **options)
        db.init(database_url)
        db.database.connect()
        return told

    return run


@pytest.fixture
def taken(command, history, tmp_path):
    """A backup, and a change order sent after it."""
    return Path(command("backup", tmp_path / "one.backup", "--json")["file"])


def file_of(database_url):
    return Path(database_url.removeprefix("sqlite:///")) if database_url.startswith("sqlite") else None


def test_the_database_is_as_it_was_when_the_backup_was_taken(restore, command, taken, make_change_order, database_url):
    make_change_order("ready")

    told = restore(taken, "--replace")

    assert ChangeOrder.select().count() == told["rows"]["change_order"] == 4
    assert events.history("company", companies.current().id)[-1].action == "database restored"
    if file := file_of(database_url):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is as it was written" in command("audit", "verify")


@pytest.mark.parametrize(
    ("address", "actor", "facts"),
    [("eve@example.test", "Eve Laurent", None), ("zoe@example.test", None, "zoe@example.test")],
    ids=["administrator", "no one it knows"],
)
def test_who_restores_is_in_the_audit_trail(restore, taken, address, actor, facts):
    restore(taken, "--replace", "--as", address)

    event = events.history("company", companies.current().id)[-1]
    assert event.action == "database restored"
    assert (event.actor and event.actor.name, event.facts.get("said_by")) == (actor, facts)


def test_what_was_there_before_is_kept(restore, taken, database_url, data):
    heads_before = (data / heads.HEADS).read_text()
    (data / heads.HEADS).write_text(heads_before + heads_before)

    kept = [Path(file) for file in restore(taken, "--replace")["kept"]]

    assert (data / heads.HEADS).read_text() == heads_before
    assert kept[-1].read_text() == heads_before * 2
    assert bool(file_of(database_url)) == any(file.name.startswith("portal.db.before-") for file in kept)


def test_data_is_not_replaced_without_being_told_to(restore, taken, make_change_order):
    make_change_order("ready")

    restore(taken, status=2)

    assert ChangeOrder.select().count() == 5


def test_a_lost_database_is_restored_into_nothing(restore, taken, database_url):
    if file := file_of(database_url):
        db.database.close()
        for one in file.parent.glob("portal.db*"):
            one.unlink()
    else:
        db.database.execute_sql("DROP SCHEMA public CASCADE")
        db.database.execute_sql("CREATE SCHEMA public")

    restore(taken)

    assert ChangeOrder.select().count() == 4


def test_exports_are_paused_until_an_approver_says_that_spectrum_was_looked_at(restore, taken, ana, eve):
    restore(taken, "--replace")
    lane = Lane.get_by_id(companies.current().lane)

    with pytest.raises(NotPermitted, match="Only an approver, who has looked in Spectrum, resumes exports"):
        pausing.resume(lane.name, eve)
    assert (lane.paused_by, lane.reason) == (None, RESTORED)
    pausing.resume(lane.name, ana)

    lane = Lane.get_by_id(lane.name)
    assert (lane.paused_at, lane.restored_at, lane.reason) == (None, None, "")
    assert events.history("company", companies.current().id)[-1].facts == {"after_a_restore": True, "reason": ""}


def test_a_pause_from_before_the_backup_keeps_its_reason(restore, command, history, tmp_path, eve, ana):
    lane = companies.current().lane
    pausing.pause(lane, eve, "Month end")
    file = command("backup", tmp_path / "one.backup", "--json")["file"]

    restore(file, "--replace")

    assert Lane.get_by_id(lane).reason == "Month end"
    assert Lane.get_by_id(lane).restored_at


def test_no_session_and_no_link_comes_back_to_life(restore, command, history, tmp_path, ana):
    token = sessions.sign_in(ana.email, PASSWORD)
    link = password_links.make(ana)
    file = command("backup", tmp_path / "one.backup", "--json")["file"]
    sessions.sign_out(token)

    restore(file, "--replace")

    assert sessions.find(token) is None
    assert password_links.find(link) is None
    assert "restored from a backup" in sessions.end_message(token)
    assert Session.get().ended_why == "database restored"


@pytest.mark.parametrize("lock", ["up.lock", "portal.db.web"])
def test_beside_a_running_portal_nothing_is_restored(restore, taken, make_change_order, data, tmp_path, lock, database_kind):
    make_change_order("ready")

    place = data if lock == machine.LOCK else tmp_path

    with machine.hold(place / lock):
        restore(taken, "--replace", status=0 if database_kind == POSTGRESQL and place == tmp_path else 2)  # no file of its web server


def test_beside_a_running_worker_nothing_is_restored(command, taken, restore, make_change_order):
    make_change_order("ready")
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    processes.Process.create(kind="exports", machine=processes.platform.node(), pid=worker.pid, version="", started_at=now(), seen_at=now())
    db.database.close()

    said = command("restore", taken, "--replace", status=2)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()

    assert f"The portal runs: exports on {processes.platform.node()} (process {worker.pid}). Stop all of its processes first." in said
    restore(taken, "--replace")
    assert ChangeOrder.select().count() == 4


def now():
    return processes.clock.now()


def test_a_backup_of_the_other_kind_of_database_is_refused(command, taken, database_kind, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}" if database_kind == POSTGRESQL else "postgresql:///portal?host=/nonexistent"

    said = command("restore", taken, status=2, DATABASE_URL=other)

    assert "The backup is of a" in said
    assert said.endswith("Set DATABASE_URL to one of its kind. Nothing was replaced.\n")


def test_a_backup_of_a_newer_version_is_refused(command, taken, history, tmp_path, monkeypatch, restore):
    missing = tmp_path / "migrations"
    missing.mkdir()
    monkeypatch.setattr(db, "MIGRATIONS", missing)
    db.database.close()

    assert "The backup is of a newer version of the portal" in command("restore", taken, "--replace", status=2)


def test_a_backup_that_cannot_be_opened_replaces_nothing(restore, taken, make_change_order):
    make_change_order("ready")
    taken.write_bytes(taken.read_bytes()[:-100])

    restore(taken, "--replace", status=2)

    assert ChangeOrder.select().count() == 5


def test_an_approver_resumes_from_any_page_after_a_restore(restore, taken, client, ana, ben, eve, make_app):
    restore(taken, "--replace")
    button = "I’ve looked in Spectrum. Resume exports"

    assert button not in sign_in(client, ben).get("/change-orders").text
    assert client.post("/exports/resumption").status_code == 403
    assert button not in sign_in(client, eve).get("/settings/company").text
    assert "who has looked in Spectrum, resumes them" in client.get("/settings/company").text
    assert client.post("/exports/resumption").status_code == 403
    assert button in sign_in(client, ana).get("/change-orders").text
    assert client.post("/exports/resumption").status_code == 303

    assert not Lane.is_paused(companies.current().lane)


def test_no_approver_resumes_a_pause_that_is_no_restores(client, company, ana, eve):
    pausing.pause(company.lane, eve, "Month end")

    assert sign_in(client, ana).post("/exports/resumption").status_code == 403
    assert Lane.is_paused(company.lane)


def test_the_button_for_a_restore_lifts_no_other_pause(client, company, eve):
    User.update(can_push=True).where(User.id == eve.id).execute()
    pausing.pause(company.lane, eve, "Month end")
    sign_in(client, eve)

    assert "Nothing was changed" in client.post("/exports/resumption").text
    restored.hold(processes.clock.now())
    assert "stay paused until an administrator resumes them" in sign_in(client, eve).post("/exports/resumption", follow_redirects=True).text

    lane = Lane.get_by_id(company.lane)
    assert (lane.paused_by, lane.reason, lane.restored_at) == (eve, "Month end", None)


def test_a_decision_made_after_the_backup_is_made_again(restore, taken, ana):
    ready = ChangeOrder.get(ChangeOrder.status == Status.READY)
    signed(ready.id, by=ana, version=ready.version)

    restore(taken, "--replace")

    assert ChangeOrder.get_by_id(ready.id).state is Status.READY
