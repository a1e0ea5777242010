"""The project side in a real browser: written, corrected, sent and sent again, by keyboard and by mouse."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from portal.domain.commitments import Commitment
from portal.domain.projects import sending
from portal.domain.review import decisions
from tests.browser.signing_in import arrived, sign_in, violations


def row(page, change_order):
    return page.locator(f"#change-order-{change_order.id}")


def tab_to(page, what):
    """By the Tab key alone, as somebody without a mouse gets there."""
    for _ in range(100):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key does not lead to {what}.")


def test_rejected_corrected_sent_again_and_accepted_with_the_difference_shown(page, served, ana, dee, change_order, shot):
    decisions.reject(change_order.id, ana, change_order.version, "Line 1 is material")
    sign_in(page, served, dee)
    page.get_by_role("link", name="Relocate duct bank").click()
    expect(page.get_by_text("Line 1 is material")).to_be_visible()
    page.get_by_label("Cost type, line 1").fill("M")
    page.get_by_label("Amount, line 1").fill("4000.00")
    page.get_by_role("button", name="Re-send to ERP").click()
    expect(page.get_by_text("CCO 001 sent to accounting.")).to_be_visible()
    page.context.clear_cookies()

    sign_in(page, served, ana)
    row(page, change_order).locator(".since summary").press("Enter")

    table = row(page, change_order).get_by_role("table", name="Changed since revision 1 was sent back")
    expect(table.get_by_role("row", name="Line 1, cost type SUB M")).to_be_visible()
    expect(table.get_by_role("row", name="Line 1, amount $4,250.00 $4,000.00")).to_be_visible()
    assert violations(page) == []
    row(page, change_order).get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Export").click()
    expect(row(page, change_order)).to_contain_text("Queued")
    assert load(change_order.id).state is Status.QUEUED


def test_a_draft_with_seven_findings_is_corrected_by_keyboard_and_sent(page, served, dee, make_change_order, shot):
    lines = [
        ("", "SUB", "1.00"),
        ("16-2000", "SUBC", "2.00"),
        ("16-3000", "SUB", None),
        ("16-4000", "SUB", "3.00"),
        ("16-4000", "SUB", "4.00"),
    ]
    draft = make_change_order("draft", title="x" * 31, lines=[*lines, ("16-6000", "", "5.00"), ("16-7000", "S*B", "6.00")])
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    verdict, keys = page.locator("#verdict"), page.keyboard
    expect(verdict).to_have_text("7 things must be corrected before it can be sent.")
    shot(page, "seven")

    corrections = {"title": "Duct bank", "phase_code-1": "16-1000", "cost_type-2": "SUB", "amount-3": "10.00", "cost_type-6": "SUB"}
    for left, (field, text) in zip((6, 5, 4, 3, 2), corrections.items(), strict=True):
        tab_to(page, f"#{field}")
        keys.press("ControlOrMeta+a")
        keys.type(text)
        expect(verdict).to_have_text(f"{left} things must be corrected before it can be sent.")
    expect(page.locator("#total")).to_have_text("$31.00")
    expect(page.locator("#at-amount-3")).to_be_empty()
    tab_to(page, "#cost_type-7")
    keys.press("ControlOrMeta+a")
    keys.type("SUB")
    expect(verdict).to_have_text("1 thing must be corrected before it can be sent.")
    tab_to(page, "button[value=preview]")
    keys.press("Enter")
    expect(page.get_by_role("region", name="Combine repeated lines")).to_contain_text("Lines 4 and 5 become one line")
    assert violations(page) == []
    shot(page, "combine")
    tab_to(page, "button[value=now]")
    keys.press("Enter")
    expect(verdict).to_have_text("Ready to send.")
    tab_to(page, "button.primary")
    keys.press("Enter")

    expect(page.get_by_text("CCO 001 sent to accounting.")).to_be_visible()
    now = load(draft.id)
    assert (now.state, str(now.amount), len(now.lines)) == (Status.READY, "31.00", 6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_see_what_changed(page, served, ana, dee, make_change_order, shot, scheme, width):
    returned = make_change_order("rejected", lines=[("16-2000", "SUB", "4250.00"), ("16-3000", "SUB", "100.00")])
    line = sending.LineDraft("16-2000", "M", Decimal("4000.00"))
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "Relocate duct bank", "As per RFI 12", [line]))
    sent = sending.send(returned.id, dee, load(returned.id).version)
    make_change_order()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, served, ana)

    row(page, sent).get_by_text("changes since rev 1").click()
    assert violations(page) == []
    shot(page, f"since-row-{scheme}-{width}")
    page.goto(f"{served}/change-orders/{sent.id}")
    assert violations(page) == []
    shot(page, f"since-page-{scheme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_pages_of_a_job(page, served, dee, job, commitment, make_change_order, shot, scheme, width):
    Commitment.update(original_amount=Decimal("120000.00")).execute()
    ready, returned = (make_change_order(status) for status in ("ready", "rejected"))
    for status in ("exported", "void", "queued", "unknown", "failed", "retrieved"):
        make_change_order(status)
    flawed = make_change_order("draft", title="x" * 31, lines=[("", "SUB", "1.00"), ("16-2000", "S*B", None), ("16-2000", "S*B", "-3.00")])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, served, dee)

    for path, name in (
        ("/jobs", "jobs"),
        (f"/jobs/{job.id}", "job"),
        (f"/jobs/{job.id}/commitments", "commitments"),
        (f"/commitments/{commitment.id}", "commitment"),
        (f"/commitments/{commitment.id}/change-orders/new", "new"),
        (f"/change-orders/{flawed.id}/edit", "flawed"),
        (f"/change-orders/{returned.id}/edit", "returned"),
        (f"/change-orders/{ready.id}/edit", "ready"),
    ):
        page.goto(f"{served}{path}")
        assert violations(page) == []
        shot(page, f"{name}-{scheme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_page_on_which_administrators_void_drafts(page, served, eve, make_change_order, shot, scheme, width):
    draft = make_change_order("draft")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, served, eve)
    page.goto(f"{served}/jobs")
    page.get_by_text("Other jobs (1)").click()
    assert violations(page) == []

    page.get_by_role("link", name="24-117 Harbor Tower").click()
    arrived(page, "24-117 Harbor Tower")
    page.locator(f"#closed-{draft.id} summary").press("Enter")
    expect(page.get_by_role("button", name=f"Void CCO {draft.number}")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"closed-{scheme}-{width}")
