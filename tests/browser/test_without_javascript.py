"""The same work without JavaScript, through the same addresses."""

import re

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.review import lists
from tests.browser.signing_in import arrived, sign_in, violations
from tests.cast import signed


@pytest.fixture
def plain(page_without_javascript, served):
    """Puts a person, signed in at a browser without JavaScript, before a page."""

    def open(person, path):
        sign_in(page_without_javascript, served, person)
        page_without_javascript.goto(f"{served}{path}")
        return page_without_javascript

    return open


def row(page, change_order):
    return page.locator(f"#change-order-{change_order.id}")


def test_accepting(plain, ana, change_order):
    page = plain(ana, "/change-orders?view=ready")

    row(page, change_order).get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("CCO 001: Relocate duct bank")
    page.get_by_label("Spectrum number").fill("S-77")
    page.get_by_role("button", name="Export").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Change Orders - Ready to be Exported to Spectrum")
    expect(page.get_by_text("CCO 001 of SC-014 accepted and queued.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"#change-order-{change_order.id}$"))
    assert load(change_order.id).state is Status.QUEUED
    page.get_by_role("link", name="In progress").click()
    expect(row(page, change_order)).to_contain_text("Queued S-77")


def test_rejecting_after_an_empty_reason(plain, ana, change_order):
    page = plain(ana, f"/change-orders/{change_order.id}")

    page.get_by_role("button", name="Reject").click()
    page.get_by_label("What has to change? The sender sees this.").fill("   ")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("group", name="There is a problem")).to_contain_text("Give the project team a reason.")
    page.get_by_label("What has to change? The sender sees this.").fill("Wrong phase code on line 1")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_text("CCO 001 of SC-014 sent back to Dee Sørensen.")).to_be_visible()
    assert load(change_order.id).state is Status.REJECTED


def test_cancel_leads_back_to_the_row(plain, served, ana, change_order):
    page = plain(ana, "/change-orders?view=ready")

    row(page, change_order).get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Cancel").click()

    expect(page).to_have_url(f"{served}/change-orders?view=ready#change-order-{change_order.id}")
    assert load(change_order.id).state is Status.READY


def test_the_second_approver_gets_a_page_that_says_so(plain, ana, lee, change_order):
    page = plain(ana, f"/change-orders/{change_order.id}/rejection")
    page.get_by_label("What has to change? The sender sees this.").fill("My long and careful reason")
    signed(change_order.id, by=lee, version=change_order.version)

    page.get_by_role("button", name="Reject").click()

    expect(row(page, change_order)).to_contain_text("Nothing was recorded. Accepted by Lee Nakamura")
    expect(row(page, change_order)).to_contain_text("My long and careful reason")


def test_correcting_and_sending_again(plain, dee, make_change_order, shot):
    returned = make_change_order("rejected")
    page = plain(dee, "/jobs")
    page.get_by_role("link", name="Relocate duct bank").click()
    expect(page.get_by_text("Wrong cost type on line 1")).to_be_visible()

    page.get_by_role("button", name="Add a line").click()
    page.get_by_label("Cost code, line 2").fill("16-3000")
    page.get_by_label("Cost type, line 2").fill("M")
    page.get_by_label("Amount, line 2").fill("12,50")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("group", name="There is a problem")).to_contain_text("“12,50” is not an amount.")
    shot(page, "problem")
    page.get_by_label("Amount, line 2").fill("1250.00")
    page.get_by_role("button", name="Remove line 1").click()
    expect(page.get_by_label("Cost code, line 2")).to_have_count(0)
    page.get_by_role("button", name="Re-send to ERP").click()

    expect(page.get_by_text("CCO 001 sent to accounting.")).to_be_visible()
    now = load(returned.id)
    assert (now.state, now.revision) == (Status.READY, 2)
    assert [(line.phase_code, line.cost_type, str(line.amount)) for line in now.lines] == [("16-3000", "M", "1250.00")]


def test_enter_in_a_field_saves_and_removes_no_line(plain, dee, make_change_order):
    draft = make_change_order("draft")
    page = plain(dee, f"/change-orders/{draft.id}/edit")

    page.get_by_label("Title").fill("A better title")
    page.get_by_label("Title").press("Enter")

    expect(page.get_by_text("CCO 001 saved.")).to_be_visible()
    now = load(draft.id)
    assert (now.title, len(now.lines)) == ("A better title", 1)


def test_the_next_page_is_a_link(plain, ana, make_change_order, monkeypatch):
    for title in ("First", "Second", "Third"):
        make_change_order(title=title)
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))
    page = plain(ana, "/change-orders?view=ready")

    page.get_by_role("link", name="Next page").click()

    expect(page.get_by_role("link", name="Third")).to_be_visible()
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("link", name="Second")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_senders_pages(page, served, dee, make_change_order, shot, scheme, width):
    returned = make_change_order("rejected", title="A title of more than thirty characters"[:30])
    make_change_order("draft", title="Piñon grill with a far too long title", lines=[("16-2000", "SUB", "1.00"), ("16-2000", "SUB", None)])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, served, dee)
    name = f"{scheme}-{width}"

    assert violations(page) == []
    shot(page, f"jobs-{name}")
    page.get_by_role("link", name="Piñon grill").click()
    arrived(page, re.compile("Piñon grill"))
    assert violations(page) == []
    page.get_by_label("Amount, line 1").fill("x")
    page.get_by_role("button", name="Send to ERP").click()
    expect(page.get_by_role("group", name="There is a problem")).to_be_focused()
    assert violations(page) == []
    shot(page, f"draft-{name}")
    page.goto(f"{served}/change-orders/{returned.id}/edit")
    assert violations(page) == []
    shot(page, f"returned-{name}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
