"""Promises are kept once, by one worker at a time, and the keeper rings for what is due."""

from datetime import timedelta

import pytest
from redis import Redis
from rq import Queue

from portal import clock as clocks
from portal.background import doorbell, keeper, tasks
from portal.db import transaction
from portal.domain import heartbeats, outbox
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch, Task
from tests.cast import signed

pytestmark = pytest.mark.databases_differ("locks and races")

LANE = "exports:1"


@pytest.fixture
def bell(valkey):
    return Redis.from_url(valkey.url)


@pytest.fixture
def promised(database):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)


def waiting(bell, queue="exports"):
    return [list(job.args) for job in Queue(queue, connection=bell, serializer=doorbell.Serializer).jobs]


def test_the_same_promise_twice_is_one(promised):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)

    assert Dispatch.select().count() == 1


def test_a_promise_of_a_decision_that_is_rolled_back_does_not_exist(database):
    with pytest.raises(ZeroDivisionError), transaction():
        outbox.promise("export:17", LANE, Task.EXPORT, 17)
        raise ZeroDivisionError

    assert Dispatch.select().count() == 0


def test_a_worker_whose_claim_was_taken_over_cannot_renew(database, clock):
    first = Lane.take(LANE, timedelta(seconds=15))
    clock.tick(seconds=16)
    second = Lane.take(LANE, timedelta(seconds=15))

    with pytest.raises(Lost):
        Lane.renew(LANE, first, timedelta(seconds=15))
    Lane.renew(LANE, second, timedelta(seconds=15))


def test_a_late_release_does_not_free_the_lane_of_the_next_worker(database, clock):
    first = Lane.take(LANE, timedelta(seconds=15))
    clock.tick(seconds=16)
    Lane.take(LANE, timedelta(minutes=5))

    Lane.release(LANE, first)

    assert Lane.take(LANE, timedelta(seconds=15)) is None


def test_what_is_not_due_yet_is_not_worked_on(database, clock):
    outbox.promise("export:17", LANE, Task.EXPORT, 17, timedelta(seconds=10))
    early = list(outbox.due(LANE, timedelta(minutes=1)))
    clock.tick(seconds=10)

    late = outbox.next_due(LANE, set())

    assert early == []
    assert late.key == "export:17"


def test_the_keeper_rings_once_for_a_lane_with_due_work(promised, bell):
    for _ in range(5):
        keeper.ring(bell)

    assert waiting(bell) == [[LANE]]


def test_the_keeper_rings_again_when_the_ring_was_lost(promised, bell):
    keeper.ring(bell)
    bell.flushall()

    keeper.ring(bell)

    assert waiting(bell) == [[LANE]]


def test_the_keeper_does_not_ring_for_a_lane_somebody_is_on(promised, bell):
    Lane.take(LANE, timedelta(seconds=15))

    keeper.ring(bell)

    assert waiting(bell) == []


def test_the_keeper_does_not_ring_for_what_is_not_due(database, bell):
    outbox.promise("export:17", LANE, Task.EXPORT, 17, timedelta(seconds=10))

    keeper.ring(bell)

    assert waiting(bell) == []


def test_the_keeper_outlives_a_redis_that_is_gone_or_hangs(promised, valkey):
    connection = doorbell.connect(valkey.url)
    valkey.hang()
    keeper.ring(connection)
    valkey.cont()
    valkey.kill()
    keeper.ring(connection)
    valkey.start()

    keeper.ring(connection)

    assert waiting(Redis.from_url(valkey.url)) == [[LANE]]


def test_the_keeper_says_that_it_lives(database, valkey, tmp_path):
    rounds = iter([False, True])

    keeper.run(valkey.url, lambda: next(rounds), tmp_path / "heads.jsonl", lambda: None)

    assert clocks.now() - heartbeats.signs()["keeper"].at < timedelta(seconds=30)


def test_accept_never_talks_to_redis(make_change_order, ana, monkeypatch):
    monkeypatch.setattr("redis.connection.AbstractConnection.connect", lambda *_: pytest.fail("Redis was asked"))
    change_order = make_change_order()

    signed(change_order.id, by=ana, version=change_order.version)

    assert Dispatch.select().count() == 1


def test_draining_a_lane_that_is_taken_does_nothing(app, promised):
    Lane.take(LANE, timedelta(minutes=5))

    with app.app_context():
        tasks.drain(LANE)

    assert Dispatch.get().tries == 0


def test_a_promise_that_breaks_the_worker_holds_up_nobody_else(app, promised, monkeypatch):
    def broken(dispatch, claim):
        outbox.begin(dispatch, timedelta(seconds=30))
        raise ZeroDivisionError

    monkeypatch.setitem(tasks.STEPS, "exports", lambda: broken)

    with app.app_context(), pytest.raises(ZeroDivisionError):
        tasks.drain(LANE)

    assert Dispatch.get().finished_at is None
    assert Lane.take(LANE, timedelta(seconds=15)) is not None
