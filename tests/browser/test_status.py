"""The status page in a real browser: it keeps itself up to date, and everyone can use it."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal import clock as clocks
from portal.domain.exporting import pausing
from portal.domain.processes import Process
from tests.browser.signing_in import arrived, sign_in, violations
from tests.status.conftest import healthy

__all__ = ["healthy"]


@pytest.fixture
def busy(healthy, make_change_order):
    """A portal with a day's work behind it, and one worker that was killed."""
    for status in ("exported", "exported", "failed", "unknown", "queued"):
        make_change_order(status)
    Process.update(seen_at=clocks.now() - timedelta(hours=2), machine="a-machine-with-a-long-name.example.test").where(
        Process.kind == "imports"
    ).execute()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_status_page_is_for_everyone_in_both_themes(page, served, busy, sam, scheme, shot):
    page.emulate_media(color_scheme=scheme)
    sign_in(page, served, sam)
    page.get_by_text("Sam Ito", exact=True).click()
    page.get_by_role("link", name="Status", exact=True).click()
    arrived(page, "Status")

    for width in (1440, 768, 360):
        page.set_viewport_size({"width": width, "height": 800})
        shot(page, f"{scheme}-{width}")

        assert violations(page) == []


def test_the_page_tells_by_itself_what_changed(page, served, healthy, sam, eve):
    page.clock.install()
    sign_in(page, served, sam)
    page.goto(f"{served}/status")
    pausing.pause("exports:1", eve, "Month end")

    page.clock.fast_forward(31_000)

    expect(page.locator("#status")).to_contain_text("Exports are paused: Eve Laurent paused exports")


def test_it_can_be_read_without_javascript(page_without_javascript, served, healthy, sam):
    sign_in(page_without_javascript, served, sam)
    page_without_javascript.goto(f"{served}/status")

    expect(page_without_javascript.get_by_text("Exports are up.")).to_be_visible()
