"""Where the attacks take place."""

from datetime import UTC, datetime

import pytest


@pytest.fixture(autouse=True)
def clock(clock):
    """Time stands still on a Monday morning: the same requests get the same answers every day."""
    clock.set(datetime(2026, 11, 23, 15, tzinfo=UTC))
    return clock
