"""A morning: 18 clean change orders are accepted and 2 sent back with a reason, in 12 presses or 9 clicks; one by one in 44; by touch."""

import re

import pytest
from playwright.sync_api import expect

from portal.domain.accounts import preferences
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.companies import Company
from portal.domain.review.bulk_actions import BulkAction
from tests.browser.keyboard import Keyboard
from tests.browser.signing_in import sign_in, violations

READY = "/change-orders?view=ready"
REASONS = "Wrong phase\nWrong cost type on a line"


@pytest.fixture
def twenty(make_change_order, company):
    """18 clean ones and 2 credits."""
    Company.update(look_rules="credit", reject_reasons=REASONS, export_delay=600).execute()
    clean = [make_change_order() for _ in range(18)]
    return clean, [make_change_order(lines=[("16-2000", "SUB", "-5.00")]) for _ in range(2)]


def states(change_orders):
    return {load(one.id).state for one in change_orders}


@pytest.mark.timeout(180)
def test_twenty_are_decided_in_twelve_presses(ana_at, twenty, shot):
    clean, credits = twenty
    page = ana_at()
    keys = Keyboard(page)
    expect(page.locator("#accept-clean")).to_have_text("Accept 18 clean")
    shot(page, "ready")

    keys.press("Shift+A")
    expect(page.locator("#selected")).to_have_text("18 selected")
    keys.press("a")
    keys.expect_focus("button[data-seen]")
    shot(page, "sheet")
    if page.locator("button[data-seen]").get_attribute("aria-disabled"):
        keys.press("Enter")  # which leads to the last row
    expect(page.locator("button[data-seen]")).not_to_have_attribute("aria-disabled", "true")
    keys.expect_focus("button[data-seen]")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Accept clean: 18 queued")).to_be_visible()
    shot(page, "record")
    keys.press("g", "r")
    expect(page.locator("#totals")).to_contain_text("2 change orders waiting")
    for place, one in enumerate(credits):
        keys.press("r")
        keys.expect_focus(f"#change-order-{one.id} .presets button:first-child")
        keys.press("2")
        keys.expect_focus(f"#change-order-{one.id} button.danger")
        keys.press("Enter")
        expect(page.locator(f"#change-order-{one.id}")).to_contain_text("Rejected")
        if place == 0:
            keys.expect_focus(f"#accept-{credits[1].id}")
        else:
            keys.expect_focus(f"#cco-{one.id}")

    assert states(clean) == {Status.QUEUED}
    assert states(credits) == {Status.REJECTED}
    assert keys.count <= 12


@pytest.mark.timeout(180)
def test_twenty_are_decided_one_by_one_in_forty_four_presses(ana_at, twenty):
    clean, credits = twenty
    page = ana_at()
    keys = Keyboard(page)

    for one, then in zip(credits, [credits[1], clean[0]], strict=True):
        keys.press("r")
        keys.expect_focus(f"#change-order-{one.id} .presets button:first-child")
        keys.press("2")
        keys.expect_focus(f"#change-order-{one.id} button.danger")
        keys.press("Enter")
        keys.expect_focus(f"#accept-{then.id}")
    for one, then in zip(clean, [*(f"#accept-{other.id}" for other in clean[1:]), f"#cco-{clean[-1].id}"], strict=True):
        keys.press("a")
        keys.expect_focus(f"#export-{one.id}")
        keys.press("Enter")
        keys.expect_focus(then)

    assert states(clean) == {Status.QUEUED}
    assert states(credits) == {Status.REJECTED}
    assert keys.count <= 44


@pytest.mark.timeout(180)
def test_twenty_are_decided_without_javascript_and_the_place_is_kept(page_without_javascript, served, ana, twenty):
    clean, credits = twenty
    page = page_without_javascript
    sign_in(page, served, ana)
    page.goto(f"{served}{READY}")

    page.get_by_role("link", name="Accept 18 clean").click()
    page.get_by_role("button", name="Export").click()
    page.get_by_role("link", name="Ready to Export").click()
    expect(page).to_have_url(f"{served}{READY}")
    for one in credits:
        page.locator(f"#reject-{one.id}").click()
        page.get_by_role("button", name="Wrong phase").click()
        expect(page.locator(f"#reason-{one.id}")).to_have_value("Wrong phase")
        page.locator("button.danger").click()
        expect(page).to_have_url(re.compile(rf"{re.escape(READY)}#change-order-\d+$"))

    assert states(clean) == {Status.QUEUED}
    assert states(credits) == {Status.REJECTED}


