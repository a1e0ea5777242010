"""A real browser: the Chromium of this machine, with and without JavaScript, driven against a `portal up` of its own.

`page` comes from pytest-playwright. `shot(page, "name")` keeps a picture in screenshots/, which git ignores.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.domain.people import User
from tests.browser.signing_in import sign_in
from tests.processes import ROOT
from tests.programs import chromium

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
]
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": chromium(), "args": [*FLAGS, *as_root]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}, "locale": "en-US", "timezone_id": "America/Chicago"}


@pytest.fixture
def page(page: Page) -> Page:
    page.set_default_timeout(PATIENCE_MS)
    return page


@pytest.fixture
def page_without_javascript(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


@pytest.fixture
def ana_at(page: Page, served: str, ana: User) -> Callable[..., Page]:
    """Puts Ana, signed in, before a page."""

    def open(path: str = "/change-orders?view=ready") -> Page:
        sign_in(page, served, ana)
        page.goto(f"{served}{path}")
        return page

    return open


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], Path]:
    """Keeps a picture of the whole page under the name of the test file and the one given."""
    folder = ROOT / "screenshots" / request.path.stem

    def take(page: Page, name: str) -> Path:
        file = folder / f"{name}.png"
        page.screenshot(path=file, full_page=True)
        return file

    return take
