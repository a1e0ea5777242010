"""Rows of the Ready list are ticked by hand or by keys, stay ticked while anything else is done, and are decided together."""

import re

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.companies import Company
from tests.browser.signing_in import arrived, violations

READY = "/change-orders?view=ready"


@pytest.fixture
def five(make_change_order, company):
    """A credit, which needs a look and stands on top, and four clean ones."""
    Company.update(look_rules="credit", reject_reasons="Wrong phase\nQuote missing", export_delay=600).execute()
    return [make_change_order(lines=[("16-2000", "SUB", "-5.00")]), *(make_change_order() for _ in range(4))]


def tick(page, change_order):
    return page.locator(f"#change-order-{change_order.id} .tick input")


def expect_ticked(page, change_orders):
    expect(page.locator(".tick :checked")).to_have_count(len(change_orders))
    for one in change_orders:
        expect(tick(page, one)).to_be_checked()


def test_nothing_is_ticked_at_first_and_all_that_select_are_in_view(ana_at, five):
    page = ana_at()

    expect(page.get_by_role("link", name="Accept 4 clean")).to_be_in_viewport()
    expect(page.get_by_label("Select all 5 that match")).to_be_in_viewport()
    expect(page.locator("#selected")).to_have_text("None selected")
    expect(page.get_by_role("button", name="Reject selected")).to_be_disabled()


def test_keys_tick_a_row_a_range_all_clean_and_nothing(ana_at, five):
    page = ana_at()

    page.keyboard.press("j")
    page.keyboard.press("x")
    expect_ticked(page, five[:1])
    expect(page.locator(f"#cco-{five[0].id}")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect_ticked(page, five[:3])
    page.keyboard.press("x")
    expect_ticked(page, five[:2])
    page.keyboard.press("*")
    expect_ticked(page, [])
    page.keyboard.press("Shift+A")
    expect_ticked(page, five[1:])
    expect(page.locator("#selected")).to_have_text("4 selected")
    assert page.evaluate("document.activeElement !== document.body")


def test_a_mouse_ticks_a_range_and_all(ana_at, five):
    page = ana_at()

    tick(page, five[1]).click()
    tick(page, five[3]).click(modifiers=["Shift"])
    expect_ticked(page, five[1:4])
    page.get_by_label("Select all 5 that match").click()
    expect_ticked(page, five)
    page.get_by_label("Select all 5 that match").click()
    expect_ticked(page, [])


def test_ticks_outlive_a_decision_another_page_and_reload_and_belong_to_one_list(ana_at, served, five):
    page = ana_at()
    tick(page, five[2]).check()
    tick(page, five[3]).check()

    page.locator(f"#accept-{five[1].id}").click()
    expect(page.locator(f"#export-{five[1].id}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"#change-order-{five[1].id}")).to_contain_text("Queued")
    expect_ticked(page, five[2:4])
    page.locator(f"#cco-{five[2].id}").click()
    arrived(page, re.compile("CCO"))
    expect(page.locator(".tick").first).to_be_hidden()
    page.go_back()
    expect_ticked(page, five[2:4])
    page.reload()
    expect_ticked(page, five[2:4])
    expect(page.locator("#selected")).to_have_text("2 selected")

    page.goto(f"{served}/change-orders?view=all")
    expect(page.locator(".tick").first).to_be_hidden()
    page.goto(f"{served}{READY}&after=0-0")
    expect_ticked(page, [])


def test_ticks_are_rejected_by_three_keys_and_gone_when_the_record_says_so(ana_at, five, shot):
    page = ana_at()
    for key in ("j", "j", "x", "j", "x"):
        page.keyboard.press(key)

    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Wrong phase")).to_be_focused()
    shot(page, "reject")
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Reject 2")).to_be_focused()
    expect(page.locator("#reason-all")).to_have_value("Quote missing")
    assert {load(one.id).state for one in five} == {Status.READY}
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Reject all: 2 sent back")).to_be_visible()
    assert {load(one.id).state for one in five[1:3]} == {Status.REJECTED}
    page.locator("#back").click()
    expect(page.locator("#selected")).to_have_text("None selected")


def test_held_ones_stay_in_the_list_and_are_ticked_no_more(ana_at, five, shot):
    page = ana_at()
    page.keyboard.press("Shift+A")
    page.keyboard.press("h")
    expect(page.get_by_label("On hold until")).to_be_focused()
    shot(page, "hold")
    page.evaluate("document.getElementById('until-all').value = new Date(Date.now() + 6e8).toISOString().slice(0, 10)")
    page.get_by_label("What do they wait for?").fill("Waits for the survey")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="Hold: 4 on hold")).to_be_visible()
    page.locator("#back").click()
    expect(page.locator("#selected")).to_have_text("None selected")
    expect(page.locator(f"#change-order-{five[1].id}")).to_contain_text("On hold until")


def test_escape_leads_from_the_sheet_to_the_list_as_it_was(ana_at, served, five):
    page = ana_at()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.get_by_text("None of these can be accepted together with others.")).to_be_visible()
    page.go_back()
    tick(page, five[1]).check()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Accept 1 clean change order")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page).to_have_url(f"{served}{READY}")
    expect_ticked(page, five[:2])


def test_the_menu_of_a_row_asks_and_holds(ana_at, five, shot):
    page = ana_at()
    row = page.locator(f"#change-order-{five[0].id}")

    row.get_by_label("More for CCO 001").click()
    shot(page, "menu")
    row.get_by_role("link", name="Ask the sender").click()
    expect(row.get_by_label("Your question.")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f"#ask-{five[0].id}")).to_be_focused()
    page.locator(f"#cco-{five[0].id}").focus()
    page.keyboard.press("h")
    expect(row.get_by_label("On hold until")).to_be_focused()


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_the_list_and_its_forms_fit_and_have_no_barriers(ana_at, served, five, shot, width):
    page = ana_at()
    page.set_viewport_size({"width": width, "height": 800})
    shot(page, f"empty-{width}")
    tick(page, five[1]).check()
    tick(page, five[2]).check()
    assert violations(page) == []
    shot(page, f"ticked-{width}")

    for place in ("acceptances", "rejections", "holds"):
        page.goto(f"{served}/change-orders/{place}?row={five[1].id}&row={five[0].id}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(page, f"{place}-{width}")
