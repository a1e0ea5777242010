"""The drill: people accept and a worker exports; a backup is taken meanwhile; more is exported; the database is lost and restored.

What Spectrum got after the backup the restored database does not know of. Nothing of it may be sent again.
"""

import subprocess
import sys
import threading

import pytest

from portal import db
from portal.background import tasks
from portal.domain import companies, events
from portal.domain.change_orders import Status, load
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from tests.backup.conftest import BACKUP_KEY
from tests.cast import signed
from tests.databases import POSTGRESQL, migrate
from tests.processes import ROOT, environment
from tests.spectrum.process import SimulatorProcess, write_master

pytestmark = pytest.mark.databases_differ("what a database is copied and replaced by while others write")

BEFORE, DURING, AFTER = 4, 8, 4  # change orders accepted before, during and after the backup
LANE = "exports:1"


@pytest.fixture
def database_url(database_kind, request, tmp_path):
    return migrate(request.getfixturevalue("postgres") if database_kind == POSTGRESQL else f"sqlite:///{tmp_path / 'portal.db'}")


@pytest.fixture
def simulator(tmp_path):
    process = SimulatorProcess(tmp_path / "simulator", write_master(tmp_path / "master.json"))
    yield process
    process.kill()


@pytest.fixture
def drain(make_app, simulator):
    """One worker's turn on the lane of exports."""
    app = make_app(SPECTRUM_URL=simulator.url, INFOLINK_SERVER="simulator", PORTAL_DATA=simulator.data.parent)

    def work():
        with app.app_context():
            tasks.drain(LANE)

    return work


@pytest.fixture
def portal(database_url, tmp_path):
    """`portal ...` as a process, beside the others."""

    def run(*arguments):
        env = environment(DATABASE_URL=database_url, PORTAL_DATA=tmp_path, BACKUP_KEY=BACKUP_KEY)
        command = [sys.executable, "-m", "portal.cli", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def accept(ids, ana):
    for id in ids:
        signed(id, by=ana, version=load(id).version)


def in_background(work):
    """Work on a thread with a connection of its own; answers what waits for its end and raises what it raised."""
    failures = []

    def run():
        try:
            with db.connected():
                work()
        except Exception as error:  # noqa: BLE001 -- told to the test
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def wait():
        thread.join(120)
        assert not thread.is_alive()
        assert failures == []

    return wait


def test_what_was_exported_after_the_backup_is_adopted_and_nothing_is_sent_twice(
    make_change_order, ana, simulator, drain, portal, database_url, tmp_path, clock
):
    ids = [make_change_order().id for _ in range(BEFORE + DURING + AFTER)]
    accept(ids[:BEFORE], ana)
    drain()
    is_over = threading.Event()

    def export():
        while not is_over.is_set():
            drain()

    accepting = in_background(lambda: accept(ids[BEFORE : BEFORE + DURING], ana))
    exporting = in_background(export)
    portal("backup", tmp_path / "drill.backup")
    accepting()
    accept(ids[BEFORE + DURING :], ana)
    is_over.set()
    exporting()
    drain()
    assert {load(id).state for id in ids} == {Status.EXPORTED}
    sent = calls(simulator)

    db.database.close()
    if not db.is_sqlite():
        db.database.close_idle()  # this process ends, as far as a restore can see
    portal("restore", tmp_path / "drill.backup", "--replace")
    db.init(database_url)
    db.database.connect()

    assert "is as it was written" in portal("audit", "verify")
    assert Lane.is_paused(LANE)
    forgotten = [id for id in ids if load(id).state is Status.READY]
    assert set(ids[BEFORE + DURING :]) <= set(forgotten), "what was accepted after the backup is not in it"
    accept(forgotten, ana)
    clock.tick(minutes=16)
    while Dispatch.select().where(Dispatch.task.in_([Task.EXPORT, Task.COMPARE_RESTORED]), Dispatch.finished_at.is_null()).exists():
        drain()
        clock.tick(minutes=6)

    assert {load(id).state for id in ids} == {Status.EXPORTED}
    assert {events.history("change_order", id)[-1].action for id in forgotten} == {"adopted"}
    assert calls(simulator) == sent, "nothing was sent again"
    assert [len(one["lines"]) for one in simulator.ledger()] == [1] * len(ids), "each is there once"
    assert not Lane.is_paused(LANE)
    assert events.history("company", companies.current().id)[-1].action == "exports resumed"
    assert "is as it was written" in portal("audit", "verify")


def calls(simulator):
    return len(simulator.journal())
