"""What the portal is made of: a list for whoever has to answer for it, and a question to the advisory database."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT, environment
from tests.test_set_up import program

FOUND = 'while [ "$1" != --output ]; do shift; done; echo "jinja2 1.0 CVE-0000-0000" > "$2"; exit 1'
ABSENT = 'case "$*" in *--strict*) echo "ERROR:pip_audit._cli:jinja2: not found on PyPI" >&2; exit 1;; esac'


@pytest.mark.timeout(300)
def test_the_sbom_names_every_package_that_runs_in_production(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    command = ["make", "-o", ".venv/installed-dev", "sbom", f"SBOM={file}"]

    subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)

    sbom = json.loads(file.read_text())
    locked = dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "cco-portal")
    assert {part["name"]: part["version"] for part in sbom["components"]} == locked


@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        ("exit 0", 0, "No hole is known in the packages of requirements.lock."),
        (FOUND, 1, "jinja2 1.0 CVE-0000-0000"),
        (ABSENT, 2, "The advisory database of PyPI could not be asked, so nothing is known"),
        ("echo ERROR: no connection >&2; exit 1", 2, "The advisory database of PyPI could not be asked, so nothing is known"),
    ],
    ids=["nothing known", "something known", "a package it does not have", "nobody to ask"],
)
def test_an_audit_tells_what_is_known_from_what_could_not_be_asked(tmp_path: Path, answer: str, status: int, sentence: str) -> None:
    audit = program(tmp_path / "pip-audit", answer)

    done = subprocess.run(["sh", ".ci/audit", audit], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == status
    assert sentence in done.stdout + done.stderr
