"""Which tests run which line: one run of the quick tests under coverage, kept beside the checkout's other test results."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[2]
DATA = ROOT / "test-results" / "reach.coverage"
TIMES = ROOT / "test-results" / "reach.times"
# Tests that start processes, browsers or long stories: they cover much, and say little of one line.
SLOW = ("browser", "faults", "chaos", "standalone", "model", "attacks", "mutants")


def measure(folder: Path):
    """Run the quick tests on SQLite in the folder, a copy of the checkout; each line remembers the tests that reached it.

    Raises CalledProcessError where a test fails without any mutant.
    """
    DATA.parent.mkdir(exist_ok=True)
    settings = DATA.with_suffix(".ini")
    settings.write_text(
        f"[run]\ndata_file = {DATA}\nsource = portal\nbranch = true\nrelative_files = true\ndynamic_context = test_function\n"
    )
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest", "-q", "--database", "sqlite"]
    command += ["-p", "no:randomly", "-p", "tests.mutants.times", *(f"--ignore=tests/{folder}" for folder in SLOW)]
    subprocess.run(command, cwd=folder, env=os.environ | {"REACH_TIMES": str(TIMES)}, check=True)


def by_line() -> dict[str, dict[int, set[str]]]:
    """{path of a module: {line: names of the tests that reach it}}; names as coverage writes them, `tests.rules.test_checks.test_...`."""
    data = coverage.CoverageData(str(DATA))
    data.read()
    reached: dict[str, dict[int, set[str]]] = defaultdict(dict)
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            reached[file][line] = {context for context in contexts if context}
    return reached


def durations() -> dict[str, tuple[str, float]]:
    """{name of a test as coverage writes it: (its address for pytest, seconds of all its cases)}."""
    seconds: dict[str, tuple[str, float]] = {}
    for line in TIMES.read_text().splitlines():
        took, address = line.split("\t")
        file, _, function = address.partition("::")
        name = f"{file.removesuffix('.py').replace('/', '.')}.{function}"
        seconds[name] = address, seconds.get(name, ("", 0.0))[1] + float(took)
    return seconds
