"""What befalls the worker: time-outs struck from outside, no file handles, poison, a crowd before it, a Spectrum that is away for hours."""

import subprocess
import sys
from datetime import timedelta

import pytest
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from portal import failpoints
from portal.background import tasks
from portal.domain.change_orders import Status, load
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Attempt
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from tests.processes import ROOT, environment, eventually
from tests.worker import CLOSED, GOOD, TIMEOUT, Tables, turn, work

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")


def at_rest(change_order, erp, drain, clock, turns=4):
    """The next workers have their turns, each when the lease of the one before has run out."""
    while turns and load(change_order.id).state is not Status.EXPORTED:
        turns -= 1
        clock.tick(minutes=3)
        drain(erp)
    return load(change_order.id).state


def test_a_time_out_of_rq_in_mid_send_leaves_doubt_and_no_second_send(accept, erp, simulator, drain, clock, monkeypatch):
    """F22"""
    change_order, penalty = accept(), UnixSignalDeathPenalty(1, JobTimeoutException)
    simulator.fail("delay", seconds=3, times=1)

    with monkeypatch.context() as patch, pytest.raises(JobTimeoutException):
        patch.setattr(failpoints, "hit", lambda point: point == "send.body_sent" and penalty.setup_death_penalty())
        drain(erp)
    penalty.cancel_death_penalty()
    assert [attempt.ended_at for attempt in Attempt.select().where(Attempt.kind == "send")] == [None]
    eventually(simulator.ledger)
    clock.tick(minutes=3)
    drain(erp)
    assert load(change_order.id).state is Status.UNKNOWN

    assert at_rest(change_order, erp, drain, clock) is Status.EXPORTED
    assert len(simulator.journal()) == 1


def test_a_time_out_of_rq_while_an_answer_is_written_down_leaves_doubt_and_no_second_send(
    accept, erp, simulator, drain, clock, monkeypatch
):
    """F22, R6"""
    change_order = accept()

    def strike(*_, **__):
        raise JobTimeoutException

    with monkeypatch.context() as patch:
        patch.setattr(exports, "close_attempt", strike)
        with pytest.raises(JobTimeoutException):
            drain(erp)

    assert at_rest(change_order, erp, drain, clock) is Status.EXPORTED
    assert len(simulator.journal()) == 1


def test_a_spectrum_that_is_away_for_eight_hours_costs_time_and_the_line_goes_out_in_its_order(clock, accept):
    """F37"""
    orders = [accept(lines=[("16-2000", "SUB", f"{amount}.00")]) for amount in (1, 2, 3) if clock.tick(seconds=1) is None]
    clock.tick(minutes=1)
    for _ in range(8 * 6):
        turn(orders[0], *[CLOSED] * 3)
        assert {load(order.id).state for order in orders} == {Status.QUEUED}
        clock.tick(minutes=10)

    clock.tick(hours=1)
    asked = turn(orders[0], *[GOOD] * 3)

    assert [elements["Change_Request_Amount"] for elements, _ in asked] == ["1.00", "2.00", "3.00"]
    assert {load(order.id).state for order in orders} == {Status.EXPORTED}


def test_a_page_full_of_promises_in_front_does_not_keep_the_next_one_waiting(clock, accept):
    """F62: those in front have an outcome nobody knows and need a person; nothing is read back"""
    doubtful = accept()
    turn(doubtful, TIMEOUT)
    assert load(doubtful.id).state is Status.UNKNOWN
    rows = [
        {"key": f"doubt:{n}", "lane": doubtful.company.lane, "task": Task.EXPORT, "subject": doubtful.export, "due_at": clock.now()}
        for n in range(200)
    ]
    Dispatch.insert_many(rows).execute()
    clock.tick(seconds=1)
    ready = accept()

    turn(ready, GOOD)

    assert load(ready.id).state is Status.EXPORTED
    assert load(doubtful.id).state is Status.UNKNOWN


@pytest.mark.parametrize("limit", ["ulimit -n 10", "ulimit -v 120000", "ulimit -v 150000", "ulimit -v 180000"])
def test_a_worker_without_file_handles_or_memory_dies_or_works_and_doubles_nothing(
    accept, erp, simulator, drain, clock, database_url, tmp_path, limit
):
    """F63. Where it dies depends on the machine: before it begins a line, after it, or in between, which leaves a doubt of half an hour."""
    change_order = accept()
    settings = {
        "DATABASE_URL": database_url,
        "SPECTRUM_URL": simulator.url,
        "INFOLINK_SERVER": "simulator",
        "SECRET_KEY": "for tests only " * 3,
        "PORTAL_DATA": simulator.data.parent,
    }

    subprocess.run(
        ["sh", "-c", f'{limit}; exec "$0" -m portal.cli exports drain', sys.executable],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        check=False,
    )

    assert at_rest(change_order, erp, drain, clock, turns=20) is Status.EXPORTED
    assert len(simulator.journal()) == 1


@pytest.fixture
def doubtful(clock, accept):
    """Its outcome is unknown since this moment, and Spectrum holds nothing of it."""
    change_order = accept()
    clock.tick(minutes=1)
    turn(change_order, TIMEOUT)
    return change_order


@pytest.mark.parametrize("forward", [{"hours": 1}, {"days": 400}])
def test_a_clock_put_forward_sends_nothing_before_a_second_reading_five_minutes_later(doubtful, clock, forward):
    """F50"""
    tables = Tables()
    clock.tick(**forward)

    assert work(doubtful, read=tables) == []
    clock.tick(minutes=4)
    assert work(doubtful, read=tables) == []
    assert load(doubtful.id).state is Status.UNKNOWN
    clock.tick(minutes=2)
    assert work(doubtful, read=tables) == []
    assert work(doubtful, GOOD, read=tables) == ["4250.00"]
    assert load(doubtful.id).state is Status.EXPORTED


@pytest.mark.parametrize("back", [{"hours": -1}, {"days": -1}])
def test_a_clock_put_back_delays_and_sends_nothing_early(doubtful, clock, back):
    """F50"""
    tables = Tables()
    clock.tick(**back)

    assert work(doubtful, read=tables) == []
    clock.tick(days=2)
    tables.put(1)
    work(doubtful, read=tables)

    assert load(doubtful.id).state is Status.EXPORTED


def test_a_lane_held_in_the_future_by_a_clock_that_was_put_back_is_free_again_in_time(database, company, clock):
    """F50, F51: a lease is a matter of minutes by the same clock"""
    Lane.take(company.lane, tasks.LEASE)
    clock.tick(minutes=-10)
    assert Lane.take(company.lane, tasks.LEASE) is None

    clock.tick(minutes=10, seconds=tasks.LEASE.total_seconds() + 1)

    assert Lane.take(company.lane, timedelta(seconds=15)) is not None
