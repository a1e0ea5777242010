"""The installation page is followed literally: every block of commands for a server, in an empty folder instead of the root.

Users, systemd and the package index, which only a server has, are played by programs that stand first on PATH; all else is real.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.docs import handbook
from tests.processes import ROOT, environment

PAGE = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8").partition("## In containers")[0]
BLOCKS = [block for language, block in handbook.FENCE.findall(PAGE) if language == "sh"]
PLACES = re.compile(r"(?<![\w.])(?=/(?:opt/portal|etc/(?:portal|systemd)|var/lib/portal|var/backups|usr/local/bin)\b)")
PROJECT = (
    "config.py",
    "worker.py",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "requirements.lock",
    "portal",
    "templates",
    "static",
    "deploy",
)
PLAYED = {
    "useradd": "",
    "chown": "",
    "make": """
test "$*" = .venv/installed
PYTHON -m venv --without-pip .venv
echo PACKAGES > "$(echo .venv/lib/python3.*/site-packages)/needed.pth"
UV pip install --quiet --offline --no-deps --no-build-isolation --python .venv/bin/python --editable .""",
    "install": """
for word; do shift; case $word in -o|-g) skip=1;; *) [ "$skip" ] && skip= || set -- "$@" "$word";; esac; done
exec INSTALL "$@\"""",
    "systemd-run": """
for word; do case $word in --property=EnvironmentFile=*) set -a; . "${word##*=}"; set +a;; esac; done
while [ "${1#--}" != "$1" ]; do shift; done
exec "$@\"""",
    "systemctl": """
for word; do
    case $word in
        daemon-reload|enable|--now) continue;;
        start) started=1; continue;;
    esac
    file=UNITS/$word; [ -e "$file" ] || file=UNITS/${word%%@*}@.service; [ -e "$file" ] || file=UNITS/$word.service
    grep -q "^\\[Unit\\]" "$file"
    echo "$word" >> ENABLED
    set -a; . "$(dirname UNITS)/../portal/environment"; set +a
    sed -n "s/^ExecStartPre=//p${started:+;s/^ExecStart=//p}" "$file" | while read -r line; do sh -c "$line"; done
done""",
}


@pytest.fixture
def root(tmp_path):
    """A machine with nothing but the project in /opt/portal."""
    for name in PROJECT:
        target = tmp_path / "opt" / "portal" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    for file in (tmp_path / "opt" / "portal" / "deploy").iterdir():
        file.write_text(PLACES.sub(str(tmp_path), file.read_text()))
    for place in ("etc/systemd/system", "usr/local/bin", "var/lib", "var/backups", "played"):
        (tmp_path / place).mkdir(parents=True)
    values = {"PYTHON": sys.executable, "PACKAGES": sysconfig.get_path("purelib"), "UV": Path(sys.executable).with_name("uv")}
    values |= {"INSTALL": shutil.which("install"), "UNITS": tmp_path / "etc/systemd/system", "ENABLED": tmp_path / "enabled"}
    for name, text in PLAYED.items():
        file = tmp_path / "played" / name
        file.write_text("#!/bin/sh\nset -e" + re.sub(r"\b(" + "|".join(values) + r")\b", lambda found: str(values[found[0]]), text) + "\n")
        file.chmod(0o755)
    return tmp_path


@pytest.fixture
def shell(root):
    """Runs a block as root would; ends at the first command that fails."""
    path = os.pathsep.join([f"{root}/played", f"{root}/usr/local/bin", environment()["PATH"]])

    def run(block):
        command = ["sh", "-ec", PLACES.sub(str(root), block)]
        done = subprocess.run(command, cwd=root / "opt/portal", env=environment(PATH=path), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def test_the_page_leads_to_a_portal_that_is_fit_with_its_services_a_backup_and_its_first_person(root, shell):
    packages, settings, check, services, backups = BLOCKS

    shell(packages)
    shell(settings)
    file = root / "etc/portal/environment"
    file.write_text(re.sub(r"^DATABASE_URL_FILE=.*\n", "", file.read_text(), flags=re.MULTILINE))  # "Without PostgreSQL leave it out"
    fit = shell(check)
    shell(services)
    shell(backups)
    [first] = re.findall(r"`(portal users add [^`]+)`", PAGE)
    invited = shell(first.replace("EMAIL", "eve@example.test").replace("NAME", "'Eve Laurent'"))

    assert fit.splitlines()[-1] == "Fit to start as a portal that others reach: PORTAL_URL is https://cco.example.com."
    enabled = {name.partition("@")[0] for name in (root / "enabled").read_text().split()}
    assert enabled == {"portal-web", "portal-keeper", "portal-worker", "portal-backup.timer", "portal-backup"}
    assert len(list((root / "var/backups/portal").iterdir())) == 1
    assert (root / "var/lib/portal/portal.db").stat().st_mode & 0o077 == 0
    assert "https://cco.example.com/password/" in invited
