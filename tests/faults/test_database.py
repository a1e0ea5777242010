"""The database is locked, full, or refuses an event: what cannot be recorded is refused truthfully, and pages go on."""

import sqlite3
import threading
from contextlib import contextmanager

import peewee
import psycopg
import pytest

from portal import db
from portal.db import writes
from portal.domain import events
from portal.domain.accounts import api_tokens, sessions
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.exporting.exports import Export
from portal.domain.outbox import Dispatch
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from tests.cast import seen, signed
from tests.conftest import sign_in

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")


@pytest.fixture
def impatient(monkeypatch):
    """Half a second stands for the ten that the portal waits for another writer, and two for thirty."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_S", 0.5)
    monkeypatch.setattr(db, "POSTGRES_OPTIONS", db.POSTGRES_OPTIONS.replace("lock_timeout=5s", "lock_timeout=500ms"))


@contextmanager
def another_writer(url):
    """Somebody else holds the database: an administrator's shell, a backup that is none."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN EXCLUSIVE")
    else:
        holder = psycopg.connect(url)
        holder.execute("LOCK TABLE change_order, event IN EXCLUSIVE MODE")
    try:
        yield holder
    finally:
        holder.close()


def everything():
    counts = [model.select().count() for model in (Export, Dispatch, SpectrumNumber, events.Event)]
    return counts, [(row.id, row.status, row.version) for row in ChangeOrder.select().order_by(ChangeOrder.id)]


def press_accept(client, change_order):
    return client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order))


def test_accept_waits_for_a_writer_that_is_soon_done(client, change_order, ana, database_url):
    """F44: 3 s of 10"""
    sign_in(client, ana)
    with another_writer(database_url) as holder:
        done = threading.Event()
        threading.Timer(0.2, lambda: (done.set(), holder.rollback())).start()

        answer = press_accept(client, change_order)

        assert done.is_set()
    assert answer.status_code == 303
    assert load(change_order.id).state is Status.QUEUED


@pytest.mark.usefixtures("impatient")
def test_while_somebody_holds_the_database_accept_says_that_nothing_was_recorded_and_pages_go_on(
    client, change_order, ana, database_url, clock
):
    """F44: 30 s of 10"""
    sign_in(client, ana)
    clock.tick(minutes=5)  # the use of the session would be noted, could anything be written
    before = everything()
    with another_writer(database_url):
        refused, page = press_accept(client, change_order), client.get("/change-orders")

    assert refused.status_code == 503
    assert "Nothing was recorded; try again." in refused.text
    assert page.status_code == 200
    assert everything() == before
    assert press_accept(client, change_order).status_code == 303


@pytest.mark.usefixtures("impatient")
def test_writers_of_one_process_do_not_wait_behind_each_other_for_ever(database, company):
    """F44: the queue of one process has the same patience as the database"""
    held, done = threading.Event(), threading.Event()

    def hold():
        with db.connected(), db.transaction():
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        if db.is_sqlite():
            with pytest.raises(db.Busy), db.transaction():
                pass
    finally:
        done.set()
        holder.join()
    with db.transaction():
        events.record("company", company.id, "exports resumed")


@pytest.fixture
def patient(monkeypatch):
    """Whoever waits for another writer waits for an hour."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_S", 3600)
    longer = db.POSTGRES_OPTIONS.replace("lock_timeout=5s", "lock_timeout=1h").replace("statement_timeout=15s", "statement_timeout=1h")
    monkeypatch.setattr(db, "POSTGRES_OPTIONS", longer)


@contextmanager
def a_writer_who_stays(url):
    """Holds what notes of use are written to, and lets go only after so long that the test has failed by then."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
    else:
        holder = psycopg.connect(url)
        holder.execute('SELECT 1 FROM session, "user" FOR UPDATE')
        holder.execute("SELECT 1 FROM token FOR UPDATE")
    gave_up = threading.Event()
    timer = threading.Timer(60, lambda: (gave_up.set(), holder.rollback()))
    timer.start()
    try:
        yield gave_up
    finally:
        timer.cancel()
        holder.close()


@pytest.mark.usefixtures("patient")
def test_nobody_who_only_reads_waits_for_the_note_that_they_did(client, ana, eve, database_url, clock, company):
    sign_in(client, ana)
    token, text = api_tokens.make("Procore", ana.id, {"read"}, None, eve)
    clock.tick(minutes=5)  # both uses would be noted
    with a_writer_who_stays(database_url) as gave_up:
        page = client.get("/change-orders")
        answer = client.get("/api/v1/change-orders", headers={"Authorization": f"Bearer {text}"})

        assert not gave_up.is_set()
    assert (page.status_code, answer.status_code) == (200, 200)
    assert api_tokens.Token.get_by_id(token.id).used_at is None

    client.get("/change-orders")

    assert sessions.Session.get().seen_at == clock.now()


@pytest.mark.usefixtures("patient")
def test_nor_for_another_thread_of_the_same_process_that_writes(client, ana, clock):
    sign_in(client, ana)
    clock.tick(minutes=5)
    held, done = threading.Event(), threading.Event()

    def hold():
        with db.connected(), db.transaction():
            sessions.Session.update(browser="x").execute()
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        assert client.get("/change-orders").status_code == 200
        assert holder.is_alive()
    finally:
        done.set()
        holder.join()


def test_what_may_be_left_out_leaves_the_patience_of_others_as_it_was(database, company):
    assert writes.attempt(lambda: None)

    if db.is_sqlite():
        assert database.execute_sql("PRAGMA busy_timeout").fetchone()[0] == db.BUSY_TIMEOUT_S * 1000
    else:
        assert database.execute_sql("SHOW lock_timeout").fetchone()[0] == "5s"


@contextmanager
def refusing_events():
    """A trigger that refuses every event, and spoils the transaction, as a broken disk or a bad hand could."""
    refuse = "SELECT RAISE(ABORT, 'no event today')"
    if db.is_sqlite():
        db.database.execute_sql(f"CREATE TRIGGER no_event BEFORE INSERT ON event BEGIN {refuse}; END")
    else:
        body = "BEGIN RAISE EXCEPTION 'no event today'; END"
        db.database.execute_sql(f"CREATE FUNCTION no_event() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        db.database.execute_sql("CREATE TRIGGER no_event BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION no_event()")
    yield
    db.database.execute_sql("DROP TRIGGER no_event" if db.is_sqlite() else "DROP TRIGGER no_event ON event")


def test_a_decision_whose_event_cannot_be_written_is_not_recorded_at_all(change_order, ana):
    """F64"""
    before = everything()

    with refusing_events(), pytest.raises(peewee.DatabaseError):
        signed(change_order.id, by=ana, version=change_order.version)

    assert everything() == before
    assert signed(change_order.id, by=ana, version=change_order.version).state is Status.QUEUED


def test_what_spectrum_answered_is_kept_although_the_event_of_it_is_refused(accept, erp, simulator, drain, monkeypatch):
    """F64: evidence is committed before anything is concluded from it, and the line is not sent again"""
    change_order, record = accept(), events.record

    def refuse(subject, ref, action, *arguments, **facts):
        if action == "exported":
            raise peewee.IntegrityError("no event today")
        return record(subject, ref, action, *arguments, **facts)

    with monkeypatch.context() as patch:
        patch.setattr(events, "record", refuse)
        with pytest.raises(peewee.IntegrityError):
            drain(erp)
    assert load(change_order.id).state is Status.EXPORTING
    Dispatch.update(due_at=Dispatch.promised_at).execute()

    drain(erp)

    assert load(change_order.id).state is Status.EXPORTED
    assert len(simulator.journal()) == 1
