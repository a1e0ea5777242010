"""A machine with Python and make is enough, and what is written down about it is true."""

import json
import re
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import config
from portal.cli import main
from tests.ports import free_port
from tests.processes import ROOT, alive, environment, eventually
from tests.programs import NEEDED, Missing, chromium, install

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def choose(python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", ".ci/python", python], cwd=ROOT, capture_output=True, text=True)


def test_a_python_that_is_too_old_is_one_sentence(tmp_path: Path) -> None:
    old = program(tmp_path / "python", 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')

    done = choose(old)

    assert done.returncode == 1
    assert (
        done.stderr
        == f"The portal needs Python 3.11 or newer; {old} is Python 3.9.2. Install one, or name it: make run PYTHON=/path/to/python3.11\n"
    )


def test_a_python_without_venv_is_one_sentence(tmp_path: Path) -> None:
    bare = program(tmp_path / "python", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')

    done = choose(bare)

    assert done.returncode == 1
    assert "cannot create virtual environments: install its venv module" in done.stderr


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_pins_everything_with_a_hash(name: str) -> None:
    lock = (ROOT / name).read_text()

    packages = [line for line in lock.splitlines() if line and line[0] not in " #"]

    assert not re.search(r"https?://|--index-url|--find-links", lock)
    assert packages
    assert all(re.match(r"[a-z0-9._-]+==\S+ .*\\$", package) for package in packages)
    assert lock.count("--hash=sha256:") >= len(packages)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    dev = [one for one in groups["dev"] if one != {"include-group": "build"}]
    asked = dict(zip(LOCKS, (project["project"]["dependencies"], dev + groups["build"], groups["build"]), strict=True))

    for name, requirements in asked.items():
        locked = (ROOT / name).read_text()
        for requirement in requirements:
            package, _, version = re.sub(r"\[.*\]|;.*", "", requirement).partition("==")
            package = re.sub(r"[-_.]+", "-", package)  # as the locks write it
            assert re.search(rf"^{package}(\[.*\])?=={re.escape(version) or '.'}", locked, re.MULTILINE), requirement


def test_all_locks_pin_the_same_versions() -> None:
    run, dev, build = (dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS)

    assert run.items() <= dev.items()
    assert build.items() <= dev.items()


def test_make_run_prints_one_line_for_scripts_and_stops_with_a_signal(tmp_path: Path) -> None:
    log, answer = tmp_path / "log", tmp_path / "answer"
    env = environment(PORTAL_DATA=tmp_path / "data", PORTAL_PORT=free_port())
    with log.open("wb") as errors, answer.open("wb") as output:
        make = subprocess.Popen(["make", "run", "ARGS=--json"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
    try:
        eventually(lambda: b"\n" in answer.read_bytes() or make.poll() is not None, 90)
        assert make.poll() is None, log.read_text()
        [line] = answer.read_text().splitlines()
        pids = [process["pid"] for process in json.loads(line)["processes"]]
    finally:
        make.send_signal(signal.SIGTERM)
        make.wait(40)

    eventually(lambda: not any(map(alive, pids)))


def test_a_browser_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")

    with pytest.raises(Missing, match="CHROMIUM names /nowhere/chromium, which is not a program"):
        chromium()


def test_no_browser_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(Missing, match="install the package `chromium`"):
        chromium()


def test_a_system_without_the_headless_shell_gets_the_whole_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "apt-get", f'case "$*" in *headless-shell) exit 100;; esac\necho "$*" >>{tmp_path}/asked')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    install(NEEDED[chromium])

    assert (tmp_path / "asked").read_text().splitlines()[-1] == "-qq install --yes --no-install-recommends chromium"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert list(rows) == list(config.Settings.model_fields)
    for name, field in config.Settings.model_fields.items():
        shown = f"`{field.default}`" if str(field.default) else "-"
        assert rows[name].split(" | ")[0] == shown, name


def test_the_example_of_the_environment_is_what_the_settings_say() -> None:
    example = (ROOT / "deploy" / "portal.env.example").read_text()

    made = CliRunner().invoke(main, ["env"])

    assert made.output == example, "make it again: portal env > deploy/portal.env.example"


def test_the_example_of_the_environment_can_be_used_as_it_is() -> None:
    lines = (ROOT / "deploy" / "portal.env.example").read_text().splitlines()
    given = dict(line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line))

    assert config.load(given).model_dump() == config.load({}).model_dump()


def test_what_the_readme_points_to_is_there() -> None:
    for page in ["README.md", "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
            assert (ROOT / link).exists(), f"{page}: {link}"
