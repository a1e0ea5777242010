"""Connections to PostgreSQL are used by one request after the other: none brings anything along, and a lost one is replaced unseen."""

import multiprocessing

import psycopg
import pytest

from portal import db
from portal.domain.review import decisions, signature
from tests.cast import seen
from tests.conftest import HTMX, sign_in

OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
LEFT_BEHIND = """
    SELECT name FROM pg_settings WHERE source = 'session' AND name NOT IN ('client_encoding', 'session_authorization')
    UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT pg_listening_channels()
    UNION ALL SELECT relname FROM pg_class WHERE relpersistence = 't'"""


@pytest.fixture
def database_url(reused):
    """PostgreSQL's; SQLite has no server."""
    return reused.emptied()


@pytest.fixture
def aside(database_url):
    """A connection of somebody else, who looks at the server."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def visitor(client, ana):
    """Ana, and no connection open but those of her requests."""
    sign_in(client, ana)
    db.database.close()
    db.database.close_idle()
    return client


@pytest.fixture
def pids(visitor, aside):
    """The connections that the portal has open, by the process that serves each."""
    others = {pid for (pid,) in aside.execute(OTHERS).fetchall()}
    return lambda: {pid for (pid,) in aside.execute(OTHERS).fetchall()} - others


def test_no_statement_is_compiled_and_none_takes_longer_than_15_s(visitor):
    shown = [db.database.execute_sql(f"SHOW {name}").fetchone() for name in ("jit", "statement_timeout", "lock_timeout")]

    assert shown == [("off",), ("15s",), ("5s",)]


def test_one_request_after_the_other_uses_the_same_connection(visitor, pids):
    visitor.get("/change-orders")
    first = pids()

    for path in ("/profile", "/change-orders?view=all", "/readyz"):
        visitor.get(path)

    assert len(first) == 1
    assert pids() == first


def test_connections_that_the_server_ended_meanwhile_are_replaced_and_nobody_sees_it(visitor, aside, pids):
    visitor.get("/change-orders")
    (lost,) = pids()
    aside.execute("SELECT pg_terminate_backend(%s)", (lost,))

    answer = visitor.get("/change-orders")

    assert answer.status_code == 200
    assert lost not in pids()


def test_a_transaction_that_was_left_open_is_rolled_back_before_the_next_request(visitor, ana, aside):
    db.connect()
    db.database.begin()
    db.database.execute_sql("UPDATE \"user\" SET name = 'Somebody Else'")
    db.database.close()

    assert "Somebody Else" not in visitor.get("/profile").text
    assert aside.execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'").fetchone() == (0,)


def test_a_decision_leaves_nothing_in_the_session_that_a_pooler_between_would_lose(visitor, change_order, ana):
    accepting = f"/change-orders/{change_order.id}/acceptance"

    assert visitor.post(accepting, data=seen(change_order), headers=HTMX).status_code == 200

    with db.connected():
        assert db.database.execute_sql(LEFT_BEHIND).fetchall() == []


def test_a_process_that_was_forked_opens_connections_of_its_own(visitor, pids, change_order, ana):
    visitor.get("/change-orders")
    before = pids()
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=tell_pid, args=(theirs,))

    child.start()
    theirs_pid = ours.recv()
    child.join()

    assert theirs_pid not in before
    with db.connected():
        decisions.accept(change_order.id, ana, change_order.version, signature.marks(change_order))
    assert pids() == before


def tell_pid(pipe):
    with db.connected():
        pipe.send(db.database.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
