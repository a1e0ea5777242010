"""Processes killed, frozen and thawed at a chosen point: nothing is lost, nothing doubled, and what no one can prevent is found."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from portal import clock as clocks
from portal.background import doorbell, tasks
from portal.domain import events
from portal.domain.change_orders import Status, load
from portal.domain.events import Event
from portal.domain.exporting import send
from portal.domain.exporting.exports import Attempt
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import reconcile
from tests.cast import signed
from tests.faults.conftest import SECRET
from tests.processes import ROOT, Process, alive, environment, eventually
from tests.worker import GOOD, TIMEOUT, turn

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

AGAIN_AND_AGAIN = 10  # turns of the worker; from unknown to rest it takes five


@pytest.fixture
def stage(tmp_path):
    """Arms a point: `stage("send.body_sent", "stop")`; the answer says whether somebody has reached it."""
    (tmp_path / "points").mkdir()
    reached = tmp_path / "reached.log"

    def arm(point, action):
        (tmp_path / "points" / point).write_text(f"{action} 1")
        return lambda: reached.exists() and point in reached.read_text()

    return arm


@pytest.fixture
def surroundings(database_url, simulator, tmp_path):
    return {
        "DATABASE_URL": database_url,
        "SPECTRUM_URL": simulator.url,
        "INFOLINK_SERVER": "simulator",
        "SECRET_KEY": SECRET,
        "PORTAL_DATA": simulator.data.parent,
        "PORTAL_REHEARSAL": tmp_path,
    }


@pytest.fixture
def drainer(surroundings, tmp_path):
    """A worker's turn as a process of its own."""
    process = Process([sys.executable, "-m", "portal.cli", "exports", "drain"], tmp_path / "drain.log", environment(**surroundings))
    yield process
    process.kill()


def until_rest(change_order, erp, drain, clock):
    """The next workers have their turns, four minutes apart."""
    for _ in range(AGAIN_AND_AGAIN):
        if load(change_order.id).state is Status.EXPORTED:
            break
        clock.tick(minutes=4)
        drain(erp)
    return load(change_order.id).state


def amounts(simulator):
    return [line["Change_Request_Amount"] for request in simulator.ledger() for line in request["lines"]]


@pytest.mark.parametrize(("point", "recorded"), [("accept.before_commit", []), ("accept.after_commit", ["accepted"])])
def test_a_decision_of_a_process_that_is_killed_is_recorded_whole_or_not_at_all_and_can_be_repeated(
    make_change_order, ana, surroundings, stage, point, recorded
):
    """F01, F02; also F09, since a server that gives up a slow request kills its process"""
    change_order = make_change_order()
    stage(point, "kill")
    program = (
        "import sys, config; from portal import db, failpoints; from portal.domain import change_orders, people; "
        "from portal.domain.review import decisions, signature; "
        "settings = config.load(); "
        "failpoints.begin(settings); db.init(settings.DATABASE_URL); db.database.connect(); "
        "id, by, version = map(int, sys.argv[1:]); "
        "decisions.accept(id, people.by_id(by), version, signature.marks(change_orders.load(id)))"
    )

    arguments = [sys.executable, "-c", program, *map(str, (change_order.id, ana.id, change_order.version))]
    ended = subprocess.run(arguments, cwd=ROOT, env=environment(**surroundings), capture_output=True, check=False)

    def verdicts():
        return [event.action for event in events.history("change_order", change_order.id)][2:]

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert verdicts() == recorded
    assert signed(change_order.id, by=ana, version=change_order.version).state is Status.QUEUED
    assert verdicts() == ["accepted"]
    assert Dispatch.select().count() == 1


@pytest.mark.parametrize("point", ["send.half_body", "send.body_sent", "settle.before_commit"])
def test_a_worker_killed_in_mid_send_leaves_a_doubt_that_is_settled_without_a_double(
    accept, erp, simulator, drain, clock, drainer, stage, point
):
    """F18, F19: the sweep of tests/chaos kills at every point"""
    change_order = accept()
    stage(point, "kill")
    drainer.start()
    eventually(drainer.ended)
    clock.tick(minutes=3)
    drain(erp)
    assert load(change_order.id).state is Status.UNKNOWN

    assert until_rest(change_order, erp, drain, clock) is Status.EXPORTED
    assert amounts(simulator) == ["4250.00"]
    assert len(simulator.journal()) == 1  # half a request is none


