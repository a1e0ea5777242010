"""Sessions, passwords and the proof of identity in a real browser, with and without JavaScript, wide and narrow, by day and night."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal import clock
from portal.domain import companies, people
from portal.domain.accounts import password_links, sessions
from portal.domain.accounts.sessions import Place, Session
from portal.domain.people import Level
from tests.browser.signing_in import arrived, sign_in, violations
from tests.conftest import PASSWORD

NEW = "four words nobody knows"
EITHER = pytest.mark.parametrize("fixture", ["page", "page_without_javascript"])
ELSEWHERE = Place("10.0.0.7", "Firefox on Windows")


def forget_proof():
    Session.update(confirmed_at=clock.now() - timedelta(minutes=16)).execute()


def test_a_change_of_rights_asks_for_the_password_and_is_then_made(page, served, eve, ben):
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/people")
    forget_proof()

    page.locator(f"#level-{ben.id}").select_option("Standard")
    arrived(page, "Confirm that it is you")
    expect(page.get_by_label("Password of eve@example.test")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    arrived(page, "People")

    assert people.by_id(ben.id).level == Level.STANDARD


def test_without_javascript_a_change_of_settings_asks_too(page_without_javascript, served, eve):
    page = page_without_javascript
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/tokens")
    forget_proof()

    page.get_by_role("button", name="Make token").click()
    arrived(page, "Confirm that it is you")
    page.get_by_label("Password of eve@example.test").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    arrived(page, "Access tokens")
    expect(page.get_by_text("Choose at least one: read, write or send.").first).to_be_visible()  # the answer to what was pressed


def test_without_javascript_too_a_change_is_made_once_the_password_was_given(page_without_javascript, served, eve):
    page = page_without_javascript
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")
    forget_proof()

    page.get_by_label("Company name").fill('Łódź "& Sons')
    page.get_by_role("button", name="Save company").click()
    page.get_by_label("Password of eve@example.test").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()

    expect(page.locator(".notice")).to_contain_text("Saved")
    assert companies.current().name == 'Łódź "& Sons'


@EITHER
def test_a_session_elsewhere_is_seen_and_ended(request, served, ana, fixture):
    page = request.getfixturevalue(fixture)
    elsewhere = sessions.sign_in(ana.email, PASSWORD, ELSEWHERE)
    sign_in(page, served, ana)
    page.goto(f"{served}/profile")
    expect(page.get_by_role("cell", name="This one")).to_be_visible()

    page.get_by_role("button", name="End the session with Firefox on Windows").click()
    expect(page.get_by_text("The session with Firefox on Windows is ended.")).to_be_visible()

    assert sessions.find(elsewhere) is None


@EITHER
def test_a_password_is_changed(request, served, ana, fixture):
    page = request.getfixturevalue(fixture)
    sign_in(page, served, ana)
    page.goto(f"{served}/profile")

    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password once more").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed. Your other sessions ended.")).to_be_visible()

    assert sessions.sign_in(ana.email, NEW)


@EITHER
def test_a_link_leads_to_a_new_password(request, served, ana, fixture):
    page = request.getfixturevalue(fixture)
    page.goto(f"{served}/login")
    page.get_by_role("link", name="Forgotten password?").click()
    arrived(page, "Forgotten password")
    page.get_by_label("E-mail").fill(ana.email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_text("If there is an account with this address")).to_be_visible()

    page.goto(f"{served}/password/{password_links.make(ana)}")
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("The same once more").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    arrived(page, "Sign in")
    expect(page.get_by_text("Your new password is set")).to_be_visible()

    assert sessions.sign_in(ana.email, NEW)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_pages_wide_and_narrow_by_day_and_night(page, served, eve, ana, shot, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for _ in range(2):
        sessions.sign_in(ana.email, PASSWORD, ELSEWHERE)
    for _ in range(5):
        sessions.prove(ana.email, "wrong", "10.0.0.8")

    def look(path, heading):
        page.goto(f"{served}{path}")
        arrived(page, heading)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shot(page, f"{heading.lower().replace(' ', '-')}-{width}-{scheme}")

    look("/login", "Sign in")
    look("/password", "Forgotten password")
    look(f"/password/{password_links.make(ana)}", "Choose a password")
    sign_in(page, served, eve)
    sessions.sign_in(eve.email, PASSWORD, ELSEWHERE)
    look("/profile", "Your profile")
    look(f"/settings/people/{ana.id}/sign-in", "Sign-in of Ana Ortiz")
    forget_proof()
    look("/confirm?next=/settings/people", "Confirm that it is you")
