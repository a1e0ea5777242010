"""The simulator, the client that talks to it, and one line that Spectrum takes."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.spectrum.client import Spectrum
from portal.spectrum.records import Header, Line, elements
from tests.spectrum.process import SimulatorProcess, write_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_master(tmp_path_factory.mktemp("master") / "master.json")


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory, master: Path) -> Iterator[SimulatorProcess]:
    """One process for all tests: it takes longer to start than a test to run."""
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"), master)
    yield process
    process.kill()


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    """The real simulator with empty books and no faults."""
    simulator_process.start_over()
    return simulator_process


@pytest.fixture
def spectrum(simulator: SimulatorProcess, tmp_path: Path) -> Spectrum:
    return Spectrum(simulator.url, "PORTALTEST", tmp_path / "wsdl", connect_s=5, deadline_s=10)


@pytest.fixture
def record() -> Callable[..., dict[str, str]]:
    """Elements 3-56 of a line that the simulator takes, with changes."""

    def make(**changes: Any) -> dict[str, str]:
        header = Header("ABC", "24-117", "NORTHSIDE", "S014-003", "CCO-003: Relocate duct bank", "CR", False, date(2026, 5, 18))
        line = Line("16-2000", "SUB", Decimal("4250.00"), "VOLTCO", "SC-014", "P", "Relocate duct bank", "Portal CCO 17")
        return {**elements(header, line), **changes}

    return make
