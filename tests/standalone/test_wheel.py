"""The wheel holds all that the portal is made of, and puts it where it meets nothing of another package."""

import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.version import VERSION
from tests.processes import ROOT, PortalUp, environment, running

BUILD = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*BUILD, "--directory", str(folder)], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalUp]:
    """The portal of the wheel, up, in an environment that knows no checkout: what it needs comes from this one, by its path."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")  # whose own .pth files, the checkout's, are not read
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    subprocess.run([uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True, capture_output=True)
    portal = PortalUp(folder)
    portal.command, portal.cwd = [str(python.with_name("portal")), "up", "--json"], folder
    portal.env |= {"PATH": f"{python.parent}:{environment()['PATH']}"}
    with running(portal):
        yield portal


def test_everything_in_it_stands_below_portal(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert wheel.name.startswith(f"cco_portal-{VERSION}-")
    assert {name.split("/")[0] for name in names} == {"portal", f"cco_portal-{VERSION}.dist-info"}


@pytest.mark.parametrize("folder", ["templates", "static"])
def test_every_template_and_static_file_is_in_it(wheel: Path, folder: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    ours = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert {f"portal/{path}" for path in ours} <= set(names)


def test_the_installed_portal_starts_outside_the_checkout_with_all_its_processes(installed: PortalUp) -> None:
    with urllib.request.urlopen(f"{installed.report['url']}/login", timeout=10) as answer:
        page = answer.read().decode()

    assert "Sign in" in page
    assert {"web", "exports", "mail", "imports", "keeper"} <= installed.pids().keys()
    for name, pid in installed.pids().items():
        assert str(ROOT) not in Path(f"/proc/{pid}/cmdline").read_text().replace(sys.prefix, ""), name


def test_the_installed_portal_serves_its_static_files(installed: PortalUp) -> None:
    with urllib.request.urlopen(f"{installed.report['url']}/static/portal.css", timeout=10) as answer:
        assert answer.status == 200
