"""How long a long test is: races, rehearsals and large files run short in `make test` and whole in `make test-all` (`--long`)."""

from collections.abc import Callable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="races, rehearsals and large files at their whole length")


@pytest.fixture(scope="session")
def length(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """`length(200, 40)`: 200 in a long run, 40 in a short one."""
    return lambda whole, short: whole if pytestconfig.getoption("--long") else short
