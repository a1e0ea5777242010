"""Asking the sender, answering, and holding, in a real browser and in every width; the context of a decision; previews of mail."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from portal.domain import waiting
from portal.domain.accounts import preferences
from portal.domain.accounts.preferences import Kind
from portal.domain.change_orders import load
from portal.domain.commitments import Commitment
from portal.domain.review import decisions, holds, questions
from tests.browser.signing_in import sign_in, violations
from tests.conftest import KEY

WIDTHS = (1440, 768, 360)
TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


def fits(page, shot, name):
    """No page is wider than its window; a picture of each width is kept."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        shot(page, f"{name}-{width}")
        assert not page.evaluate(TOO_WIDE), f"{name} is wider than {width} px"
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.fixture
def full(make_change_order, commitment, ana):
    """One that waits, in a contract that has grown, beside a possible duplicate."""
    Commitment.update(original_amount=Decimal("40000.00")).where(Commitment.id == commitment.id).execute()
    sent_back = make_change_order(lines=[("16-2000", "SUB", "900.00")], title="Temporary power")
    decisions.reject(sent_back.id, ana, sent_back.version, "Line 1 belongs to phase 26-0519.")
    make_change_order("exported")
    return make_change_order()


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_an_approver_asks_and_the_sender_answers(browser_page, served, full, ana, dee, request, shot):
    page, js = request.getfixturevalue(browser_page), browser_page == "page"
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders/{full.id}")
    page.get_by_label("More for CCO").click()
    page.get_by_role("link", name="Ask the sender").click()
    question = page.get_by_label("Your question. The sender gets it by mail")
    expect(question).to_be_focused()
    question.fill("Does line 1 include the fittings?")
    page.get_by_role("button", name="Ask CCO").click()

    expect(page.locator("#waiting")).to_contain_text("Does line 1 include the fittings?")
    if js:
        assert violations(page) == []
    page.context.clear_cookies()
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{full.id}#waiting")
    if js:
        fits(page, shot, "question")
    page.get_by_label("Your answer").fill("Yes, all of them.")
    page.get_by_role("button", name="Send the answer").click()

    expect(page.locator("#waiting")).to_contain_text("Dee Sørensen answered")
    expect(page.locator("#waiting")).to_contain_text("Yes, all of them.")


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_an_approver_holds_and_releases(browser_page, served, full, ana, request):
    page = request.getfixturevalue(browser_page)
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders/{full.id}")
    page.get_by_label("More for CCO").click()
    page.get_by_role("link", name="Hold", exact=False).click()
    until = page.get_by_label("On hold until")
    expect(until).to_be_focused()
    until.fill(waiting.today(full.company).replace(year=waiting.today(full.company).year + 1, day=1).isoformat())
    page.get_by_label("What does it wait for?").fill("The owner signs on Friday.")
    page.locator("form.decision").get_by_role("button", name="Hold").click()

    expect(page.locator("#waiting")).to_contain_text("The owner signs on Friday.")
    page.get_by_role("button", name="Release").click()
    expect(page.locator("#waiting")).to_have_count(0)
    assert load(full.id).held_until is None


def test_the_page_and_the_form_fit_every_width(page, served, full, ana, dee, shot):
    questions.ask(full.id, ana, full.version, "Does line 1 include the fittings?")
    questions.answer(full.id, dee, questions.latest(full).seq, "Yes, all of them.")
    until = waiting.today(full.company).replace(year=waiting.today(full.company).year + 1, day=1)
    holds.hold(full.id, ana, load(full.id).version, min(until, waiting.today(full.company) + holds.LONGEST), "The owner signs on Friday.")
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders/{full.id}")
    expect(page.get_by_text("Possible duplicate:")).to_be_visible()
    fits(page, shot, "page")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("You can decide it all the same.")).to_be_visible()
    fits(page, shot, "acceptance")
    assert violations(page) == []


def test_previews_and_the_stop_page_fit_every_width(page, served, eve, ana, shot):
    page.goto(f"{served}/unsubscribe/{preferences.link((KEY,), ana, Kind.SUMMARY)}")
    fits(page, shot, "unsubscribe")
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/mail/previews")
    fits(page, shot, "previews")
    for kind in ("daily-summary", "rejected", "question", "resubmitted"):
        page.goto(f"{served}/settings/mail/previews/{kind}")
        fits(page, shot, kind)
        assert violations(page) == []
        page.get_by_role("link", name="Open the HTML part").click()
        fits(page, shot, f"{kind}-html")
    page.goto(f"{served}/settings/company#look")
    fits(page, shot, "company")
