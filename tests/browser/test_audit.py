"""The audit trail in a real browser: filter, verify, take it away; wide and narrow, by day and night."""

import re

import pytest
from playwright.sync_api import expect

from portal.domain import companies
from portal.domain.accounts import rights
from portal.domain.audit import heads
from portal.domain.exporting import pausing
from portal.domain.people import Level
from tests.browser.signing_in import sign_in, violations


@pytest.fixture
def trail(make_change_order, ben, eve, company):
    make_change_order("rejected")
    make_change_order("failed")
    rights.set_level(ben.id, Level.STANDARD, by=eve)
    pausing.pause(companies.current().lane, eve, "month-end close")


@pytest.fixture
def audit_page(served, trail, eve):
    """Puts Eve before the audit trail."""

    def open(page):
        sign_in(page, served, eve)
        page.goto(f"{served}/settings/audit")
        expect(page.get_by_role("heading", level=1)).to_have_text("Audit trail")
        return page

    return open


def test_the_trail_is_verified_where_it_stands_and_the_verdict_is_said(page, audit_page, tmp_path):
    heads.write_head(tmp_path / heads.HEADS)
    audit_page(page)

    page.get_by_role("button", name="Verify now").click()

    expect(page.locator("#verification")).to_contain_text("The audit trail is as it was written")
    expect(page.locator("#say")).to_contain_text("The audit trail is as it was written")
    assert violations(page) == []


def test_a_filter_is_an_address_and_the_csv_has_what_it_shows(page_without_javascript, audit_page):
    page = audit_page(page_without_javascript)

    page.get_by_label("About").select_option("People")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("subject=user"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()

    assert len(download.value.path().read_text(encoding="utf-8-sig").splitlines()) == 2
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator("tbody tr")).not_to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_page_wide_and_narrow_by_day_and_night(page, audit_page, width, scheme, shot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    audit_page(page)
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#verification")).to_contain_text("The audit trail is as it was written")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"audit-{width}-{scheme}")
