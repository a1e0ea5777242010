"""The filters of a list in a browser: by mouse, by keyboard, without JavaScript, and in every width."""

import pytest
from playwright.sync_api import expect

from tests.browser.signing_in import sign_in, violations
from tests.browser.test_every_page import STICKS_OUT

WIDTHS = (320, 360, 768, 1440)


@pytest.fixture
def two(make_change_order):
    return make_change_order(title="Relocate duct bank"), make_change_order(
        title="Credit for deleted door", lines=[("16-2000", "SUB", "-5.00")]
    )


def test_a_list_is_narrowed_and_widened_again(ana_at, two):
    page = ana_at("/change-orders?view=ready")

    page.get_by_label("Search").fill("door")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr[id]")).to_have_count(1)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Amount from").fill("10")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_text("No change order matches these filters.")).to_be_visible()
    assert "q=door" in page.url
    assert "min=10" in page.url
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page.locator("tbody tr[id]")).to_have_count(2)


def test_without_javascript_a_decision_leads_back_to_the_filter(page_without_javascript, served, ana, two):
    page = page_without_javascript
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders?view=ready&q=relocate")

    page.get_by_role("button", name="Accept").first.click()
    page.get_by_role("button", name="Export").click()

    expect(page.get_by_text("No change order matches these filters.")).to_be_visible()
    assert "q=relocate" in page.url


def test_the_slash_leads_to_the_search(ana_at, two):
    page = ana_at("/change-orders?view=ready")

    page.keyboard.press("/")
    page.keyboard.type("a/b")

    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("a/b")


@pytest.mark.parametrize(
    "address", ["/change-orders?view=all&q=re&job=24", "/change-orders?view=all&min=x&since=y"], ids=["found", "wrong"]
)
def test_the_open_filters_fit_and_can_be_used_by_all(ana_at, two, shot, address):
    page, wrong = ana_at(address), []

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wrong += [f"at {width}: {what}" for what in page.evaluate(STICKS_OUT)]
        shot(page, f"{'wrong' if 'min=x' in address else 'found'}-{width}")

    assert wrong == []
    assert violations(page) == []
