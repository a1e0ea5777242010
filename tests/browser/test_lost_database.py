"""The database is away while somebody decides: they read so, what they typed stays, and the next press records it."""

from playwright.sync_api import expect

from portal import db
from portal.db import errors
from portal.domain.change_orders import Status, load
from tests.browser.signing_in import arrived, sign_in, violations

REASON = "The phase is that of the other building."


def away():
    raise errors.Away(errors.AWAY)


def test_a_reason_outlives_the_loss_of_the_database(page, served, ana, change_order, monkeypatch):
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders?view=ready")
    page.locator(f"#change-order-{change_order.id}").get_by_role("button", name="Reject").click()
    reason = page.locator(f"#reason-{change_order.id}")
    reason.fill(REASON)

    with monkeypatch.context() as patch:
        patch.setattr(db, "connect", away)
        page.get_by_role("button", name="Reject CCO").last.click()
        expect(page.locator("#alert")).to_contain_text("The portal cannot reach its database. Nothing was recorded")
        expect(reason).to_have_value(REASON)
        assert violations(page) == []
    page.get_by_role("button", name="Reject CCO").last.click()

    expect(page.locator("#say")).to_contain_text("sent back")
    assert load(change_order.id).state is Status.REJECTED


def test_a_page_says_so_in_the_frame_of_the_portal(page, served, ana, monkeypatch):
    sign_in(page, served, ana)

    monkeypatch.setattr(db, "connect", away)
    page.goto(f"{served}/change-orders")

    arrived(page, "Not now")
    assert violations(page) == []
