"""A failed export retried, an unknown outcome settled and an Accept recalled, by keyboard alone."""

from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.exporting.exports import Attempt
from tests.browser.signing_in import violations


def row(page, change_order):
    return page.locator(f"#change-order-{change_order.id}")


def test_a_failed_export_is_retried_and_recall_is_refused_after_a_try(ana_at, make_change_order, company):
    one = make_change_order("failed")
    page = ana_at("/change-orders?view=failed")
    assert violations(page) == []
    page.locator(f"#cco-{one.id}").focus()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="What does this mean?")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"#retry-{one.id}")).to_be_focused()
    page.keyboard.press("Enter")

    expect(row(page, one)).to_contain_text("Queued")
    expect(page.locator(f"#cco-{one.id}")).to_be_focused()
    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 queued again.")
    expect(page.get_by_role("button", name="Recall")).to_have_count(0)


def test_after_a_retry_focus_goes_to_the_next_retry(ana_at, make_change_order):
    one, two = make_change_order("failed"), make_change_order("failed")
    page = ana_at("/change-orders?view=failed")

    page.locator(f"#retry-{one.id}").press("Enter")

    expect(page.locator(f"#retry-{two.id}")).to_be_focused()
    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 queued again. Now on CCO 002 of SC-014, Volt Electric Co, $4,250.00.")
    expect(page).to_have_title("Failed to Export (1) – CCO Portal")


def test_an_unknown_outcome_is_settled_by_keyboard(ana_at, make_change_order, clock):
    one = make_change_order("unknown")
    clock.tick(minutes=16)
    page = ana_at("/change-orders?view=failed")
    page.locator(f"#present-{one.id}").focus()

    page.keyboard.press("Enter")
    expect(page.locator(f"#number-{one.id}")).to_be_focused()
    assert violations(page) == []
    page.keyboard.type("S014-009")
    page.keyboard.press("Tab")
    page.keyboard.type("In the change request list")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"#problem-{one.id}")).to_be_focused()
    assert violations(page) == []
    page.locator(f"#number-{one.id}").fill("S014-001")
    page.keyboard.press("Enter")

    expect(row(page, one)).to_contain_text("Exported")
    expect(page.locator(f"#cco-{one.id}")).to_be_focused()
    expect(page.locator("#count-exported")).to_have_text("1")
    assert Attempt.select().where(Attempt.outcome == "present").count() == 1


def test_what_was_accepted_under_other_settings_is_reviewed_again_by_keyboard(ana_at, make_change_order, company, shot):
    one = make_change_order("failed")
    company.code = "XYZ"
    company.save()
    page = ana_at("/change-orders?view=failed")
    assert violations(page) == []
    shot(page, "outdated")
    page.locator(f"#review-{one.id}").focus()

    page.keyboard.press("Enter")

    expect(row(page, one).get_by_role("button", name="Accept")).to_be_visible()
    expect(page.locator(f"#cco-{one.id}")).to_be_focused()
    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 is up for review again: it is ready to be decided.")


def test_recall_keeps_focus_while_the_row_asks_how_it_stands(ana_at, make_change_order):
    one = make_change_order("queued")
    page = ana_at("/change-orders?view=progress")
    page.locator(f"#recall-{one.id}").focus()
    page.locator(f"#recall-{one.id}").evaluate("button => button.classList.add('before')")

    expect(page.locator(f"#recall-{one.id}:not(.before)")).to_be_focused()
    page.keyboard.press("Enter")

    expect(row(page, one)).to_contain_text("First change order of the vendor")
    assert load(one.id).state is Status.READY
