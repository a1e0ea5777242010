"""The checker finds nothing wrong with the portal as it is, and something with each of its broken variants."""

from types import SimpleNamespace

import pytest

from portal import rehearsal
from tests.chaos.checker import INVARIANTS
from tests.chaos.variants import VARIANTS
from tests.chaos.variants_office import Office
from tests.spectrum.process import MASTER, SimulatorProcess, write_master

PHASES = [*MASTER["phases"], {"company": "ABC", "job": "24-117", "phase": "162100", "cost_type": "SUB", "status": "A"}]
STORIES = sorted({variant.story for variant in VARIANTS}, key=lambda story: story.__name__)


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
    monkeypatch.setattr(rehearsal, "reach", office.reach)
    return office


@pytest.fixture
def cast(ana, lee, dee, ada):
    return SimpleNamespace(ana=ana, lee=lee, dee=dee, ada=ada)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_portal_as_it_is_breaks_nothing(office, cast, story):
    story(office, cast)

    assert [str(violation) for violation in office.violations()] == []


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_broken_portal_is_caught(office, cast, variant, monkeypatch):
    variant.break_it(monkeypatch, office)

    variant.story(office, cast)

    found = {violation.invariant for violation in office.violations()}
    assert set(variant.caught_by) <= found, office.violations()


def test_every_invariant_can_fail():
    caught = {name for variant in VARIANTS for name in variant.caught_by}

    assert caught == {invariant.__name__ for invariant in INVARIANTS}
