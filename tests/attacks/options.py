"""How long and from which seed the fuzzer asks: `make test ARGS="-k fuzz --fuzz 1000000 --fuzz-seed tonight"`."""

import pytest

SHORT = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=SHORT, help=f"requests that the route fuzzer sends in all ({SHORT})")
    parser.addoption("--fuzz-seed", default="steady", help="any word; another one makes other requests")
