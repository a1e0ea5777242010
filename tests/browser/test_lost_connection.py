"""A lost connection, and a decision that came too late: a row goes on asking, and nothing typed or said is wiped away."""

from playwright.sync_api import expect

from portal.spectrum.records import Receipt
from tests.browser.signing_in import sign_in
from tests.cast import export, signed


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


def test_no_answer_is_said_beside_the_button_that_was_pressed_until_the_next_try(page, served, ana, make_change_order):
    ready = [make_change_order() for _ in range(30)][-1]
    sign_in(page, served, ana)
    page.goto(f"{served}/change-orders")
    row = page.locator(f"#change-order-{ready.id}")
    row.get_by_role("button", name="Accept").click()
    row.get_by_role("button", name="Export").wait_for()

    page.context.set_offline(True)
    row.get_by_role("button", name="Export").click()

    note = row.locator(".unanswered")
    expect(note).to_contain_text("No answer from the server.")
    expect(note).to_be_in_viewport()
    expect(page.locator("#alert")).to_contain_text("No answer from the server.")
    page.context.set_offline(False)
    row.get_by_role("button", name="Export").click()
    expect(row).to_contain_text("Queued")
    expect(page.locator(".unanswered")).to_have_count(0)


def test_a_row_with_a_reason_that_was_not_recorded_waits_until_the_person_is_done_with_it(page, served, ana, lee, make_change_order):
    ready = make_change_order()
    sign_in(page, served, ana)
    page.clock.install()
    page.goto(f"{served}/change-orders")
    row = page.locator(f"#change-order-{ready.id}")
    row.get_by_role("button", name="Reject").click()
    page.locator(f"#reason-{ready.id}").fill("The phase is that of the other building.")
    queued = signed(ready.id, lee, ready.version)
    row.get_by_role("button", name="Reject").click()
    expect(row).to_contain_text("You had written: “The phase is that of the other building.”")

    export(queued, Receipt(200))
    page.clock.run_for(60_000)

    expect(row).to_contain_text("You had written: “The phase is that of the other building.”")
    row.get_by_role("link", name="Done with it").click()
    expect(row).to_contain_text("Exported")
    expect(row).not_to_contain_text("You had written")
