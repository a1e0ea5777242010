"""PostgreSQL is stopped and started again in the middle of the work: what came back is kept, lanes are let go, people are told."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import peewee
import psycopg
import pytest

from portal import db
from portal.background import tasks
from portal.db import errors, writes
from portal.domain import outbox
from portal.domain.change_orders import Status, load
from portal.domain.exporting import send
from portal.domain.exporting.exports import Attempt
from portal.domain.lanes import Lane
from portal.spectrum.records import Receipt
from tests.cast import seen
from tests.conftest import sign_in
from tests.databases import migrate
from tests.processes import Postgres, running


@pytest.fixture(scope="module")
def server(quick):
    """A server that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="cco-pg-", dir="/tmp") as name:
        server = Postgres(Path(name))
        server.create()
        with running(server):
            migrate(server.new_database("migrated"))
            db.database.close()
            yield server


@pytest.fixture
def database_url(server):
    if server.ended():
        server.start()
    return server.new_database(template="migrated")


@pytest.fixture
def stop(server, monkeypatch):
    """Stops it until somebody who insists has waited for so many seconds: time passes by waiting only, so that no test is in a hurry."""

    def stopped(seconds):
        passed = [0.0]

        def sleep(pause):
            passed[0] += pause
            if passed[0] >= seconds and server.ended():
                server.start()

        server.stop()
        monkeypatch.setattr(writes, "time", SimpleNamespace(monotonic=lambda: passed[0], sleep=sleep))

    return stopped


@pytest.mark.parametrize("seconds", [2, 55])
def test_an_answer_that_comes_while_postgresql_is_away_is_kept_when_it_is_back_within_the_minute(accept, stop, seconds):
    change_order = accept()
    claim = Lane.take(change_order.company.lane, tasks.LEASE)

    def call(elements, guid):
        stop(seconds)
        return Receipt(200)

    send.step(outbox.Dispatch.get(), claim, call)

    assert load(change_order.id).state is Status.EXPORTED
    assert [attempt.outcome for attempt in Attempt.select()] == ["sent"]


def test_after_a_minute_without_postgresql_the_write_is_given_up(accept, stop):
    change_order = accept()
    claim = Lane.take(change_order.company.lane, tasks.LEASE)

    def call(elements, guid):
        stop(3600)
        return Receipt(200)

    with pytest.raises((errors.Away, peewee.OperationalError)):
        send.step(outbox.Dispatch.get(), claim, call)


def test_a_lane_is_let_go_although_postgresql_is_away_at_that_moment(company, stop):
    claim = Lane.take(company.lane, tasks.LEASE)
    stop(30)

    Lane.release(company.lane, claim)

    assert Lane.take(company.lane, tasks.LEASE)


def test_a_connection_that_breaks_in_the_middle_of_a_decision_is_told_without_a_promise_that_cannot_be_kept(
    app, client, ana, change_order, server
):
    sign_in(client, ana)
    form = seen(change_order)
    accepting = app.view_functions["deciding.accept"]

    def broken(**given):
        load(change_order.id)
        with psycopg.connect(server.url("postgres")) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname <> current_database()")
        return accepting(**given)

    app.view_functions["deciding.accept"] = broken

    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=form)

    assert answer.status_code == 503
    assert "recorded as a whole or not at all" in answer.text
    assert answer.headers["Content-Security-Policy"]
    db.let_go()
    assert load(change_order.id).state is Status.READY