@pytest.mark.parametrize("point", ["claim.after_commit", "preflight.after"])
def test_a_worker_frozen_before_its_fence_sends_nothing_when_it_thaws(accept, erp, simulator, drain, clock, drainer, stage, point):
    """F21"""
    change_order = accept()
    reached = stage(point, "stop")
    drainer.start()
    eventually(reached)
    clock.tick(minutes=3)

    drain(erp)  # another worker has taken the lane over
    drainer.cont()
    eventually(drainer.ended)

    assert load(change_order.id).state is Status.EXPORTED
    assert len(simulator.journal()) == 1


@pytest.mark.parametrize(("repeat", "stored"), [("upsert", ["4250.00"]), ("append", ["4250.00", "4250.00"])])
def test_a_worker_frozen_behind_its_fence_for_longer_than_the_quiet_window_doubles_only_where_spectrum_appends_and_the_night_tells(
    accept, erp, simulator, drain, clock, drainer, stage, repeat, stored
):
    """F20: the one double that nothing can prevent, and how it is found"""
    simulator.options(repeat=repeat)
    change_order = accept()
    reached = stage("exporting.after_commit", "stop")  # the attempt is committed, nothing is sent yet
    drainer.start()
    eventually(reached)
    assert until_rest(change_order, erp, drain, clock) is Status.EXPORTED

    drainer.cont()
    eventually(drainer.ended)
    assert amounts(simulator) == stored
    reconcile.plan()
    clock.set(Dispatch.get(Dispatch.task == Task.COMPARE).due_at)
    drain(erp)

    assert load(change_order.id).state is Status.EXPORTED
    assert bool(load(change_order.id).differs) is (repeat == "append")
    simulator.options(repeat="upsert")


def test_a_machine_that_sleeps_for_two_hours_in_mid_send_doubles_nothing(accept, erp, simulator, drain, clock, drainer, stage):
    """F52"""
    change_order = accept()
    reached = stage("send.body_sent", "stop")
    drainer.start()
    eventually(reached)
    eventually(simulator.ledger)
    clock.tick(hours=2)

    drainer.cont()
    eventually(drainer.ended)

    assert until_rest(change_order, erp, drain, clock) is Status.EXPORTED
    assert len(simulator.journal()) == 1


@pytest.fixture
def worker_at_work(accept, simulator, surroundings, make_worker, bell):
    """A worker whose horse is in the midst of a slow call; answers both and the change order."""
    change_order = accept()
    simulator.fail("delay", seconds=2, times=1)
    worker = make_worker("exports", **surroundings)
    doorbell.ring(bell, "exports", [change_order.company.lane])
    eventually(lambda: Attempt.select().where(Attempt.ended_at.is_null(), Attempt.kind == "send").exists())
    return worker, child_of(worker.pid), change_order


def child_of(parent):
    """The one child of a process."""
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


def test_a_horse_whose_rider_is_killed_finishes_and_settles_once(worker_at_work, simulator, bell):
    """F17, R4"""
    worker, horse, change_order = worker_at_work

    worker.kill()
    assert alive(horse)
    doorbell.ring(bell, "exports", [change_order.company.lane])

    eventually(lambda: load(change_order.id).state is Status.EXPORTED)
    assert len(simulator.journal()) == 1


def test_a_worker_that_is_told_to_stop_finishes_what_it_sends(worker_at_work, simulator):
    """F58: a deployment in mid send"""
    worker, _, change_order = worker_at_work

    assert worker.stop() == 0

    assert load(change_order.id).state is Status.EXPORTED
    assert len(simulator.journal()) == 1


def test_a_host_ten_minutes_ahead_takes_a_lane_over_and_sends_nothing_early(accept, clock):
    """F51: to it the lease of the other has run out, and the quiet window begins ten minutes sooner"""
    change_order = accept()
    claim = Lane.take(change_order.company.lane, tasks.LEASE)
    dispatch = Dispatch.get(Dispatch.task == Task.EXPORT)

    def call(*_):
        with clocks.shifted(timedelta(minutes=10)):
            assert turn(change_order) == []  # sends nothing, finds the open attempt
            assert load(change_order.id).state is Status.UNKNOWN
        return GOOD

    with pytest.raises(Lost):
        send.step(dispatch, claim, call)

    assert [attempt.outcome for attempt in Attempt.select().order_by(Attempt.id)] == ["lost", "sent"]
    clock.tick(minutes=20)
    assert turn(change_order, TIMEOUT) == []
    assert load(change_order.id).state is Status.EXPORTED
    assert Event.select().where(Event.action == "exporting").count() == 1
