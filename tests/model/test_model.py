"""Whatever users, files, systems, settings, clocks and dying workers do, in whatever order: what is signed is what arrives, once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.model import mutations, run
from tests.model.ground import migrated


@pytest.fixture(scope="module")
def file(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that each example begins with."""
    return migrated(tmp_path_factory.mktemp("model"))


def test_what_is_signed_arrives_once_nobody_decides_what_they_shaped_and_who_waits_is_told(file):
    run.run(file, run.EXAMPLES, run.STEPS)


@pytest.mark.parametrize("fault", mutations.FAULTS.values(), ids=mutations.FAULTS)
def test_the_model_finds_the_fault_when_it_is_put_back(fault: Callable[[pytest.MonkeyPatch], None], file):
    examples, _, said = mutations.find(fault, file)

    assert examples <= mutations.ENOUGH
    assert said
