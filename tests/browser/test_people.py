"""People and their rights in a real browser: asking for the privilege, answering, deactivating, and a reason with one press."""

import pytest
from playwright.sync_api import expect

from portal.domain import companies, people
from portal.domain.accounts import request_privilege, rights
from portal.domain.accounts.privilege_requests import PrivilegeRequest
from tests.browser.signing_in import sign_in, violations


@pytest.fixture
def at(served):
    """Puts somebody, signed in, before a page."""

    def open(page, person, path):
        sign_in(page, served, person)
        page.goto(f"{served}{path}")
        return page

    return open


def test_one_click_asks_where_the_buttons_are_missing(page, at, ben, eve, change_order, shot):
    at(page, ben, "/change-orders")

    page.get_by_role("button", name="Ask for it").click()

    expect(page.locator("#asking")).to_contain_text("Eve Laurent can grant it; you get mail.")
    expect(page.locator("#asking")).to_be_focused()
    expect(page.locator("#say")).to_contain_text("You asked")
    assert PrivilegeRequest.get().person == ben
    assert violations(page) == []
    shot(page, "asked-for-the-privilege")


def test_the_number_of_requests_stands_apart_from_the_word_beside_it(page, at, ben, eve):
    request_privilege.ask(ben)
    at(page, eve, "/settings/people")

    gap = page.get_by_role("link", name="Settings 1 request").evaluate(
        """link => {
          const word = document.createRange();
          word.selectNode(link.firstChild);
          return link.querySelector(".count").getBoundingClientRect().left - word.getBoundingClientRect().right;
        }"""
    )

    assert gap >= 4


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_an_administrator_raises_and_grants_in_one_step(browser_page, at, ben, eve, request, shot):
    request_privilege.ask(ben, "I clear the list while Ana is away")
    page = at(request.getfixturevalue(browser_page), eve, "/settings/people")
    expect(page.get_by_role("link", name="Settings 1 request for Can Push to Accounting")).to_be_visible()

    page.get_by_label("Note to Ben Okafor").fill("Welcome")
    page.get_by_role("button", name="Raise to Standard and grant: Ben Okafor").click()

    expect(page.get_by_role("status").filter(has_text="Eve Laurent granted the request of Ben Okafor")).to_be_visible()
    expect(page.locator("#requests")).to_have_count(0)
    assert people.by_id(ben.id).may_decide
    shot(page, f"granted-{browser_page}")


def test_an_account_is_deactivated_with_a_second_press(page, at, ben, eve):
    at(page, eve, "/settings/people")

    page.get_by_label("Deactivate Ben Okafor").click()
    page.get_by_role("button", name="Yes, deactivate Ben Okafor").click()

    expect(page.locator(f"#account-{ben.id}")).to_have_text("Reactivate")
    expect(page.locator(f"#account-{ben.id}")).to_be_focused()
    assert not people.by_id(ben.id).active


def test_one_press_fills_in_a_reject_reason_and_the_next_can_send_it(page, at, ana, company, change_order):
    companies.Company.update(reject_reasons="Wrong cost type\nQuote missing").execute()
    at(page, ana, "/change-orders")

    page.locator(f"#reject-{change_order.id}").click()
    page.get_by_role("button", name="Quote missing").click()
    expect(page.get_by_label("What has to change? The sender sees this.")).to_have_value("Quote missing")
    page.locator("form.decision").get_by_role("button", name="Reject").click()

    expect(page.locator(f"#change-order-{change_order.id}")).to_contain_text("Rejected")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_people_page_with_requests_and_changes(page, at, ana, ben, eve, sam, make_user, width, scheme, shot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    request_privilege.ask(ben, "I clear the list while Ana is away")
    rights.set_privilege(sam.id, True, by=eve)
    make_user("Gus Hall", active=False)
    at(page, eve, "/settings/people")
    page.get_by_text("Add a person").click()

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"people-whole-{width}-{scheme}")
