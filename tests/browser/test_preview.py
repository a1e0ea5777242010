"""What Spectrum will receive, seen in a real browser while it is being typed, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.companies import Company
from tests.browser.signing_in import sign_in, violations

READY = "/change-orders?view=ready"
LINES = [("16-2000", "SUB", "4250.00"), ("26-0519", "SUB", "0.00"), ("16-3000", "M", "-120.50")]
LONG = "Relocate the duct bank at grid C4, as agreed on the site walk of November 12 with the owner’s electrician; " * 3


@pytest.fixture
def waiting(make_change_order):
    Company.update(custom_title=True).execute()
    return make_change_order(lines=LINES, title="Piñon grill – café", description=LONG)


def opened(page, served, person, change_order):
    sign_in(page, served, person)
    page.goto(f"{served}{READY}")
    page.locator(f"#accept-{change_order.id}").click()
    expect(page.locator(f"#title-{change_order.id}")).to_be_focused()


def field(page, name):
    return page.locator(".preview dl > div").filter(has=page.get_by_text(name, exact=True))


def test_the_preview_follows_what_is_typed_and_focus_stays_in_the_field(page, served, ana, waiting):
    opened(page, served, ana, waiting)
    page.get_by_text("What Spectrum will receive").click()
    expect(field(page, "CR_Description")).to_contain_text("001: Pinon grill - cafe")

    page.get_by_label("Title").fill("Duct bank")

    expect(field(page, "CR_Description")).to_contain_text("001: Duct bank - Relocate")
    expect(field(page, "Sub_Description")).to_contain_text("9 of 30")
    expect(page.get_by_label("Title")).to_be_focused()
    expect(page.locator(f"[data-count='title-{waiting.id}']")).to_have_text("9")
    expect(page.locator(f"#preview-{waiting.id}")).to_be_visible()


def test_it_opens_by_keyboard_and_what_does_not_fit_is_said_before_export(page, served, ana, waiting):
    opened(page, served, ana, waiting)

    page.get_by_text("What Spectrum will receive").press("Enter")
    page.get_by_label("Title").fill("雨")

    expect(page.locator(f"#preview-{waiting.id}")).to_contain_text("The title contains characters Spectrum cannot store: 雨")
    assert violations(page) == []
    assert load(waiting.id).state is Status.READY


def test_cancel_while_a_preview_is_under_way_leaves_the_row_alone(page, served, ana, waiting):
    opened(page, served, ana, waiting)

    page.get_by_label("Title").fill("Duct bank")
    page.get_by_role("button", name="Cancel").click()

    expect(page.locator(f"#accept-{waiting.id}")).to_be_focused()
    page.wait_for_timeout(800)
    expect(page.locator(f"#accept-{waiting.id}")).to_be_visible()


def test_an_accounting_date_is_chosen_by_keyboard_and_seen_at_once(page, served, ana, waiting):
    Company.update(accounting_dates=True).execute()
    opened(page, served, ana, waiting)
    page.get_by_text("What Spectrum will receive").click()

    page.get_by_label("Accounting date").focus()
    page.keyboard.type("11052026")

    expect(field(page, "Origination_Date")).to_contain_text("11/05/2026")
    expect(page.get_by_label("Accounting date")).to_be_focused()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_preview(page, served, ana, waiting, shot, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    Company.update(accounting_dates=True).execute()
    opened(page, served, ana, waiting)

    page.get_by_text("What Spectrum will receive").click()
    expect(field(page, "CR_Description")).to_be_visible()
    assert violations(page) == []
    shot(page, f"form-{scheme}-{width}")
    page.goto(f"{served}/change-orders/{waiting.id}")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"page-{scheme}-{width}")


def test_without_javascript_a_button_shows_it_and_keeps_what_was_typed(page_without_javascript, served, ana, waiting):
    page = page_without_javascript
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders/{waiting.id}/acceptance")

    page.get_by_label("Title").fill("Duct bank")
    page.get_by_label("Description").fill("North wall")
    page.get_by_role("button", name="Preview").click()

    row = page.locator(f"#change-order-{waiting.id}")
    expect(row.locator("dl > div").filter(has=page.get_by_text("CR_Description", exact=True))).to_contain_text(
        "001: Duct bank - North wall"
    )
    expect(page.get_by_label("Title")).to_have_value("Duct bank")
    assert load(waiting.id).state is Status.READY
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("CCO 001 of SC-014 accepted and queued.")).to_be_visible()
    assert load(waiting.id).state is Status.QUEUED
