"""Forty failed exports of three causes are cleared within nine clicks; the page shows every class of failure, and works by keyboard."""

from functools import partial

import pytest
from peewee import fn
from playwright.sync_api import expect

from portal import db
from portal.background import tasks
from portal.domain import outbox
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.companies import Company
from portal.domain.exporting import conclude, send
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import resolutions
from portal.domain.review.bulk_actions import BulkAction
from portal.domain.triage import clearing
from tests.browser.keyboard import Keyboard
from tests.browser.signing_in import sign_in, violations
from tests.cast import export
from tests.scene import answer, world
from tests.triage.conftest import CLOSED, NO_RIGHTS, absent, fail

__all__ = ["absent", "fail", "world"]

OUT_OF_REACH = "Spectrum could not be reached for a day, and the portal stopped trying. Retry when it is back."


@pytest.fixture
def give_up(make_change_order):
    """A change order that could not be sent, or not as the settings stand."""

    def given_up(kind="temporary", text=OUT_OF_REACH):
        queued = make_change_order("queued")
        with db.transaction():
            conclude.fail(Dispatch.get(Dispatch.subject == queued.export, Dispatch.task == Task.EXPORT), queued, kind, text)
        return load(queued.id)

    return given_up


class Clicks:
    """What a person does with the mouse, counted."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def on(self, role, name, within=None):
        self.count += 1
        (within or self.page).get_by_role(role, name=name, exact=True).click()


def group(page, title):
    return page.locator("tr.group").filter(has_text=title)


def states():
    return sorted(one.status for one in ChangeOrder.select())


def send_what_is_due(world, lane):
    """The worker's turn, with Spectrum's own rules."""
    claim = Lane.take(lane, tasks.LEASE)
    for dispatch in outbox.due(lane, tasks.BUDGET):
        send.step(dispatch, claim, partial(answer, world))
    Lane.release(lane, claim)


def frozen(change_order):
    """Number and amounts of its lines, as they were accepted."""
    export = Export.get_by_id(change_order.export)
    return export.number, [elements["Change_Request_Amount"] for _, elements in export.lines]


@pytest.mark.timeout(180)
def test_forty_failures_of_three_causes_are_cleared_within_nine_clicks(
    page, served, make_change_order, fail, give_up, ana, sam, clock, world, company
):
    Company.update(support_may_retry=True).execute()
    unknown = [make_change_order("unknown") for _ in range(13)]
    clock.tick(minutes=16)
    for one in unknown:
        resolutions.mark_absent(one.id, ana, one.version, "Looked in the list of change requests")
    for _ in range(14):
        give_up()
    for _ in range(13):
        fail()
    clicks = Clicks(page)

    sign_in(page, served, sam)
    clicks.on("link", "Failures 40")
    out_of_reach, not_there = group(page, OUT_OF_REACH[:40]), group(page, "someone saw that it is not in Spectrum")
    clicks.on("button", "Retry one first", out_of_reach)
    expect(out_of_reach).to_contain_text("is now: Queued")
    clicks.on("button", "Retry all", out_of_reach)
    clicks.on("button", "Retry 13", out_of_reach)
    expect(out_of_reach).to_contain_text("13 queued.")
    expect(page.get_by_role("link", name="What became of each")).to_be_focused()
    clicks.on("button", "Retry all", not_there)
    clicks.on("button", "Retry 13", not_there)
    expect(not_there).to_contain_text("13 queued.")
    expect(page.locator("#failures-summary")).to_contain_text("13 failed exports")
    page.context.clear_cookies()
    sign_in(page, served, ana)
    clicks.on("link", "Failures 13")
    clicks.on("button", "Reject all…")
    clicks.on("button", "Reject 13")
    expect(page.locator("#say")).to_have_text("13 sent back.")

    assert clicks.count == 9
    assert states() == [Status.QUEUED] * 27 + [Status.REJECTED] * 13
    first, last = (Dispatch.select(order(Dispatch.due_at)).where(Dispatch.finished_at.is_null()).scalar() for order in (fn.MIN, fn.MAX))
    assert last - first >= 12 * clearing.BETWEEN  # spread out
    clock.tick(minutes=1)
    send_what_is_due(world, company.lane)
    assert states() == [Status.EXPORTED] * 27 + [Status.REJECTED] * 13
    exported = ChangeOrder.select().where(ChangeOrder.status == Status.EXPORTED)
    books = [
        (one["Change_Request_Number"], [line["Change_Request_Amount"] for line in one["lines"]]) for one in world.ledger.change_requests()
    ]
    assert sorted(books) == sorted(map(frozen, exported))


def test_every_class_of_failure_is_on_the_page(page, served, make_change_order, fail, give_up, sam):
    make_change_order("unknown")
    fail()
    give_up()
    give_up("setup", "The export worker stopped too often before anything was sent. Support has to look at the worker's log.")
    fail(NO_RIGHTS)

    sign_in(page, served, sam)
    page.goto(f"{served}/failures")

    assert sorted(page.locator("tr.group .tag:not(.badge)").all_inner_texts()) == ["access", "data", "setup", "temporary"]
    expect(page.get_by_role("heading", name="Outcome unknown")).to_be_visible()
    assert violations(page) == []


def test_a_group_is_cleared_by_keyboard_with_focus_where_the_work_is(page, served, fail, ana):
    failed, _ = fail(), fail()
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")

    page.locator(f"#rejections-{failed.cause}").press("Enter")
    expect(page.locator(f"#reason-{failed.cause}")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"#rejections-{failed.cause}")).to_be_focused()
    page.locator(f"#retries-{failed.cause}").press("Enter")
    expect(page.get_by_role("button", name="Retry 2")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(f"#record-{failed.cause}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Retry all: 2 queued")).to_be_visible()
    assert violations(page) == []


def test_a_group_is_cleared_without_javascript(page_without_javascript, served, fail, ana):
    page = page_without_javascript
    fail()
    fail()
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")

    page.get_by_role("button", name="Retry all").click()
    page.get_by_role("button", name="Retry 2").click()

    expect(page.get_by_role("heading", name="Retry all: 2 queued")).to_be_visible()
    assert BulkAction.get().asked == 2


def test_the_rows_of_a_group_follow_what_was_done_with_it(page, served, fail, ana):
    failed = fail()
    fail()
    sign_in(page, served, ana)
    page.goto(f"{served}/failures/{failed.cause}")

    page.get_by_role("button", name="Retry one first").click()

    expect(page.locator(f"#change-order-{failed.id}")).to_have_count(0)
    expect(page.locator("#members tr.tried")).to_have_count(1)


@pytest.fixture
def keys(page):
    return Keyboard(page)


def test_failures_are_cleared_by_keys(page, served, fail, give_up, ana, keys):
    first, second = [fail(), fail(), fail()], [give_up(), give_up()]
    period, out_of_reach = first[0].cause, second[0].cause
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")

    keys.press("f")  # no row is chosen: nothing is retried
    keys.press("j")
    keys.expect_focus(f"#cause-{period}")
    keys.press("j")
    keys.expect_focus(f"#cause-{out_of_reach}")
    keys.press("k", "a")
    expect(page.get_by_role("button", name="Retry 3")).to_be_focused()
    keys.press("Escape")
    keys.expect_focus(f"#retries-{period}")
    keys.press("r")
    keys.expect_focus(f"#reason-{period}")
    keys.press("Control+Enter")
    keys.expect_focus(f"#record-{period}")
    keys.expect_said("3 sent back.")
    expect(page.locator("#count-failures")).to_have_text("2")
    keys.press("j", "f")
    keys.expect_said("1 queued.")
    expect(page.locator(f"#failure-{out_of_reach}:focus-within")).to_be_visible()
    keys.press("a")  # of the only one that is left
    expect(page.locator("#count-failures")).to_have_text("")
    expect(page.locator(f"#failure-{out_of_reach}:focus-within")).to_be_visible()
    expect(page).to_have_title("Failures (0) – CCO Portal")

    assert states() == [Status.QUEUED] * 2 + [Status.REJECTED] * 3
    assert len(BulkAction.select()) == 3


def test_a_group_is_opened_and_looked_after_by_keys(page, served, fail, ana, keys):
    one, two = fail(), fail()
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")

    keys.press("j", "o")
    expect(page.get_by_role("heading", name="Look after it")).to_be_visible()
    keys.press("j", "j", "j")
    keys.expect_focus(f"#cco-{two.id}")
    keys.press("k", "r")
    keys.expect_focus(f"#change-order-{one.id} [autofocus]")
    keys.press("Escape")
    keys.expect_focus(f"#reject-{one.id}")
    keys.press("a")
    expect(page.locator(f"#change-order-{one.id}")).to_contain_text("Queued")
    expect(page.locator(f"#failed-{one.cause}")).to_have_text("1")
    expect(page.locator("#group-left")).to_contain_text("1 left")
    keys.press("w")
    keys.expect_focus("#owner")
    page.locator(f"#cause-{one.cause}").focus()
    keys.press("c")
    keys.expect_focus("#note")
    page.locator(f"#cause-{one.cause}").focus()
    keys.press("?")
    expect(page.locator("#keys")).to_have_attribute("open", "")
    assert violations(page) == []
    keys.press("e")
    expect(page.get_by_role("button", name="Take out of the archive")).to_be_visible()


def test_an_unknown_outcome_is_resolved_by_keys(page, served, make_change_order, ana, keys, clock):
    unknown = make_change_order("unknown")
    clock.tick(minutes=16)
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")

    keys.press("j")
    keys.expect_focus(f"#cco-{unknown.id}")
    keys.press("i")
    keys.expect_focus(f"#number-{unknown.id}")
    keys.press("Escape")
    keys.expect_focus(f"#present-{unknown.id}")
    keys.press("I")
    keys.expect_focus(f"#note-{unknown.id}")
    page.keyboard.type("Looked in the list of change requests")
    keys.press("Control+Enter")
    keys.expect_focus(f"#cco-{unknown.id}")

    assert states() == [Status.FAILED]


def test_what_became_of_the_one_retried_first_is_said(page, served, fail, ana):
    failed, _ = fail(), fail()
    sign_in(page, served, ana)
    page.goto(f"{served}/failures")
    page.get_by_role("button", name="Retry one first").click()
    expect(page.locator("tr.group")).to_contain_text("is now: Queued")

    export(load(failed.id), CLOSED)

    expect(page.locator("#say")).to_have_text("CCO 001 of SC-014 is now: Failed to Export.")
    expect(page.locator(f"#failure-{failed.cause}")).to_be_focused()
