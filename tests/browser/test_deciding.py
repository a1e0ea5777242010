"""Accept and Reject in a real browser: by mouse, by keyboard alone, and for people who hear the page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from portal import clock
from portal.domain.change_orders import Status, load
from portal.domain.commitments import Commitment
from portal.domain.companies import Company
from portal.domain.review import lists
from portal.domain.rules import contributors
from portal.spectrum.records import Receipt, Refused, Row
from tests.browser.signing_in import arrived, violations
from tests.cast import export, signed

READY = "/change-orders?view=ready"


@pytest.fixture
def three(make_change_order, monkeypatch):
    """Three that wait, oldest first."""
    made = []
    for minutes, title in ((30, "Duct bank"), (20, "Landing steel"), (10, "Valve vault")):
        then = clock.now() - timedelta(minutes=minutes)
        with monkeypatch.context() as patch:
            patch.setattr(clock, "system", lambda then=then: then)
            made.append(make_change_order(title=title))
    return made


@pytest.fixture(autouse=True)
def complaints(page):
    """Nothing may be refused by the content security policy, and no script may fail."""
    heard = []
    page.on(
        "console", lambda message: heard.append(message.text) if message.type == "error" and "status of 4" not in message.text else None
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield
    assert heard == []


def row(page, change_order):
    return page.locator(f"#change-order-{change_order.id}")


def expect_focus(page, id):
    expect(page.locator(f"#{id}")).to_be_focused()


def test_two_clicks_accept_and_the_next_row_is_ready(ana_at, three, shot):
    page = ana_at()
    first, second, _ = three

    row(page, first).get_by_role("button", name="Accept").click()
    expect_focus(page, f"export-{first.id}")
    expect(row(page, first).get_by_label("Spectrum number")).to_have_value("S014-001")
    shot(page, "acceptance")
    page.get_by_role("button", name="Export").click()

    expect(row(page, first)).to_contain_text("Queued")
    expect_focus(page, f"accept-{second.id}")
    expect(page.locator("#say")).to_have_text(
        "CCO 001 of SC-014 accepted and queued. 2 left. Now on CCO 002 of SC-014, Volt Electric Co, $4,250.00."
    )
    expect(page.locator("#totals")).to_contain_text("2 change orders waiting · $8,500.00")
    expect(page.locator("#count-ready")).to_have_text("2")
    expect(page.locator("#count-progress")).to_have_text("1")
    expect(page).to_have_title("Ready to Export (2) – CCO Portal")
    expect(page).to_have_url(re.compile(re.escape(READY) + "$"))
    assert load(first.id).state is Status.QUEUED


def test_three_are_accepted_by_enter_alone(ana_at, three):
    page = ana_at()
    page.locator(f"#accept-{three[0].id}").focus()

    for change_order in three:
        expect_focus(page, f"accept-{change_order.id}")
        page.keyboard.press("Enter")
        expect_focus(page, f"export-{change_order.id}")
        page.keyboard.press("Enter")
        expect(row(page, change_order)).to_contain_text("Queued")

    expect_focus(page, f"cco-{three[-1].id}")
    expect(page.locator("#say")).to_have_text("CCO 003 of SC-014 accepted and queued. Nothing left.")


def test_on_the_last_row_of_a_page_focus_goes_to_the_next_page_and_no_row_is_named_that_is_not_there(ana_at, three, monkeypatch):
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))
    page = ana_at()
    first, second, _ = three
    page.locator(f"#accept-{second.id}").press("Enter")
    page.locator(f"#export-{second.id}").press("Enter")
    expect(page.locator("#say")).to_have_text(
        "CCO 002 of SC-014 accepted and queued. 2 left. Now on CCO 001 of SC-014, Volt Electric Co, $4,250.00."
    )
    expect_focus(page, f"accept-{first.id}")

    page.keyboard.press("Enter")
    expect_focus(page, f"export-{first.id}")
    page.keyboard.press("Enter")

    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 accepted and queued. 1 left.")
    expect(page.get_by_role("link", name="Next page")).to_be_focused()


def test_focus_skips_a_row_that_this_person_may_not_decide(ana_at, ana, three):
    own = three[1]
    contributors.record(own.id, [ana], contributors.AUTHORED)
    page = ana_at()

    page.locator(f"#accept-{three[0].id}").press("Enter")
    page.locator(f"#export-{three[0].id}").press("Enter")

    expect_focus(page, f"accept-{three[2].id}")
    expect(page.locator("#say")).to_contain_text("Now on CCO 003 of SC-014,")


def test_on_its_own_page_focus_stays_with_the_change_order(ana_at, three):
    page = ana_at(f"/change-orders/{three[0].id}")

    page.locator(f"#accept-{three[0].id}").press("Enter")
    page.locator(f"#export-{three[0].id}").press("Enter")

    expect_focus(page, f"cco-{three[0].id}")
    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 accepted and queued. 2 left.")
    expect(page).to_have_title("CCO 001: Duct bank – CCO Portal")


def test_the_same_number_under_two_commitments_is_told_apart_by_ear(ana_at, change_order, make_change_order, job, vendor):
    other = Commitment.create(job=job, vendor=vendor, number="SC-020", title="Steel", subcontract="SC-020")
    make_change_order(number="001", title="Relocate duct bank", commitment=other)
    page = ana_at()

    for name in ("Accept", "Reject"):
        for commitment in ("SC-014", "SC-020"):
            expect(page.get_by_role("button", name=f"{name} CCO 001 of {commitment}", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Accept CCO 001 of SC-020").click()
    expect(page.get_by_role("button", name="Export CCO 001 of SC-020", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Cancel: CCO 001 of SC-020", exact=True)).to_be_visible()


def test_warnings_are_read_before_export(ana_at, make_change_order):
    made = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    page = ana_at()

    row(page, made).get_by_role("button", name="Accept").click()

    export = page.get_by_role("button", name="Export")
    expect(export).to_be_focused()
    expect(export).to_have_accessible_description(re.compile("Please note: The total is a credit.*001 Relocate duct bank"))
    assert page.locator(f"#warnings-{made.id}").evaluate(
        "warnings => !!(warnings.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING)"
    )
    assert violations(page) == []


def test_tab_leads_from_the_link_to_accept_to_reject(ana_at, change_order):
    page = ana_at()
    page.locator(f"#cco-{change_order.id}").focus()

    page.keyboard.press("Tab")
    expect_focus(page, f"accept-{change_order.id}")
    page.keyboard.press("Tab")
    expect_focus(page, f"reject-{change_order.id}")


def test_rejecting_by_keyboard(ana_at, three):
    page = ana_at()
    first, second, _ = three
    page.locator(f"#reject-{first.id}").focus()

    page.keyboard.press("Enter")
    expect_focus(page, f"reason-{first.id}")
    page.keyboard.type("Line 1 belongs to phase 26-0519")
    expect(page.locator(f"[data-count='reason-{first.id}']")).to_have_text("31")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(row(page, first)).to_contain_text("Line 1 belongs to phase 26-0519")
    expect_focus(page, f"accept-{second.id}")
    expect(page.locator("#say")).to_contain_text("CCO 001 of SC-014 sent back to Dee Sørensen. 2 left.")
    assert load(first.id).state is Status.REJECTED


def test_cancel_puts_focus_back_on_the_button(ana_at, change_order):
    page = ana_at()

    for opener in ("accept", "reject"):
        page.locator(f"#{opener}-{change_order.id}").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.get_by_role("button", name="Cancel").press("Enter")
        expect_focus(page, f"{opener}-{change_order.id}")

    assert load(change_order.id).state is Status.READY


def test_a_number_that_does_not_fit_keeps_the_form_and_takes_focus(ana_at, lee, change_order, make_change_order):
    other = make_change_order()
    signed(other.id, by=lee, version=other.version, number="S-1")
    page = ana_at()

    row(page, change_order).get_by_role("button", name="Accept").click()
    page.get_by_label("Spectrum number").fill("s-1")
    page.keyboard.press("Enter")

    expect_focus(page, f"problem-{change_order.id}")
    expect(page.get_by_role("group", name="There is a problem")).to_contain_text("already used in Spectrum")
    expect(page.get_by_label("Spectrum number")).to_have_value("s-1")
    assert violations(page) == []


def test_custom_words_are_asked_for_first_and_counted(ana_at, change_order):
    Company.update(custom_title=True).execute()
    page = ana_at()

    row(page, change_order).get_by_role("button", name="Accept").click()
    expect_focus(page, f"title-{change_order.id}")
    page.get_by_label("Title").fill("Duct bank, north side")
    expect(page.locator(f"[data-count='title-{change_order.id}']")).to_have_text("21")
    assert violations(page) == []
    page.keyboard.press("Enter")

    expect(row(page, change_order)).to_contain_text("Queued")


def test_the_second_approver_sees_what_the_first_did(ana_at, lee, change_order):
    page = ana_at()
    row(page, change_order).get_by_role("button", name="Accept").click()
    expect(page.get_by_role("button", name="Export")).to_be_visible()
    signed(change_order.id, by=lee, version=change_order.version)

    page.get_by_role("button", name="Export").click()

    expect(row(page, change_order)).to_contain_text("Nothing was recorded. Accepted by Lee Nakamura at ")
    expect_focus(page, f"error-{change_order.id}")
    assert load(change_order.id).decided_by == lee


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Receipt(200), "Exported"),
        (Refused("Refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")]), "Failed to Export"),
    ],
)
def test_the_row_follows_the_export_by_itself_and_then_rests(ana_at, change_order, answer, word):
    page = ana_at()
    row(page, change_order).get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Export").click()
    expect(row(page, change_order)).to_contain_text("Queued")

    export(load(change_order.id), answer)

    expect(row(page, change_order)).to_contain_text(word)
    expect(row(page, change_order)).not_to_have_attribute("hx-get", re.compile(""))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []


def test_focus_stays_on_the_link_of_a_row_that_follows_its_export(ana_at, change_order):
    page = ana_at()
    row(page, change_order).get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Export").click()
    expect_focus(page, f"cco-{change_order.id}")

    export(load(change_order.id), Receipt(200))

    expect(row(page, change_order)).to_contain_text("Exported")
    expect_focus(page, f"cco-{change_order.id}")


def test_the_page_of_a_change_order_takes_the_decision_and_writes_it_into_its_history(ana_at, change_order):
    page = ana_at(f"/change-orders/{change_order.id}")

    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("region", name="History")).to_contain_text("Ana Ortiz accepted it as S014-001.")
    export(load(change_order.id), Receipt(200))

    expect(page.get_by_role("region", name="History")).to_contain_text("Exported to Spectrum as S014-001, 1 line.")
    expect(page.locator("#record")).to_have_count(1)


def test_findings_open_by_keyboard(ana_at, make_change_order):
    made = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    page = ana_at()

    row(page, made).locator(".checks summary").focus()
    page.keyboard.press("Enter")

    expect(row(page, made).get_by_text("The total is a credit.")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_list_forms_and_page(ana_at, page, make_change_order, three, shot, scheme, width):
    for status in ("queued", "exported", "failed", "unknown", "rejected", "retrieved"):
        make_change_order(status, title="Piñon grill")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    ana_at()
    name = f"{scheme}-{width}"

    assert violations(page) == []
    row(page, three[0]).get_by_role("button", name="Accept").click()
    expect_focus(page, f"export-{three[0].id}")
    row(page, three[1]).get_by_role("button", name="Reject").click()
    expect_focus(page, f"reason-{three[1].id}")
    assert violations(page) == []
    shot(page, f"forms-{name}")
    page.goto(page.url.replace("view=ready", "view=all"))
    assert violations(page) == []
    shot(page, f"all-{name}")
    page.get_by_role("link", name="Piñon grill").nth(3).click()
    arrived(page, re.compile("Piñon grill"))
    assert violations(page) == []
    shot(page, f"page-{name}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
