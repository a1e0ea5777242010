"""Note how long each test took, without the case in brackets; a plugin for the one run that measures."""

import os
from pathlib import Path

TIMES = Path(os.environ["REACH_TIMES"])


def pytest_configure(config):
    TIMES.write_text("")


def pytest_runtest_logreport(report):
    with TIMES.open("a") as file:
        file.write(f"{report.duration:.3f}\t{report.nodeid.partition('[')[0]}\n")
