"""Loaded by each Python that starts with this folder in its PYTHONPATH: its portal lives on the day of the test run."""

import os
from datetime import datetime, timedelta

from portal import clock

AHEAD = "CCO_TESTS_AHEAD_S"  # seconds, which may be negative


def move(seconds: float) -> None:
    def machine() -> datetime:
        return datetime.now(clock.UTC) + timedelta(seconds=seconds)

    clock.machine = machine


if told := os.environ.get(AHEAD):
    move(float(told))
