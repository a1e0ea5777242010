"""The settings, in a real browser: by mouse, by keyboard alone, without JavaScript, and for people who hear the page."""

import pytest
from playwright.sync_api import expect

from portal.domain import companies, events, people
from portal.domain.accounts import rights
from portal.domain.exporting import pausing
from portal.domain.people import Level
from tests.browser.signing_in import sign_in, violations

OFFLINE = ("Failed to load resource", "htmx: htmx:error: Failed to fetch")  # what a browser and htmx say of a server that fails or is away


@pytest.fixture
def eve_at(served, eve):
    """Puts Eve, signed in, before a page of the settings."""

    def open(page, path):
        sign_in(page, served, eve)
        page.goto(f"{served}{path}")
        return page

    return open


@pytest.fixture(autouse=True)
def complaints(request):
    """Nothing may be refused by the content security policy, and no script may fail."""
    if "page" not in request.fixturenames:
        yield
        return
    page, heard = request.getfixturevalue("page"), []
    page.on(
        "console",
        lambda message: heard.append(message.text) if message.type == "error" and not message.text.startswith(OFFLINE) else None,
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield
    assert heard == []


def expect_focus(page, id):
    expect(page.locator(f"#{id}")).to_be_focused()


def test_that_something_was_saved_is_seen_however_far_down_the_page_it_was(page, eve_at, company):
    eve_at(page, "/settings/company")

    page.get_by_role("button", name="Save company").click()

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", name="Company", exact=True)).to_be_in_viewport()
    assert page.evaluate("scrollY") > 0


def test_sign_in_by_keyboard_and_out_again(page, served, ana):
    page.goto(f"{served}/login")
    expect_focus(page, "email")
    page.keyboard.type("ana@example.test")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="don’t match")).to_be_visible()
    expect_focus(page, "password")
    assert violations(page) == []

    page.keyboard.type("a long password for tests")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Change Orders - Ready to be Exported to Spectrum")

    page.get_by_text("Ana Ortiz").press("Enter")
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_level_is_changed_where_it_stands_and_the_change_is_said(page, eve_at, ben, shot):
    eve_at(page, "/settings/people")

    page.get_by_role("combobox", name="Level of Ben Okafor").select_option("Standard")

    expect(page.locator("#say")).to_contain_text("Ben Okafor: Sees everything, looks after failed exports.")
    assert people.by_id(ben.id).level == Level.STANDARD
    expect_focus(page, f"level-{ben.id}")
    expect(page.get_by_role("button", name="Save the level of Ben Okafor")).to_be_hidden()
    shot(page, "people")


def test_rights_are_changed_by_keyboard_alone(page, eve_at, ben):
    eve_at(page, "/settings/people")
    page.get_by_role("combobox", name="Level of Ben Okafor").focus()

    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#person-{ben.id}")).to_contain_text("looks after failed exports")
    expect_focus(page, f"level-{ben.id}")
    page.keyboard.press("Tab")
    expect_focus(page, f"push-{ben.id}")
    page.keyboard.press("Space")

    expect(page.locator(f"#person-{ben.id}")).to_contain_text("accepts, rejects and retries")
    expect_focus(page, f"push-{ben.id}")
    assert people.by_id(ben.id).may_decide


def test_going_through_the_levels_with_the_arrows_saves_once_at_the_end(page, eve_at, dee):
    page.clock.install(time=0)
    eve_at(page, "/settings/people")
    page.get_by_role("combobox", name="Level of Dee Sørensen").focus()

    page.clock.pause_at(3_600_000)  # so that no two keys are far apart, however busy this machine is
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.clock.resume()
    expect(page.locator(f"#person-{dee.id}")).to_contain_text("manages settings and people")

    assert people.by_id(dee.id).level == Level.ADMIN
    assert len(events.history("user", dee.id)) == 1


def test_a_refusal_gives_the_old_value_back_with_the_reason(page, eve_at, eve, make_user):
    fay = make_user("Fay Wong", level=Level.ADMIN)
    eve_at(page, "/settings/people")
    people.User.update(level=Level.STANDARD).where(people.User.id == eve.id).execute()

    page.get_by_role("combobox", name="Level of Fay Wong").select_option("None")

    expect(page.locator("#alert")).to_contain_text("Only administrators see and change settings")
    assert people.by_id(fay.id).level == Level.ADMIN


def test_an_expired_session_leads_to_the_sign_in_page_and_back(page, served, eve_at, ben, eve, clock):
    eve_at(page, "/settings/people")
    clock.tick(minutes=31)

    page.get_by_label("Can Push to Accounting: Ben Okafor").click()

    expect(page.get_by_text("You were signed out after 30 minutes without activity.")).to_be_visible()
    page.get_by_label("E-mail").fill(eve.email)
    page.get_by_label("Password").fill("a long password for tests")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served}/settings/people")
    assert not people.by_id(ben.id).can_push


