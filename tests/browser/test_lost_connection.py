"""A row that asks for itself goes on asking when the server was away for a while."""

from playwright.sync_api import expect

from portal.spectrum.records import Receipt
from tests.browser.signing_in import sign_in
from tests.cast import export


def test_a_row_in_flight_asks_again_after_a_failure_and_arrives(page, served, ana, make_change_order):
    queued = make_change_order("queued")
    sign_in(page, served, ana)
    page.clock.install()
    page.goto(f"{served}/change-orders?view=progress")
    row = page.locator(f"#change-order-{queued.id}")
    expect(row).to_contain_text("Queued")

    page.context.set_offline(True)
    page.clock.run_for(3_000)
    expect(page.locator("#alert")).to_contain_text("No answer from the server.")
    expect(row).to_contain_text("Queued")
    export(queued, Receipt(200))
    page.context.set_offline(False)
    page.clock.run_for(20_000)

    expect(row).to_contain_text("Exported")
