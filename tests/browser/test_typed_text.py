"""What somebody typed when the portal had to ask who is there is offered back to them, in this tab, and to nobody else."""

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.companies import Company
from portal.domain.projects import sending
from portal.domain.review import decisions
from tests.browser.signing_in import arrived, sign_in, violations
from tests.conftest import PASSWORD

LUNCH = {"minutes": 31}
OFFER = "What you typed here before is still in this tab."
REASON = "The phase is that of the other building."


def back_in(page):
    """Signs in where the portal led to, as the person whose address stands in the form or is typed."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def expect_kept(page, count):
    page.wait_for_function("(count) => sessionStorage.length === count", arg=count)


def begin_rejecting(page, served, change_order):
    page.goto(f"{served}/change-orders?view=ready")
    page.locator(f"#change-order-{change_order.id}").get_by_role("button", name="Reject").click()
    return page.locator(f"#reason-{change_order.id}")


@pytest.fixture
def interrupted(page, served, ana, change_order, clock):
    """Ana's session ended over lunch while a reason was being typed; she is at the sign-in page."""
    sign_in(page, served, ana)
    begin_rejecting(page, served, change_order).fill(REASON)
    clock.tick(**LUNCH)
    page.get_by_role("button", name="Reject CCO").last.click()
    arrived(page, "Sign in")
    return page


def test_a_reason_is_put_back_after_signing_in_again_and_counts(interrupted, served, ana, change_order, shot):
    page = interrupted
    page.get_by_label("E-mail").fill(ana.email)
    back_in(page)
    page.wait_for_url("**/change-orders?view=ready")
    reason = begin_rejecting(page, served, change_order)
    expect(page.locator(".offer")).to_contain_text(OFFER)
    expect(reason).to_have_value("")
    assert violations(page) == []
    shot(page, "offered")

    page.get_by_role("button", name="Put it back").click()

    expect(reason).to_have_value(REASON)
    expect(reason).to_be_focused()
    expect(page.locator(".offer")).to_have_count(0)
    page.get_by_role("button", name="Reject CCO").last.click()
    expect(page.locator("#say")).to_contain_text("sent back")
    assert load(change_order.id).state is Status.REJECTED
    expect_kept(page, 0)


def test_what_is_not_wanted_any_more_is_gone(interrupted, served, ana, change_order):
    page = interrupted
    page.get_by_label("E-mail").fill(ana.email)
    back_in(page)
    page.wait_for_url("**/change-orders?view=ready")
    reason = begin_rejecting(page, served, change_order)

    page.get_by_role("button", name="Discard").click()

    expect(page.locator(".offer")).to_have_count(0)
    expect(reason).to_have_value("")
    expect_kept(page, 0)


def test_somebody_else_in_the_same_tab_is_offered_nothing(interrupted, served, lee, change_order):
    page = interrupted
    page.get_by_label("E-mail").fill(lee.email)
    back_in(page)
    page.wait_for_url("**/change-orders?view=ready")

    reason = begin_rejecting(page, served, change_order)

    expect(reason).to_be_focused()
    expect(page.locator(".offer")).to_have_count(0)
    expect_kept(page, 0)


def test_signing_out_forgets_it(interrupted, ana):
    page = interrupted
    page.get_by_label("E-mail").fill(ana.email)
    back_in(page)
    page.wait_for_url("**/change-orders?view=ready")
    expect_kept(page, 1)

    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()

    arrived(page, "Sign in")
    expect_kept(page, 0)


@pytest.fixture
def returned(page, served, dee, make_change_order, clock):
    """Dee's session ended over a line that she had added to a draft; she has signed in again, and is at its form."""
    draft = make_change_order(Status.DRAFT)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.get_by_role("button", name="Add a line").click()
    page.locator("#phase_code-2").fill("16-2100")
    page.locator("#amount-2").fill("75.50")
    page.locator("#title").fill("Typed before lunch")
    clock.tick(**LUNCH)
    page.get_by_role("button", name="Save", exact=True).click()
    again_at_the_form(page, dee)
    return draft


def again_at_the_form(page, person):
    arrived(page, "Sign in")
    page.get_by_label("E-mail").fill(person.email)
    back_in(page)
    page.wait_for_url("**/edit")
    expect(page.get_by_role("button", name="Put it back")).to_be_focused()
    expect(page.locator("#phase_code-2")).to_have_count(0)


def test_a_draft_comes_back_with_the_lines_that_were_not_there_yet(page, returned):
    page.keyboard.press("Enter")

    expect(page.locator("#phase_code-2")).to_have_value("16-2100")
    expect(page.locator("#title")).to_have_value("Typed before lunch")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("saved")
    assert [str(line.amount) for line in load(returned.id).lines][-1] == "75.50"
    expect_kept(page, 0)


def test_a_draft_is_offered_once_more_when_the_session_ended_before_it_was_put_back(page, returned, dee, clock):
    clock.tick(**LUNCH)
    page.keyboard.press("Enter")
    again_at_the_form(page, dee)

    page.keyboard.press("Enter")

    expect(page.locator("#phase_code-2")).to_have_value("16-2100")
    expect_kept(page, 0)


def test_a_setting_is_saved_as_pressed_after_the_portal_asked_again_who_it_is(page, served, eve, company, clock):
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")
    page.get_by_label("Hour").fill("9")
    page.get_by_label("Send approvers a daily summary").uncheck()
    clock.tick(minutes=16)
    page.get_by_role("button", name="Save daily summary").click()
    arrived(page, "Confirm that it is you")
    page.get_by_label("Password of").fill(PASSWORD)

    page.get_by_role("button", name="Confirm").click()

    arrived(page, "Company settings")
    expect(page.get_by_text("Saved").first).to_be_visible()
    expect(page.get_by_label("Hour")).to_have_value("9")
    expect(page.get_by_label("Send approvers a daily summary")).not_to_be_checked()
    expect(page.locator(".offer")).to_have_count(0)
    kept = Company.get_by_id(company.id)
    assert (kept.summary_hour, kept.daily_summary) == (9, False)
    expect_kept(page, 0)


def test_a_draft_that_was_left_by_a_link_is_offered_when_it_is_opened_again(page, served, dee, make_change_order):
    draft = make_change_order(Status.DRAFT)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.locator("#title").fill("Typed and left")

    page.get_by_role("link", name="Your change orders").first.click()
    arrived(page, "Your change orders")
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.get_by_role("button", name="Put it back").click()

    expect(page.locator("#title")).to_have_value("Typed and left")


def test_what_was_saved_before_the_page_was_left_is_not_offered(page, served, dee, make_change_order):
    draft = make_change_order(Status.DRAFT)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.locator("#title").fill("Typed and saved")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("saved")

    page.goto(f"{served}/change-orders/{draft.id}/edit")

    expect(page.locator("#title")).to_have_value("Typed and saved")
    expect(page.locator(".offer")).to_have_count(0)
    expect_kept(page, 0)


def test_what_was_typed_into_a_draft_that_somebody_else_sent_is_offered_when_it_comes_back(page, served, dee, ana, make_change_order):
    draft = make_change_order(Status.DRAFT)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.locator("#title").fill("Typed too late")
    sent = sending.send(draft.id, dee, draft.version)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".problem")).to_contain_text("Below is what you typed, not what is recorded.")
    expect(page.locator("#title")).to_have_value("Typed too late")
    decisions.reject(draft.id, ana, sent.version, "Correct the title.")

    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.get_by_role("button", name="Put it back").click()

    expect(page.locator("#title")).to_have_value("Typed too late")
