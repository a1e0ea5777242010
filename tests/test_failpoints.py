"""Fail-points and the clock of a rehearsal: exact where a rehearsal runs, absent anywhere else."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

import config
from portal import clock, failpoints

LOCAL = {"SPECTRUM_URL": "http://127.0.0.1:9"}


@pytest.fixture
def stage(tmp_path, monkeypatch):
    (tmp_path / "points").mkdir()
    monkeypatch.setattr(clock, "system", clock.system)
    monkeypatch.setattr(clock, "steady", clock.steady)
    monkeypatch.setattr(failpoints, "_scenario", None)
    failpoints.begin(config.load(LOCAL | {"PORTAL_REHEARSAL": str(tmp_path), "PORTAL_REHEARSAL_NAME": "one"}))
    return tmp_path


@pytest.mark.parametrize("point", failpoints.POINTS)
def test_without_a_rehearsal_a_point_does_nothing(point, tmp_path, monkeypatch):
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / point).write_text("raise 1")
    monkeypatch.chdir(tmp_path)
    before = clock.system

    failpoints.begin(config.load(LOCAL))
    failpoints.hit(point)

    assert clock.system is before


@pytest.mark.parametrize(
    "real", [{"SPECTRUM_URL": "https://spectrum.example.com:8482"}, {}, LOCAL | {"PORTAL_URL": "https://portal.example.com"}]
)
def test_a_rehearsal_is_refused_where_anything_is_real(real, tmp_path):
    with pytest.raises(config.ConfigError, match="PORTAL_REHEARSAL is set, which is for tests only"):
        config.load(real | {"PORTAL_REHEARSAL": str(tmp_path)})


def test_the_third_pass_acts_and_only_once(stage):
    (stage / "points" / "wake.before").write_text("raise 3")

    failpoints.hit("wake.before")
    failpoints.hit("wake.before")
    with pytest.raises(failpoints.Rehearsed):
        failpoints.hit("wake.before")
    failpoints.hit("wake.before")

    assert [line.split()[1:] for line in (stage / "reached.log").read_text().splitlines()] == [
        ["wake.before", "raise", str(os.getpid()), "one"]
    ]


def test_the_clock_runs_as_told_and_can_differ_by_process(stage):
    (stage / "clock.json").write_text(
        json.dumps({"started": clock.machine().timestamp(), "speed": 3600, "offset_s": 5, "offset_s.one": 86400})
    )

    ahead = clock.now() - clock.machine()

    assert ahead > timedelta(days=1)


def test_the_steady_clock_runs_as_fast_and_is_never_off(stage):
    before = clock.up()
    (stage / "clock.json").write_text(json.dumps({"started": clock.machine().timestamp(), "speed": 3600, "offset_s": 86400}))

    assert timedelta(0) < clock.up() < before * 3600 + timedelta(days=1)
    assert clock.up() > before * 3600


@pytest.mark.parametrize(("action", "code"), [("kill", -9), ("exit", 70)])
def test_a_process_that_reaches_its_point_is_gone(action, code, tmp_path):
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "wake.before").write_text(f"{action} 1")
    program = "import config; from portal import failpoints; failpoints.begin(config.load()); failpoints.hit('wake.before'); print('alive')"

    ended = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | LOCAL | {"PORTAL_REHEARSAL": str(tmp_path)}, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (code, b"")
