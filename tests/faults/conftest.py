"""What faults happen to: Spectrum with empty books, workers and keepers as processes, a database in a file of its own."""

import sys
from pathlib import Path

import pytest
from redis import Redis

from portal import db
from portal.background import doorbell, tasks
from portal.domain.change_orders import load
from tests.cast import signed
from tests.processes import Process, Valkey, environment
from tests.spectrum.process import SimulatorProcess, write_master

SECRET = "for tests only " * 3


class Worker(Process):
    """`python worker.py QUEUE`."""

    def __init__(self, queue: str, valkey: Valkey, folder: Path, name: str = "", **settings: object) -> None:
        self.redis = Redis.from_url(valkey.url)
        env = environment(**{"REDIS_URL": valkey.url, "SECRET_KEY": SECRET, "PORTAL_DATA": folder, **settings})
        super().__init__([sys.executable, "worker.py", queue], folder / f"{queue}{name}.log", env)

    def ready(self) -> bool:
        return any(self.redis.hget(key, "pid") == str(self.pid).encode() for key in self.redis.smembers("rq:workers"))


class Keeper(Process):
    """`portal keeper`."""

    def __init__(self, valkey: Valkey, folder: Path, **settings: object) -> None:
        env = environment(REDIS_URL=valkey.url, PORTAL_DATA=folder, **settings)
        super().__init__([sys.executable, "-m", "portal.cli", "keeper"], folder / "keeper.log", env)


@pytest.fixture
def make_worker(database_url, valkey, tmp_path):
    """Starts a worker on the queue and ends it after the test."""
    started = []

    def make(queue, **settings):
        process = Worker(queue, valkey, tmp_path, str(len(started)), **{"DATABASE_URL": database_url, **settings})
        started.append(process)
        process.start()
        return process

    yield make
    for process in started:
        process.stop()


@pytest.fixture
def make_keeper(database_url, valkey, tmp_path):
    """A keeper of the database, not started yet."""
    made = []

    def make(**settings):
        made.append(Keeper(valkey, tmp_path, DATABASE_URL=database_url, **settings))
        return made[-1]

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def bell(valkey):
    return doorbell.connect(valkey.url)


@pytest.fixture(scope="module")
def simulator_process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("erp")
    process = SimulatorProcess(folder / "simulator", write_master(folder / "master.json"))
    yield process
    process.kill()


@pytest.fixture
def simulator(simulator_process):
    """Spectrum, with empty books."""
    simulator_process.start_over()
    return simulator_process


@pytest.fixture
def erp(make_app, simulator):
    """The application, connected to the simulator and to its tables."""
    return make_app(SPECTRUM_URL=simulator.url, INFOLINK_SERVER="simulator", PORTAL_DATA=simulator.data.parent)


@pytest.fixture
def accept(make_change_order, ana):
    """A change order that Ana has accepted."""

    def accepted(**given):
        change_order = make_change_order(**given)
        signed(change_order.id, by=ana, version=change_order.version)
        return load(change_order.id)

    return accepted


@pytest.fixture
def drain():
    """One worker's turn on the lane of exports."""

    def work(app, lane="exports:1"):
        with app.app_context():
            tasks.drain(lane)

    return work


@pytest.fixture
def file_url(tmp_path):
    """A migrated SQLite file, for faults that only a file can have."""
    url = f"sqlite:///{tmp_path / 'portal.db'}"
    db.init(url)
    with db.connected():
        db.migrate()
    return url
