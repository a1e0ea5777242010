"""The workbook and the help page in a real browser."""

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.people import Level
from tests.browser.signing_in import sign_in, violations


@pytest.fixture
def ada(make_user):
    """An administrator with the privilege."""
    return make_user("Ada Quist", level=Level.ADMIN, can_push=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_help_page_and_the_failed_rows(page, served, ana, make_change_order, shot, scheme, width):
    make_change_order("failed")
    make_change_order("unknown")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders?view=failed")
    assert violations(page) == []
    shot(page, f"failed-{scheme}-{width}")

    page.get_by_role("link", name="What does this mean?").first.press("Enter")

    expect(page.locator("tr:target")).to_contain_text("The phase and cost type may be missing on the job, or Complete.")
    expect(page.locator("tr:target")).to_be_in_viewport()
    assert violations(page) == []
    shot(page, f"help-{scheme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_leaving_as_a_workbook_by_keyboard_brings_the_file_and_the_rows_tell_it(page, served, ada, make_change_order, shot):
    queued = make_change_order("queued")
    sign_in(page, served, ada)
    page.goto(f"{served}/change-orders?view=progress")

    page.get_by_text("Leave as a workbook").first.press("Enter")
    assert violations(page) == []
    shot(page, "progress")
    with page.expect_download() as download:
        page.get_by_role("button", name="Leave as a workbook").press("Enter")

    assert download.value.suggested_filename.startswith("spectrum-")
    expect(page.locator(f"#change-order-{queued.id}")).to_contain_text("Failed to Export")
    assert load(queued.id).state is Status.FAILED
    page.goto(f"{served}/change-orders?view=failed")
    expect(page.get_by_text("is in the workbook spectrum-")).to_be_visible()
    with page.expect_download():
        page.get_by_role("link", name="Workbook").click()
    assert violations(page) == []
    shot(page, "left")
