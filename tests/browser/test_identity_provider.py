"""Signing in with the company's identity provider in a real browser: its own sign-in page, its question, and back under our page policy."""

import pytest
from playwright.sync_api import expect

from portal import clock
from portal.domain import people
from portal.domain.accounts.sessions import Session
from portal.domain.people import Level
from tests.browser.signing_in import arrived, violations
from tests.oidc import site


@pytest.fixture
def served_with(provider):
    return {"OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": site.CLIENT_ID, "OIDC_CLIENT_SECRET": site.CLIENT_SECRET}


def sign_in_there(page, name):
    arrived(page, "Company account")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(site.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    allow(page)


def allow(page):
    arrived(page, "May CCO Portal know who you are?")
    page.get_by_role("button", name="Allow").click()


def test_through_the_provider_and_back_and_again_before_a_change_of_rights(page, served, eve, ben, shot):
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{served}/settings/people")
    arrived(page, "Sign in")
    shot(page, "sign-in")

    page.get_by_role("link", name="Sign in with your company account").click()
    sign_in_there(page, "eve")

    arrived(page, "People")
    assert page.url == f"{served}/settings/people"
    Session.update(confirmed_at=clock.EPOCH).execute()
    page.goto(f"{served}/confirm?next=/settings/people")
    arrived(page, "Confirm that it is you")
    shot(page, "confirm")
    page.get_by_role("link", name="Confirm with your company account").click()
    sign_in_there(page, "eve")

    arrived(page, "People")
    expect(page.get_by_text("Thank you. Your change is not saved yet")).to_be_visible()
    assert not [line for line in said if "Content Security Policy" in line]
    assert people.by_id(ben.id).level == Level.READ_ONLY


def test_cancelling_there_leads_back_with_a_sentence(page, served, shot):
    page.goto(f"{served}/login")
    page.get_by_role("link", name="Sign in with your company account").click()
    arrived(page, "Company account")
    page.get_by_label("User name").fill("nia")
    page.get_by_label("Password").fill(site.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    arrived(page, "May CCO Portal know who you are?")
    page.get_by_role("button", name="Cancel").click()

    arrived(page, "Sign in")
    expect(page.get_by_role("alert").filter(has_text="You did not sign in at the identity provider.")).to_be_visible()
    shot(page, "cancelled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_sign_in_page(page, served, shot, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served}/login")

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"sign-in-{scheme}-{width}")
