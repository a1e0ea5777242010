"""A short rehearsal of disasters; `make test-all` has it on both databases, and `make chaos` is the long one."""

import subprocess
import sys

import pytest

from portal.failpoints import POINTS
from tests.chaos import recovery
from tests.chaos.cluster import SECRET_KEY
from tests.chaos.nemesis import NOT_RUNNING
from tests.chaos.run import Rehearsal, Scenario
from tests.processes import ROOT, environment

KILLS, ORDERS = 150, 60
pytestmark = pytest.mark.timeout(600)  # an idle machine needs a minute for each


def test_every_accepted_change_order_is_in_spectrum_once_whatever_dies(database_kind, empty_url, tmp_path):
    scenario = Scenario(seed=1, database=database_kind.removesuffix("ql"), orders=ORDERS, kills=KILLS, passes=1, at_once=4)

    figures = Rehearsal(scenario, tmp_path, empty_url).run()

    assert figures["missed"] == []
    assert figures["kills"] >= KILLS
    assert figures["accepted"] == ORDERS
    assert figures["exported"] + figures["failed"] + figures["unknown"] == ORDERS
    assert figures["violations"] == []
    assert {answer for answer in figures["answers"] if answer.startswith("look")} == {"look 200"}
    assert (figures["lost"], figures["doubled"], figures["strangers"]) == (0, 0, 0)


def test_after_each_fault_work_flows_again_within_its_limit(empty_url, tmp_path):
    times = recovery.rehearse(tmp_path, empty_url)

    assert {name: seconds for name, seconds in times.items() if seconds > recovery.LIMITS_S[name]} == {}


def test_a_migration_that_is_killed_between_any_two_steps_is_finished_by_the_next(empty_url, tmp_path):
    points = tmp_path / "points"
    points.mkdir()
    env = environment(
        PORTAL_DATA=tmp_path, DATABASE_URL=empty_url, SECRET_KEY=SECRET_KEY, SPECTRUM_URL="http://127.0.0.1:9", PORTAL_REHEARSAL=tmp_path
    )

    def migrate(*arguments):
        return subprocess.run([sys.executable, "-m", "portal.cli", "db", *arguments], cwd=ROOT, env=env, capture_output=True, check=False)

    for k in (1, 2, 1):
        (points / "migrate.mid").write_text(f"kill {k}")
        assert migrate("migrate").returncode == -9
    assert migrate("migrate").returncode == 0

    assert migrate("status").returncode == 0
    assert not list(points.iterdir())


def test_the_sweep_passes_every_point_but_those_that_have_a_test_of_their_own():
    assert set(NOT_RUNNING) < set(POINTS)
