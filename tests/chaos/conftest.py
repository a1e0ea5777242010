"""The office in which the checker is tried: see variants_office.py."""

from types import SimpleNamespace

import pytest

from portal import failpoints
from tests.chaos.variants_office import Office
from tests.spectrum.process import MASTER, SimulatorProcess, write_master

PHASES = [*MASTER["phases"], {"company": "ABC", "job": "24-117", "phase": "162100", "cost_type": "SUB", "status": "A"}]


@pytest.fixture(scope="module")
def simulator_process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectrum")
    process = SimulatorProcess(folder / "simulator", write_master(folder / "master.json", phases=PHASES))
    yield process
    process.kill()


@pytest.fixture(scope="module")
def wsdl(tmp_path_factory):
    return tmp_path_factory.mktemp("wsdl")


@pytest.fixture
def office(tmp_path, database_url, simulator_process, clock, wsdl, app, make_change_order, monkeypatch):
    simulator_process.start_over()
    folder = tmp_path / "evidence"
    office = Office(folder, database_url, simulator_process, clock, wsdl, app, make_change_order)
    monkeypatch.setattr(failpoints, "hit", office.reach)
    return office


@pytest.fixture
def cast(ana, lee, dee, ada):
    return SimpleNamespace(ana=ana, lee=lee, dee=dee, ada=ada)
