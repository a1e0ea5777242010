"""What every browser test begins and ends with: signing in as a person does, and asking axe whether all can use the page."""

from axe_playwright_python.sync_playwright import Axe

from tests.conftest import PASSWORD


def sign_in(page, address, person):
    """By the form; ends on the page where the person works."""
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def violations(page):
    """What axe-core finds wrong with the page, as lines to read; empty when nothing is."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
