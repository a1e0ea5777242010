"""The daily summary's settings, the profile, and mail that was not delivered, in a real browser."""

import pytest
from playwright.sync_api import expect

from portal.domain import companies, people
from portal.domain.mail import letters
from portal.domain.outbox import Dispatch
from portal.domain.review import decisions
from tests.browser.signing_in import arrived, sign_in, violations


@pytest.fixture
def undelivered(make_change_order, ana):
    """Two mails that the mail server refused."""
    for number in ("004", "005"):
        change_order = make_change_order(number=number)
        decisions.reject(change_order.id, by=ana, version=change_order.version, reason="Wrong cost type")
    for dispatch in Dispatch.select():
        letters.refused(dispatch, "550 5.1.1 no such user")


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_hour_and_days_are_chosen_with_and_without_javascript(browser_page, served, eve, request):
    page = request.getfixturevalue(browser_page)
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")

    form = page.locator("#summary")
    form.get_by_label("Hour").fill("16")
    form.get_by_label("Friday").uncheck()
    form.get_by_label("Sunday").check()
    form.get_by_role("button", name="Save daily summary").click()

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    kept = companies.current()
    assert (kept.summary_hour, kept.summary_days, kept.daily_summary) == (16, "12347", True)


def test_no_day_at_all_is_told_beside_the_days(page, served, eve):
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        page.get_by_label(day).uncheck()

    page.get_by_role("button", name="Save daily summary").click()

    expect(page.locator("#problems")).to_be_focused()
    assert violations(page) == []
    page.get_by_role("link", name="Choose at least one day").click()
    expect(page.get_by_role("group", name="Days")).to_be_focused()


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_the_summary_is_declined_behind_ones_name(browser_page, served, ana, request):
    page = request.getfixturevalue(browser_page)
    sign_in(page, served, ana)
    page.get_by_text("Ana Ortiz", exact=True).click()
    page.get_by_role("link", name="Your profile").click()
    arrived(page, "Your profile")

    page.get_by_label("Send me the daily summary").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status").filter(has_text="You get no daily summary.")).to_be_visible()
    assert not people.by_id(ana.id).wants_summary


def test_mail_that_was_not_delivered_is_found_and_sent_again(page, served, eve, undelivered):
    sign_in(page, served, eve)
    page.get_by_role("link", name="Mail 2 not delivered").click()
    arrived(page, "Mail not delivered")

    page.get_by_role("button", name="Send again to Dee Sørensen").first.click()
    expect(page.get_by_text("The mail to Dee Sørensen goes out again")).to_be_visible()
    page.get_by_role("button", name="Set aside the mail to Dee Sørensen").click()

    expect(page.get_by_text("All mail went out.")).to_be_visible()
    expect(page.get_by_role("link", name="not delivered")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize("path", ["/settings/mail", "/profile", "/settings/company"])
def test_everybody_can_use_the_pages_wide_and_narrow_by_day_and_night(page, served, eve, undelivered, path, width, scheme, shot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, served, eve)
    page.goto(f"{served}{path}")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"{path.strip('/').replace('/', '-')}-{width}-{scheme}")