def test_no_answer_from_the_server_is_told_and_nothing_is_lost(page, eve_at, ben):
    eve_at(page, "/settings/people")
    page.context.set_offline(True)

    page.get_by_label("Can Push to Accounting: Ben Okafor").click()

    expect(page.locator("#alert")).to_contain_text("No answer from the server.")
    expect_focus(page, f"push-{ben.id}")


def test_a_fault_of_the_server_is_told_with_its_reference_and_not_in_the_table(page, eve_at, ben, monkeypatch):
    eve_at(page, "/settings/people")
    monkeypatch.setattr(rights, "set_privilege", lambda *_, **__: 1 / 0)
    monkeypatch.setattr("flask.Flask.testing", False)

    page.get_by_label("Can Push to Accounting: Ben Okafor").click()

    expect(page.locator("#alert")).to_contain_text("Something went wrong on our side")
    expect(page.locator("table")).not_to_contain_text("went wrong")


def test_rights_are_changed_without_javascript(page_without_javascript, eve_at, ben, shot):
    page = eve_at(page_without_javascript, "/settings/people")

    page.get_by_role("combobox", name="Level of Ben Okafor").select_option("Standard")
    page.get_by_role("button", name="Save the level of Ben Okafor").click()
    expect(page.get_by_role("status").filter(has_text="Ben Okafor: Sees everything")).to_be_visible()
    page.get_by_label("Can Push to Accounting: Ben Okafor").check()
    page.get_by_role("button", name="Save Can Push to Accounting of Ben Okafor").click()

    expect(page.get_by_role("status").filter(has_text="accepts, rejects and retries")).to_contain_text("Saved")
    assert people.by_id(ben.id).may_decide
    shot(page, "people-without-javascript")


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_the_company_is_changed_with_and_without_javascript(browser_page, eve_at, request):
    page = eve_at(request.getfixturevalue(browser_page), "/settings/company")

    page.get_by_label("Export delay in seconds").fill("45")
    page.get_by_label("Custom title and description").check()
    page.get_by_role("button", name="Save decisions").click()

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert (companies.current().export_delay, companies.current().custom_title) == (45, True)


def test_a_wrong_value_is_told_in_a_summary_that_leads_to_its_field(page, eve_at, shot):
    eve_at(page, "/settings/company")

    page.get_by_label("Company code").fill("A/B")
    page.get_by_role("button", name="Save Spectrum codes").click()

    expect_focus(page, "problems")
    expect(page.get_by_label("Company code")).to_have_value("A/B")
    assert violations(page) == []
    shot(page, "company-problem")
    page.get_by_role("link", name="The company code has 1 to 3 characters").click()
    expect_focus(page, "code")


@pytest.mark.parametrize("browser_page", ["page", "page_without_javascript"])
def test_a_setting_that_accepted_change_orders_carry_is_changed_after_a_question(browser_page, eve_at, make_change_order, request, shot):
    make_change_order("queued")
    page = eve_at(request.getfixturevalue(browser_page), "/settings/company")

    page.get_by_label("Company code").fill("XYZ")
    page.get_by_role("button", name="Save Spectrum codes").click()
    expect(page.locator("#carriers")).to_contain_text("1 change order was accepted with the old value and is not exported yet.")
    assert companies.current().code == "ABC"
    if browser_page == "page":
        expect_focus(page, "carriers")
        assert violations(page) == []
        shot(page, "company-carriers")
    page.get_by_label("Save anyway").check()
    page.get_by_role("button", name="Save Spectrum codes").click()

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    assert companies.current().code == "XYZ"


def test_paused_exports_are_resumed(page, eve_at, eve, company, shot):
    pausing.pause(company.lane, eve, "month-end close")
    eve_at(page, "/settings/company")
    assert violations(page) == []
    shot(page, "company-paused")

    page.get_by_role("button", name="Resume exports").click()

    expect(page.get_by_text("Exports resumed.")).to_be_visible()
    expect(page.get_by_text("Exports are paused")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize("path", ["/login", "/settings/people", "/settings/company", "/nope"])
def test_everybody_can_use_the_pages_wide_and_narrow_by_day_and_night(page, served, eve_at, ana, ben, dee, sam, path, width, scheme, shot):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if path == "/login":
        page.goto(f"{served}/login")
    else:
        people.User.update(can_push=True).where(people.User.id == ben.id).execute()
        eve_at(page, path)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"{path.strip('/').replace('/', '-')}-{width}-{scheme}")


def test_the_skip_link_leads_to_the_content(page, eve_at):
    eve_at(page, "/settings/people")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect_focus(page, "main")
