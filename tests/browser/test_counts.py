"""The counts of the Views menu in a real browser: they keep up by themselves, and take no one's focus."""

from playwright.sync_api import expect

from tests.browser.signing_in import sign_in


def test_counts_and_title_keep_up_and_focus_stays(page, served, ana, make_change_order):
    make_change_order()
    sign_in(page, served, ana)
    page.clock.install()
    page.goto(f"{served}/change-orders")
    link = page.locator("nav.views a").nth(3)
    link.focus()

    for count in (2, 3):
        make_change_order()
        page.clock.run_for(16_000)
        expect(page.locator("#count-ready")).to_have_text(str(count))
        expect(page).to_have_title(f"Ready to Export ({count}) – CCO Portal")

    expect(link).to_be_focused()


def test_a_page_that_is_up_to_date_is_told_so_and_goes_on_asking(page, served, ana, make_change_order):
    make_change_order()
    sign_in(page, served, ana)
    page.clock.install()
    page.goto(f"{served}/change-orders")

    for _ in range(3):
        with page.expect_response("**/live/summary"):
            page.clock.run_for(16_000)

    expect(page.locator("#count-ready")).to_have_text("1")
    expect(page.locator("#alert")).to_be_empty()


def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_shown_again(page, served, ana, make_change_order):
    make_change_order()
    sign_in(page, served, ana)
    page.clock.install()
    page.goto(f"{served}/change-orders")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/live/summary") else None)

    show(page, hidden=True)
    make_change_order()
    page.clock.run_for(60_000)
    assert asked == []

    with page.expect_response("**/live/summary"):
        show(page, hidden=False)
    expect(page.locator("#count-ready")).to_have_text("2")
    with page.expect_response("**/live/summary"):
        page.clock.run_for(16_000)


def show(page, *, hidden):
    """As when another tab is chosen, and this one again."""
    page.evaluate("(hidden) => Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true})", hidden)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
