"""The image and the compose file: no root, nothing to write but its data, and everything in it that a process needs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import config
from portal.background import doorbell
from tests.conftest import KEY
from tests.processes import ROOT, environment

DEPLOY = ROOT / "deploy"
CONTAINERFILE = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text())
STEPS = [line.split(None, 1) for line in CONTAINERFILE.splitlines() if line and not line.startswith("#")]
FINAL = STEPS[max(number for number, (step, _) in enumerate(STEPS) if step == "FROM") :]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "portal"}


def of(step):
    return [text for name, text in FINAL if name == step]


def copied():
    """What the image has of the project, with where it goes."""
    for text in of("COPY"):
        *sources, target = [part for part in text.split() if not part.startswith("--")]
        if "--from=" not in text and not target.startswith("/"):
            yield from ((source, target) for source in sources)


@pytest.fixture
def image(tmp_path):
    """The project's part of the image, in a folder."""
    for source, target in copied():
        path = ROOT / source
        place = tmp_path / target / path.name if target.endswith("/") or target == "." else tmp_path / target
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if path.is_dir() else shutil.copy)(path, place)
    return tmp_path


def run(image, *command, **settings):
    data = image / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    env = environment(SECRET_KEY=KEY, PORTAL_DATA=data, PYTHONPATH=image, **settings)
    return subprocess.run([sys.executable, "-P", *command], cwd=image, env=env, capture_output=True, text=True, timeout=120)


def test_the_image_is_of_no_root_and_locked_packages():
    assert of("USER") == ["10001:10001"]
    assert any("--require-hashes -r /requirements.lock" in text for name, text in STEPS if name == "RUN")
    assert not [text for _, text in STEPS if "latest" in text or "ADD " in text or "sudo" in text]
    assert all(re.search(r":[\w.-]+", text) for name, text in STEPS if name == "FROM")
    assert "/healthz" in " ".join(of("HEALTHCHECK"))


def test_the_linter_takes_the_image():
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), DEPLOY / "Containerfile"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_there_and_nothing_of_it_is_kept_out_of_the_build():
    kept = [line[1:] for line in (DEPLOY / "Containerfile.dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = {source for text in of("COPY") if "--from=" not in text for source in text.split()[:-1] if not source.startswith("--")}

    assert sources | {"requirements.lock"} == set(kept)
    assert all((ROOT / source).exists() for source in kept)


def test_the_files_of_the_image_are_enough_for_every_command(image):
    portal = run(image, "-c", "import portal, config; print(portal.__file__, config.__file__)")
    migrated = run(image, "-m", "portal.cli", "db", "migrate")
    checked = run(image, "-m", "portal.cli", "check", "--settings")
    web = run(image, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--check-config", "--no-control-socket", "portal:create_app()")

    assert portal.stdout.split() == [str(image / "portal" / "__init__.py"), str(image / "config.py")]
    assert (migrated.returncode, checked.returncode, web.returncode) == (0, 0, 0), migrated.stderr + checked.stderr + web.stderr


def test_every_process_is_a_service_that_may_do_little():
    commands = {name: " ".join(one.get("command", [])) for name, one in OURS.items()}

    assert {f"python worker.py {queue}" for queue in doorbell.QUEUES} | {"portal keeper"} <= set(commands.values())
    for one in OURS.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in one


def test_a_send_that_is_under_way_may_end():
    assert OURS["exports"]["stop_grace_period"] == "150s"
    assert config.Settings.model_fields["SPECTRUM_DEADLINE_S"].default < 150


def test_nothing_but_the_web_server_is_on_a_port_and_that_for_the_proxy_alone():
    ports = {name: one["ports"] for name, one in COMPOSE["services"].items() if "ports" in one}

    assert ports == {"web": ["127.0.0.1:8000:8000"]}
    assert "listen_addresses=" in COMPOSE["services"]["database"]["command"]
    assert COMPOSE["services"]["redis"]["command"][1:3] == ["--port", "0"]
    assert "noeviction" in COMPOSE["services"]["redis"]["command"]


def test_the_settings_of_the_services_are_those_of_the_portal():
    names = {name.removesuffix("_FILE") for one in OURS.values() for name in one["environment"]}

    assert names <= set(config.Settings.model_fields)
    assert set(COMPOSE["secrets"]) == {"secret_key", "backup_key"}
