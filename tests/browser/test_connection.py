"""The connection to Spectrum on the settings page, in a real browser: entered, tried, and asked for its lists."""

import threading

import pytest
from playwright.sync_api import expect

from portal import db
from portal.background import tasks
from portal.domain.lanes import Lane
from portal.domain.settings.spectrum_sign_in import Connection
from tests.browser.signing_in import sign_in, violations
from tests.processes import eventually
from tests.spectrum.process import SimulatorProcess, write_master


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"), write_master(tmp_path_factory.mktemp("master") / "master.json"))
    yield process
    process.kill()


@pytest.fixture
def worker(make_app, simulator, company):
    """Works through the lane of exports until told to stop, as the worker process does."""
    app, over = make_app(SPECTRUM_URL=simulator.url), threading.Event()

    def work():
        while not over.wait(0.2):
            with app.app_context():
                tasks.drain(company.lane)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()
    db.database.connect(reuse_if_open=True)


@pytest.fixture
def settings_page(page, served, eve):
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")
    return page


def test_the_sign_in_is_entered_and_its_secrets_are_gone_from_the_page(settings_page, shot):
    page = settings_page
    page.get_by_label("Authorization ID").fill("PORTALTEST")
    page.get_by_label("Enhanced authentication").check()
    page.get_by_label("Client ID").fill("PORTALTEST")
    page.get_by_label("Client secret", exact=True).fill("simulated-secret")
    page.get_by_label("Last day of the client secret").fill("2026-11-30")

    page.get_by_role("button", name="Save Spectrum connection").press("Enter")

    expect(page.get_by_text("Press Test connection to see whether Spectrum takes it.")).to_be_visible()
    expect(page.get_by_label("Client secret", exact=True)).to_have_value("")
    expect(page.get_by_label("Authorization ID")).to_have_value("")
    assert "simulated-secret" not in page.content()
    assert Connection.get().client_id == "PORTALTEST"
    assert violations(page) == []
    shot(page, "entered")


def test_a_test_tells_what_it_found_without_a_reload_and_keeps_focus(settings_page, worker, company, shot, clock):
    page = settings_page
    Lane.update(paused_at=clock.now(), reason="Spectrum rejected the portal's sign-in.").where(Lane.name == company.lane).execute()

    page.get_by_role("button", name="Test connection").press("Enter")

    expect(page.locator("#connection-test")).to_contain_text("Passed")
    expect(page.locator("#say")).to_contain_text("answered and accepts the Authorization ID")
    expect(page.locator("#connection-test").get_by_role("button", name="Resume exports")).to_be_visible()
    expect(page.get_by_role("button", name="Test connection")).to_be_focused()
    assert violations(page) == []
    shot(page, "tested")

    page.locator("#connection-test").get_by_role("button", name="Resume exports").click()
    expect(page.get_by_text("Exports resumed.")).to_be_visible()


def test_a_refresh_shows_how_far_it_is_and_what_it_brought(settings_page, worker, change_order, shot):
    page = settings_page

    page.get_by_role("button", name="Refresh from Spectrum").press("Enter")

    expect(page.locator("#say")).to_contain_text("Reading from Spectrum has ended.")
    expect(page.locator("#look-ups")).to_contain_text("Phases with cost type: 3, read")
    assert violations(page) == []
    shot(page, "read")


def test_all_of_it_works_without_javascript(page_without_javascript, served, eve, worker):
    page = page_without_javascript
    sign_in(page, served, eve)
    page.goto(f"{served}/settings/company")

    page.get_by_role("button", name="Test connection").click()
    page.wait_for_url("**/settings/company#connection")

    eventually(lambda: page.goto(f"{served}/settings/company") and "Passed" in page.content())


@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_looks_right(settings_page, width, scheme, shot):
    page = settings_page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page) == []
    shot(page, f"company-{width}-{scheme}")
