"""`--today` moves the clock of the portal in the test run and in every process it starts."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from portal import clock
from tests import today
from tests.processes import environment
from tests.today.sitecustomize import AHEAD


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2028-02-29", datetime(2028, 2, 29, 18, tzinfo=UTC)),
        ("2026-12-31T23:30", datetime(2027, 1, 1, 5, 30, tzinfo=UTC)),
        ("2027-03-14T01:50-06:00", datetime(2027, 3, 14, 7, 50, tzinfo=UTC)),
    ],
)
def test_a_date_is_its_midday_and_a_moment_is_local(text, at):
    assert today.moment(text) == at


def test_a_process_of_the_run_lives_on_its_day():
    ahead = timedelta(days=400)
    env = environment(**{AHEAD: ahead.total_seconds(), "PYTHONPATH": today.FOLDER})

    told = subprocess.run(
        [sys.executable, "-c", "from portal import clock; print(clock.now())"], env=env, capture_output=True, text=True, check=True
    )

    real = clock.machine() - today.ahead()
    assert abs(datetime.fromisoformat(told.stdout.strip()) - real - ahead) < timedelta(hours=1)


def test_the_run_itself_lives_on_its_day(pytestconfig):
    wanted = pytestconfig.getoption("today")

    assert not wanted or clock.now() >= wanted
    assert bool(wanted) == bool(today.ahead())