@pytest.fixture
def phone(browser, browser_context_args, served, ana, twenty):
    """Ana's phone, before the list of twenty."""
    context = browser.new_context(
        **{**browser_context_args, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    )
    page = context.new_page()
    sign_in(page, served, ana)
    page.goto(f"{served}{READY}")
    yield page
    context.close()


def tap(target):
    """One tap on a target that is as large as a finger."""
    target.scroll_into_view_if_needed()
    assert target.bounding_box()["height"] >= 44
    target.tap()


def test_by_touch_a_decision_takes_at_most_three_taps(phone, twenty, shot):
    clean, credits = twenty
    accepted, rejected = (phone.locator(f"#change-order-{one.id}") for one in (clean[0], credits[0]))

    tap(accepted.locator(f"#accept-{clean[0].id}"))
    tap(accepted.get_by_role("button", name="Export"))
    expect(accepted).to_contain_text("Queued")
    tap(rejected.locator(f"#reject-{credits[0].id}"))
    tap(rejected.get_by_role("button", name="Wrong phase"))
    expect(rejected.locator(f"#reason-{credits[0].id}")).to_have_value("Wrong phase")
    tap(rejected.locator("button.danger"))
    expect(rejected).to_contain_text("Rejected")

    tap(phone.locator(f"#change-order-{clean[1].id} .tick"))
    tap(phone.locator(f"#change-order-{clean[2].id} .tick"))
    expect(phone.locator("#selected")).to_have_text("2 selected")
    shot(phone, "phone")
    tap(phone.get_by_role("button", name="Accept selected"))
    tap(phone.get_by_role("button", name="Export"))
    expect(phone.get_by_role("heading", name="Accept clean: 2 queued")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.timeout(180)
def test_twenty_are_decided_in_nine_clicks(ana_at, twenty):
    clean, credits = twenty
    page, clicks = ana_at(), 0
    names = ["Accept 18 clean", "Export", "Ready to Export"]
    for role, name in zip(("link", "button", "link"), names, strict=True):
        page.locator("main").get_by_role(role, name=name, exact=True).click()
        clicks += 1
    for one in credits:
        row = page.locator(f"#change-order-{one.id}")
        row.locator(f"#reject-{one.id}").click()
        row.get_by_role("button", name="Wrong phase").click()
        expect(row.locator(f"#reason-{one.id}")).to_have_value("Wrong phase")
        row.locator("button.danger").click()
        clicks += 3
        expect(row).to_contain_text("Rejected")

    assert states(clean) == {Status.QUEUED}
    assert states(credits) == {Status.REJECTED}
    assert clicks <= 9


def test_export_waits_for_the_last_row_and_a_second_press_changes_nothing(ana_at, twenty):
    page = ana_at("/change-orders/acceptances?all=on")
    export = page.locator("button[data-seen]")
    page.set_viewport_size({"width": 1280, "height": 300})
    page.reload()
    expect(export).to_have_attribute("aria-disabled", "true")

    page.keyboard.press("Enter")
    expect(export).not_to_have_attribute("aria-disabled", "true")
    assert BulkAction.select().count() == 0

    export.dblclick()
    page.wait_for_url("**/bulk-actions/**")

    assert BulkAction.select().count() == 1
    assert ChangeOrder.select().where(ChangeOrder.status == Status.QUEUED).count() == 18


def test_the_company_may_let_export_work_at_once(ana_at, twenty):
    Company.update(bulk_read_all=False).execute()
    page = ana_at("/change-orders/acceptances?all=on")
    page.set_viewport_size({"width": 1280, "height": 300})
    page.reload()

    expect(page.locator("button[data-seen]")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/bulk-actions/**")
    assert ChangeOrder.select().where(ChangeOrder.status == Status.QUEUED).count() == 18


def test_one_key_alone_decides_nothing_and_z_recalls(ana_at, twenty):
    clean, credits = twenty
    page = ana_at()
    keys = Keyboard(page)

    keys.press("j", "j", "k")
    keys.expect_focus(f"#cco-{credits[0].id}")
    keys.press("j", "j", "a")
    keys.expect_focus(f"#export-{clean[0].id}")
    keys.press("Escape")
    keys.expect_focus(f"#accept-{clean[0].id}")
    assert states(clean) == {Status.READY}

    keys.press("a")
    keys.expect_focus(f"#export-{clean[0].id}")
    keys.press("Enter")
    keys.expect_focus(f"#accept-{clean[1].id}")
    expect(page.locator("#accept-clean")).to_have_text("Accept 17 clean")
    keys.press("z")
    expect(page.locator(f"#accept-{clean[0].id}")).to_be_visible()
    expect(page.locator("#accept-clean")).to_have_text("Accept 18 clean")
    assert states(clean) == {Status.READY}


def test_a_key_that_is_typed_or_switched_off_presses_nothing(ana_at, twenty, ana):
    _, credits = twenty
    Company.update(reject_reasons="").execute()
    page = ana_at()
    page.keyboard.press("r")
    reason = page.locator(f"#reason-{credits[0].id}")
    expect(reason).to_be_focused()
    page.keyboard.type("area")
    expect(reason).to_have_value("area")

    preferences.use_keys(ana, False)
    page.goto(page.url)
    page.keyboard.press("a")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_have_count(0)
    expect(page.locator("td.form")).to_have_count(0)


def test_the_sheet_the_record_and_the_help_have_no_barriers(ana_at, twenty):
    page = ana_at()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_have_attribute("open", "")
    assert violations(page) == []
    page.locator("#accept-clean").click()
    assert violations(page) == []
    page.locator("button[data-seen]").click()
    page.wait_for_url("**/bulk-actions/**")
    assert violations(page) == []
