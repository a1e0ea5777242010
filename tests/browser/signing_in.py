"""What every browser test begins and ends with: signing in as a person does, and asking axe whether all can use the page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PASSWORD


def sign_in(page, address, person):
    """By the form; ends on the page where the person works."""
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def arrived(page, heading):
    """Waits until the page a click leads to is the one that stands there: a click does not wait for what it navigates to."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.wait_for_load_state()
    return page


def violations(page):
    """What axe-core finds wrong with the page, as lines to read; empty when nothing is. After a click see `arrived`."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
