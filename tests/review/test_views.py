"""The other views: what is on its way, what failed, what arrived, what went back."""

import pytest
from bs4 import BeautifulSoup

from portal.domain import events
from portal.domain.change_orders import ChangeOrder
from portal.domain.recovery import resolutions
from tests.conftest import count_queries, sign_in
from tests.pages import words

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

STATES = {
    "ready": ["ready"],
    "progress": ["queued", "exporting"],
    "failed": ["failed", "unknown"],
    "exported": ["exported"],
    "returned": ["rejected", "retrieved"],
    "all": ["ready", "queued", "exporting", "failed", "unknown", "exported", "rejected", "retrieved"],
}


@pytest.fixture
def one_of_each(make_change_order):
    return {status: make_change_order(status) for status in [*STATES["all"], "draft", "void"]}


def page(client, view):
    answer = client.get(f"/change-orders?view={view}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def row(client, view):
    return words(page(client, view).select_one("tbody tr[id]"))


@pytest.mark.parametrize("view", STATES)
def test_a_view_lists_its_states_and_nothing_else(client, ana, one_of_each, view):
    shown = page(sign_in(client, ana), view)

    listed = {tr["id"] for tr in shown.select("tbody tr[id]")}
    assert listed == {f"change-order-{one_of_each[status].id}" for status in STATES[view]}


def test_the_menu_counts_every_view_and_marks_the_present_one(client, ana, one_of_each):
    menu = page(sign_in(client, ana), "failed").find("nav", {"aria-label": "Views"})

    assert [words(link) for link in menu.find_all("a")] == [
        "Ready to Export 1",
        "In progress 2",
        "Failed to Export 2",
        "Exported 1",
        "Sent back 2",
        "All 8",
    ]
    assert words(menu.find("a", {"aria-current": "page"})) == "Failed to Export 2"


def test_without_a_view_the_ready_list_is_shown(client, ana, change_order):
    answer = sign_in(client, ana).get("/change-orders")

    assert "Change Orders - Ready to be Exported to Spectrum" in answer.text


def test_what_was_exported_shows_number_and_who_decided(client, ana, make_change_order):
    make_change_order("exported")

    shown = row(sign_in(client, ana), "exported")

    assert "Exported S014-001 " in shown
    assert "accepted by Ana Ortiz, now" in shown


@pytest.mark.parametrize("arrived", ["by the worker", "by hand"])
def test_what_was_exported_shows_when_whatever_is_found_out_later(client, ana, make_user, make_change_order, clock, arrived):
    made = make_change_order("exported" if arrived == "by the worker" else "failed")
    if arrived == "by hand":
        clock.tick(days=1)
        eve = make_user("Eva Stone", level="Admin", can_push=True)
        resolutions.mark_entered_manually(made.id, eve, made.version, "X-1", "Spectrum was closed")
    moment = clock.now()
    clock.tick(days=3)
    events.record("change_order", made.id, "differs", number="S014-001", ours=["title: a"], theirs=["title: b"])

    cell = page(sign_in(client, ana), "exported").select_one("td.state .standing time")

    assert cell["datetime"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert words(cell).startswith("on ")


def test_what_waits_is_told_so_in_the_view_of_all(client, ana, change_order):
    shown = row(sign_in(client, ana), "all")

    assert "Ready to Export First change order of the vendor Accept Reject" in shown


@pytest.mark.parametrize("view", STATES)
def test_the_totals_of_no_view_are_colored_like_a_state(client, ana, one_of_each, view):
    totals = page(sign_in(client, ana), view).select_one("#totals")

    assert totals["class"] == ["summary"]


def test_a_failure_is_told_in_plain_words_with_who_can_mend_it(client, ana, make_change_order):
    make_change_order("failed", lines=[("16-2000", "SUB", "1.00"), ("16-3000", "SUB", "2.00")])

    shown = row(sign_in(client, ana), "failed")

    assert "Failed to Export" in shown
    assert "Spectrum said: “Phase is not on the job”." in shown
    remedy = "Add the phase and cost type to the job in Spectrum, or open the phase there, then retry; or reject it, so that"
    assert f"Accounting can fix this. {remedy}" in shown
    assert "No line is in Spectrum." in shown


def test_an_unknown_outcome_says_that_nobody_should_send_again(client, ana, make_change_order):
    make_change_order("unknown")

    shown = row(sign_in(client, ana), "failed")

    assert "Outcome unknown" in shown
    assert "It may be in Spectrum." in shown


def test_what_was_sent_back_shows_the_reason(client, ana, make_change_order):
    make_change_order("rejected")

    shown = row(sign_in(client, ana), "returned")

    assert "Rejected Ana Ortiz, now Wrong cost type on line 1" in shown


def test_only_what_an_approver_can_move_on_has_buttons(client, ana, one_of_each):
    shown = page(sign_in(client, ana), "all")

    with_buttons = {tr["id"] for tr in shown.select("tbody tr[id]") if tr.find("button")}
    assert with_buttons == {f"change-order-{one_of_each[status].id}" for status in ("ready", "queued", "failed", "unknown")}


def test_what_is_at_rest_is_listed_newest_first(client, ana, make_change_order, clock):
    older = make_change_order("exported")
    clock.tick(hours=1)
    newer = make_change_order("exported")

    shown = page(sign_in(client, ana), "exported")

    assert [tr["id"] for tr in shown.select("tbody tr[id]")] == [f"change-order-{newer.id}", f"change-order-{older.id}"]


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("progress", "Nothing is on its way to Spectrum."),
        ("failed", "No failed exports."),
        ("exported", "Nothing has been exported yet."),
        ("returned", "Nothing was sent back."),
    ],
)
def test_an_empty_view_says_so(client, ana, change_order, view, text):
    shown = page(sign_in(client, ana), view)

    assert text in words(shown.main)


def test_the_number_of_queries_does_not_grow_with_the_rows(client, ana, make_change_order):
    sign_in(client, ana)
    for status in STATES["all"]:
        make_change_order(status)
    with count_queries() as few:
        page(client, "all")
    for status in STATES["all"]:
        make_change_order(status)

    with count_queries() as more:
        page(client, "all")

    assert ChangeOrder.select().count() == 16
    assert len(more) == len(few)
