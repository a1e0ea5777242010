"""The lines of the sender's form by keyboard: added, removed and walked through; and what is said aloud meanwhile."""

import pytest
from playwright.sync_api import expect

from portal.domain.change_orders import Status, load
from tests.browser.signing_in import sign_in, violations

LINES = [("16-1000", "SUB", "1.00"), ("16-2000", "SUB", "2.00"), ("16-3000", "SUB", "3.00")]
LISTEN = """() => {
    window.heard = [];
    new MutationObserver(() => { const text = document.getElementById("say").textContent; if (text) window.heard.push(text); })
        .observe(document.getElementById("say"), { childList: true });
}"""


@pytest.fixture
def form(page, served, dee, make_change_order):
    """The form of a draft with three lines, and that draft."""
    draft = make_change_order("draft", lines=LINES)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    return page, draft


def lines(page):
    return page.locator(".lines tbody tr")


def codes(page):
    return [field.input_value() for field in page.get_by_label("Cost code, line").all()]


def is_untouched(draft):
    now = load(draft.id)
    return (now.state, now.version) == (Status.DRAFT, draft.version)


def test_enter_goes_down_the_lines_and_from_the_last_one_to_a_new_one(form):
    page, draft = form
    page.locator("#amount-1").focus()

    page.keyboard.press("Enter")
    expect(page.locator("#amount-2")).to_be_focused()
    page.keyboard.type("20.00")
    page.keyboard.press("Enter")
    expect(page.locator("#amount-3")).to_be_focused()
    page.keyboard.press("Enter")

    expect(lines(page)).to_have_count(4)
    expect(page.locator("#phase_code-4")).to_be_focused()
    expect(page.locator("#amount-2")).to_have_value("20.00")
    assert is_untouched(draft)


def test_enter_in_a_blank_last_line_does_nothing(form):
    page, draft = form
    page.locator("#title").focus()
    page.keyboard.press("Alt+Enter")
    expect(page.locator("#phase_code-4")).to_be_focused()
    page.wait_for_load_state()
    page.locator("#amount-4").focus()
    page.evaluate("window.here = true")

    page.keyboard.press("Enter")
    page.keyboard.type("5.00")

    expect(page.locator("#amount-4")).to_have_value("5.00")
    assert page.evaluate("window.here")
    assert lines(page).count() == 4
    assert is_untouched(draft)


@pytest.mark.parametrize(("removed", "focused", "left"), [(1, 1, ["16-2000", "16-3000"]), (3, 2, ["16-1000", "16-2000"])])
def test_a_line_is_removed_by_its_key_and_the_cursor_is_in_the_one_that_took_its_place(form, removed, focused, left):
    page, draft = form
    page.locator(f"#unit-{removed}").focus()

    page.keyboard.press("Alt+Delete")

    expect(lines(page)).to_have_count(2)
    expect(page.locator(f"#phase_code-{focused}")).to_be_focused()
    assert codes(page) == left
    assert is_untouched(draft)


def test_after_the_only_line_the_cursor_is_where_lines_are_added(page, served, dee, make_change_order):
    draft = make_change_order("draft", lines=LINES[:1])
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    page.locator("#phase_code-1").focus()

    page.keyboard.press("Alt+Delete")

    expect(page.get_by_role("button", name="Add a line")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#phase_code-1")).to_be_focused()
    assert codes(page) == [""]


def test_the_keys_are_told_to_eyes_and_to_machines(form):
    page, _ = form

    assert page.get_by_role("button", name="Add a line").get_attribute("aria-keyshortcuts") == "Alt+Enter"
    assert page.get_by_role("button", name="Remove line 2").get_attribute("aria-keyshortcuts") == "Alt+Delete"
    expect(page.get_by_text("Alt+Delete: remove this line.")).to_be_visible()
    assert violations(page) == []


def test_the_verdict_is_said_once_when_it_changes_and_not_at_each_letter(form):
    page, _ = form
    page.evaluate(LISTEN)
    title = page.locator("#title")
    title.focus()

    page.keyboard.type(" and everything that is long")
    expect(page.locator("#say")).to_have_text("1 finding left to correct.")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Duct bank")
    expect(page.locator("#say")).to_have_text("Ready to send.")

    assert page.evaluate("window.heard") == ["1 finding left to correct.", "Ready to send."]


def test_without_javascript_the_buttons_do_the_same_and_no_keys_are_told(page_without_javascript, served, dee, make_change_order):
    page, draft = page_without_javascript, make_change_order("draft", lines=LINES)
    sign_in(page, served, dee)
    page.goto(f"{served}/change-orders/{draft.id}/edit")
    expect(page.get_by_text("Alt+Delete: remove this line.")).to_be_hidden()

    page.get_by_role("button", name="Add a line").press("Enter")
    expect(lines(page)).to_have_count(4)
    expect(page.locator("#phase_code-4")).to_be_focused()
    page.get_by_role("button", name="Remove line 2").press("Enter")

    expect(lines(page)).to_have_count(3)
    expect(page.locator("#phase_code-2")).to_be_focused()
    assert codes(page) == ["16-1000", "16-3000", ""]
    assert is_untouched(draft)
