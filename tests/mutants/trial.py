"""Try mutants: each in a copy of the checkout, against the tests that reach its line, quickest first, until one fails."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import pytest

import portal.cli  # noqa: F401 children find its libraries loaded
import tests.conftest  # noqa: F401
from tests.mutants.operators import Mutant
from tests.mutants.reach import ROOT

# Seconds that one mutant may take, many times what its tests take; a test that hangs is no catch.
PATIENCE_S = 900


class Verdict(StrEnum):
    CAUGHT = "caught"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    UNREACHED = "unreached"


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """A folder with every file that Git knows, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name in listed.split("\0")[:-1]:
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy)
        yield Path(folder)


def attempt(mutant: Mutant, tests: list[str], folder: Path) -> Verdict:
    """Run the tests with the mutant in place; the copy is whole again afterwards."""
    if not tests:
        return Verdict.UNREACHED
    module = folder / mutant.path
    whole = module.read_text()
    module.write_text(mutant.source)
    try:
        return verdict(run(tests, folder))
    finally:
        module.write_text(whole)


def verdict(code: int | None) -> Verdict:
    if code is None:
        return Verdict.TIMED_OUT
    return Verdict.SURVIVED if code == pytest.ExitCode.OK else Verdict.CAUGHT


def run(tests: list[str], folder: Path) -> int | None:
    """The exit code of pytest in a child that has all libraries already; None after PATIENCE_S seconds."""
    if not (child := os.fork()):
        os._exit(in_child(tests, folder))
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return None


def in_child(tests: list[str], folder: Path) -> int:
    os.setsid()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("portal", "tests", "config", "worker")]:
        del sys.modules[name]
    sys.dont_write_bytecode = True
    with Path(os.devnull).open("w") as nowhere, suppress(OSError):
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    return int(
        pytest.main(["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--database", "sqlite", "--rootdir", str(folder), *tests])
    )
