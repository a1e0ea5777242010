"""Change orders from a file, in a real browser: with and without JavaScript, wide and narrow, by day and night."""

import threading

import pytest
from playwright.sync_api import expect

from benchmarks import import_lines
from portal.background import tasks
from portal.domain.change_orders import ChangeOrder
from portal.domain.imports import uploads
from tests.browser.signing_in import arrived, sign_in, violations
from tests.import_files import text_of
from tests.intake.workbooks import book_of


@pytest.fixture
def worker(make_app, served):
    """The worker of the imports lane, at work all the while."""
    app, stopping = make_app(), threading.Event()

    def work():
        with app.app_context():
            while not stopping.wait(0.2):
                tasks.drain(uploads.LANE)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopping.set()
    thread.join()


def hand_in(page, address, path):
    page.goto(f"{address}/imports")
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Check the file").click()
    arrived(page, path.name)


def leave_by(page, place):
    """Click, and wait for the page that this leads to, which may look like the one before."""
    with page.expect_navigation():
        place.click()


def look_until_it_rests(page):
    while page.get_by_role("link", name="See how far it is").is_visible():
        leave_by(page, page.get_by_role("link", name="See how far it is"))


@pytest.mark.timeout(900)
def test_of_thousands_of_rows_the_12_bad_ones_are_shown_and_after_correction_all_are_imported(
    page, served, worker, eve, tmp_path, shot, length
):
    count = length(10_000, 2_000)
    bad_ones = [100 + n * (count - 400) // 12 for n in range(12)]
    page.set_default_timeout(300_000)
    good, bad = tmp_path / "rows.csv", tmp_path / "bad.csv"
    import_lines.write(good, count)
    lines = good.read_text(encoding="utf-8").splitlines()
    for number in bad_ones:
        lines[number - 1] = lines[number - 1].rpartition(",")[0] + ",1.005"
    bad.write_text("\n".join(lines), encoding="utf-8")
    sign_in(page, served, eve)

    hand_in(page, served, bad)
    expect(page.get_by_text("12 rows of the file cannot be imported.")).to_be_visible(timeout=300_000)
    assert page.locator("tbody th").all_inner_texts() == [f"line {number}" for number in bad_ones]
    assert set(page.locator("tbody td[data-label=Column]").all_inner_texts()) == {"amount"}
    assert not ChangeOrder.select().exists()
    shot(page, "twelve-bad-rows")

    hand_in(page, served, good)
    page.get_by_role("button", name="Import", exact=True).click(timeout=300_000)
    expect(page.get_by_text(f"Imported: {count // 4:,} new.")).to_be_visible(timeout=300_000)
    assert ChangeOrder.select().count() == count // 4


def test_a_file_is_imported_without_javascript(page_without_javascript, served, worker, eve, tmp_path):
    page, path = page_without_javascript, tmp_path / "orders.xlsx"
    path.write_bytes(book_of({}))
    sign_in(page, served, eve)
    hand_in(page, served, path)

    look_until_it_rests(page)
    leave_by(page, page.get_by_role("button", name="Import", exact=True))
    look_until_it_rests(page)

    expect(page.get_by_text("Imported: 1 new")).to_be_visible()


@pytest.mark.parametrize(("with_javascript", "width"), [(True, 360), (True, 1440), (False, 1440)])
def test_the_drafts_of_an_import_are_sent_together_with_and_without_javascript(
    request, served, worker, dee, job, commitment, tmp_path, with_javascript, width, shot
):
    page, path = request.getfixturevalue("page" if with_javascript else "page_without_javascript"), tmp_path / "orders.csv"
    page.set_viewport_size({"width": width, "height": 900})
    too_long = {"cco_number": "003", "title": "A title that is much longer than thirty"}
    path.write_text(text_of({}, {"cco_number": "002"}, too_long), encoding="utf-8")
    sign_in(page, served, dee)
    hand_in(page, served, path)
    look_until_it_rests(page)
    leave_by(page, page.get_by_role("button", name="Import", exact=True))
    look_until_it_rests(page)
    button = page.get_by_role("button", name="Send 2 drafts to accounting")
    expect(button).to_be_visible()
    if with_javascript:
        fits(page, width)
        shot(page, f"drafts-{width}")

    leave_by(page, button)

    expect(page.get_by_role("heading", name="2 sent to accounting")).to_be_visible()
    expect(page.get_by_role("link", name="Job 24-117, SC-014, CCO 003")).to_be_visible()
    expect(page.get_by_text("The title has 39 characters")).to_be_visible()
    if with_javascript:
        fits(page, width)
        shot(page, f"sent-{width}")
    page.goto(page.url)
    expect(page.get_by_role("heading", name="2 sent to accounting")).to_have_count(0)
    expect(page.get_by_role("button", name="to accounting")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_everybody_can_use_the_pages_wide_and_narrow_by_day_and_night(
    page, served, worker, eve, make_change_order, tmp_path, width, scheme, shot
):
    make_change_order("ready")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, served, eve)
    files = {
        "preview": text_of({}, {"cco_number": "002", "amount": "$1,234.50"}).replace("phase_code", "Cost Code"),
        "refused": text_of({"amount": "x"}, {"cco_number": "002", "commitment_kind": "lease"}),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        hand_in(page, served, tmp_path / f"{name}.csv")
        expect(page.get_by_text("The file is being read.")).to_have_count(0)
        fits(page, width)
        shot(page, f"{name}-{width}-{scheme}")
    page.goto(f"{served}/imports")
    fits(page, width)
    shot(page, f"imports-{width}-{scheme}")


def fits(page, width):
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
