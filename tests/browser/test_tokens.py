"""Access tokens in a real browser: made, shown once and revoked, with and without JavaScript, wide and narrow, by day and night."""

import pytest
from playwright.sync_api import expect

from portal.domain.accounts import api_tokens, rights
from portal.domain.accounts.api_tokens import Token
from tests.browser.signing_in import arrived, sign_in, violations


@pytest.fixture
def tokens_page(served, eve):
    """Opens the page as Eve, who is Admin."""

    def open_it(page):
        sign_in(page, served, eve)
        page.goto(f"{served}/settings/tokens")
        return arrived(page, "Access tokens")

    return open_it


def make(page, name, person):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Acts for").select_option(str(person.id))
    page.get_by_label("read: list and show change orders").check()
    page.get_by_role("button", name="Make token").click()


@pytest.mark.parametrize("fixture", ["page", "page_without_javascript"])
def test_a_token_is_made_shown_once_and_revoked(request, tokens_page, dee, fixture):
    page = tokens_page(request.getfixturevalue(fixture))

    make(page, "Procore sync", dee)
    shown = page.locator("#made")
    expect(shown).to_be_focused()
    text = shown.locator("code").inner_text()
    assert api_tokens.find(text).name == "Procore sync"
    page.get_by_role("link", name="Access tokens").click()
    expect(shown).to_have_count(0)
    assert text not in page.content()
    page.get_by_role("button", name="Revoke Procore sync").click()

    expect(page.get_by_text("The token Procore sync is revoked")).to_be_visible()
    assert api_tokens.find(text) is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_page_wide_and_narrow_by_day_and_night(page, tokens_page, eve, dee, sam, shot, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for name, person, days in (("Warehouse", dee, None), ("Procore sync of the northern region, nightly", sam, 30), ("Old", dee, 1)):
        api_tokens.make(name, person.id, {"read", "write", "send"}, days, eve)
    api_tokens.revoke(Token.get(Token.name == "Old").id, eve)
    rights.set_active(sam.id, False)
    tokens_page(page)
    fits(page, width)
    shot(page, f"tokens-{width}-{scheme}")

    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#problems")).to_be_focused()
    fits(page, width)
    shot(page, f"refused-{width}-{scheme}")
    make(page, "New", dee)
    expect(page.locator("#made")).to_be_focused()
    fits(page, width)
    shot(page, f"made-{width}-{scheme}")


def fits(page, width):
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
