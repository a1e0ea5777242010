"""What is ticked in a list is accepted, sent back or held at once, each by its own transition; the form names what can't go and why."""

import re
from datetime import timedelta

import pytest

from portal.domain import events
from portal.domain.change_orders import SUBJECT, Status, load
from portal.domain.companies import Company
from portal.domain.people import NotPermitted
from portal.domain.review import bulk_actions, bulk_reject, decisions, holds, selection
from portal.domain.review.bulk_actions import BulkAction, BulkOutcome, Chosen, What
from portal.domain.rules.findings import Blocked
from tests.conftest import count_queries, path_of, sign_in
from tests.pages import soup, words

KEY = "0123456789abcdef"
ABOUT = "Selected in the list"
READY = "/change-orders?view=ready"
PAGES = ("acceptances", "rejections", "holds")


@pytest.fixture(autouse=True)
def rules(company):
    """Only what a test brings about is a reason to look."""
    Company.update(look_rules="credit", reject_reasons="Wrong phase\nQuote missing").execute()


@pytest.fixture
def some_day(clock):
    return clock.now().date() + timedelta(days=7)


def seen(change_orders):
    return [Chosen(one.id, one.version) for one in change_orders]


def reject(chosen, by, reason="Wrong phase", key=KEY):
    return bulk_reject.reject(chosen, by, key, reason, ABOUT)


def said(action):
    return [(result.outcome, result.text) for result, _ in bulk_actions.results(action)]


def ticks(change_orders):
    return "&".join(f"row={one.id}" for one in change_orders)


def form_of(answer):
    return {
        field["name"]: field["value"] for field in soup(answer).select("main form.decision input[type=hidden]") if field["name"] != "row"
    } | {"row": re.findall(r'name="row" value="([^"]+)"', answer.text.split('id="presets"')[0])}


def test_all_go_back_with_one_reason_and_a_record_names_each(make_change_order, ana):
    ready = [make_change_order() for _ in range(3)]

    action = reject(seen(ready), ana)

    assert {load(one.id).state for one in ready} == {Status.REJECTED}
    assert (action.what, action.about, action.reason, action.asked) == (What.REJECT, ABOUT, "Wrong phase", 3)
    last = events.latest(SUBJECT, [ready[0].id])[ready[0].id]
    assert (last.facts["reason"], last.facts["bulk_action"]) == ("Wrong phase", action.id)


def test_all_are_held_until_one_day_with_one_note(make_change_order, ana, some_day):
    ready = [make_change_order() for _ in range(2)]

    action = holds.hold_many(seen(ready), ana, KEY, some_day, "Waits for the survey", ABOUT)

    assert {load(one.id).held_until for one in ready} == {some_day}
    assert (action.what, action.about) == (What.HOLD, f"{ABOUT}, until {some_day:%m/%d/%Y}")
    assert bulk_actions.counts(action) == {BulkOutcome.DONE: 2}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "a\x07b"])
def test_a_reason_or_note_that_no_mail_can_carry_begins_nothing(change_order, ana, some_day, reason):
    with pytest.raises(Blocked):
        reject(seen([change_order]), ana, reason)
    with pytest.raises(Blocked):
        holds.hold_many(seen([change_order]), ana, KEY, some_day, reason, ABOUT)

    assert BulkAction.select().count() == 0


def test_a_hold_needs_a_day_to_come(change_order, ana, some_day):
    for day in (None, some_day - timedelta(days=7), some_day + timedelta(days=400)):
        with pytest.raises(Blocked):
            holds.hold_many(seen([change_order]), ana, KEY, day, "Waits for the survey", ABOUT)

    assert BulkAction.select().count() == 0


def test_one_that_changed_meanwhile_is_skipped_with_the_reason(make_change_order, ana, lee):
    first, second = make_change_order(), make_change_order()
    chosen = seen([first, second])
    decisions.reject(first.id, lee, first.version, "Wrong cost type")

    action = reject(chosen, ana)

    assert said(action) == [(BulkOutcome.SKIPPED, "CCO 001 is now: Rejected."), (BulkOutcome.DONE, "")]


def test_four_eyes_and_rights_are_read_at_each_row(make_change_order, ana, ben, dee, some_day):
    own = make_change_order()
    dee.level, dee.can_push = "Standard", True
    dee.save()

    ((outcome, why),) = said(reject(seen([own]), dee))
    ((held, _),) = said(holds.hold_many(seen([own]), dee, KEY + "2", some_day, "Waits", ABOUT))

    assert (outcome, held) == (BulkOutcome.REFUSED, BulkOutcome.REFUSED)
    assert "four eyes" in why
    with pytest.raises(NotPermitted):
        reject(seen([own]), ben)
    assert load(own.id).state is Status.READY


def test_the_same_form_sent_twice_decides_nothing_twice(make_change_order, ana):
    chosen = seen([make_change_order(), make_change_order()])

    assert reject(chosen, ana) == reject(chosen, ana)
    assert BulkAction.select().count() == 1


def test_what_cannot_go_is_told_with_the_reason(make_change_order, ana, lee):
    gone, waits, late = (make_change_order() for _ in range(3))
    decisions.reject(gone.id, lee, gone.version, "Wrong phase")

    found = selection.parted(selection.rows([gone.id, late.id, waits.id], ana), most=1)

    assert [row.change_order.id for row in found.going] == [waits.id]
    assert {one.row.change_order.id: one.why_not for one in found.staying} == {
        gone.id: "It is now: Rejected.",
        late.id: "At most 1 go at once: this one takes another press.",
    }


def test_no_more_than_the_company_allows_go_at_once(client, make_change_order, ana, some_day):
    Company.update(bulk_cap=1).execute()
    first, second, third = (make_change_order() for _ in range(3))
    late = (BulkOutcome.SKIPPED, "At most 1 go at once: this one takes another press.")

    assert said(reject(seen([first, second]), ana)) == [(BulkOutcome.DONE, ""), late]
    held = holds.hold_many(seen([second, third]), ana, KEY + "2", some_day, "Waits", ABOUT)
    assert said(held) == [(BulkOutcome.DONE, ""), late]
    sheet = sign_in(client, ana).get("/change-orders/rejections?all=on").text
    assert "Reject 1 change order" in sheet
    assert "At most 1 go at once: this one takes another press." in sheet


def test_a_draft_is_never_among_them(make_change_order, ana):
    draft = make_change_order("draft")

    assert selection.rows([draft.id, 4711], ana) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_form_takes_the_same_number_of_queries_however_long_it_is(client, make_change_order, ana, page):
    sign_in(client, ana)
    made = []

    def queries():
        made.append(make_change_order())
        with count_queries() as sent:
            assert client.get(f"/change-orders/{page}?{ticks(made)}").status_code == 200
        return len(sent)

    queries()
    assert queries() == queries()


def test_a_tick_names_its_row_and_stands_where_the_person_may_decide(client, make_change_order, ana, ben, dee):
    one = make_change_order()

    (box,) = soup(sign_in(client, ana).get(READY)).select(".tick input")
    assert (box["value"], box["form"]) == (str(one.id), "selection")
    assert box["aria-label"] == f"Select CCO 001 of SC-014, {one.job.name}"

    dee.level, dee.can_push = "Standard", True
    dee.save()
    for person in (ben, dee):
        assert not soup(sign_in(client, person).get(READY)).select(".tick")
    assert not soup(sign_in(client, ben).get(READY)).select("#selection")


def test_before_anything_is_ticked_the_page_offers_all_clean_and_all(client, make_change_order, ana):
    make_change_order()
    make_change_order(lines=[("16-2000", "SUB", "-5.00")])

    page = soup(sign_in(client, ana).get(READY))

    assert words(page.select_one("#accept-clean")) == "Accept 1 clean"
    assert words(page.select_one("label:has(#select-all)")) == "Select all 2 that match"


def test_without_javascript_ticked_rows_are_accepted_as_far_as_they_are_clean(client, make_change_order, ana):
    clean, other = make_change_order(), make_change_order()
    credit = make_change_order(lines=[("16-2000", "SUB", "-5.00")])
    sign_in(client, ana)

    sheet = client.get(f"/change-orders/acceptances?place={READY}&{ticks([clean, credit])}")

    assert "Accept 1 clean change order" in sheet.text
    assert "Not among them: 1" in sheet.text
    assert "Needs a look: Credit." in sheet.text
    record = client.get(path_of(client.post("/change-orders/acceptances", data=form_of(sheet)).location))
    assert "Accept clean: 1 queued" in record.text
    assert soup(record).select_one("[data-done]")["data-done"] == str(clean.id)
    assert soup(record).select_one("#back")["href"] == READY
    assert [load(one.id).state for one in (clean, other, credit)] == [Status.QUEUED, Status.READY, Status.READY]


def test_without_javascript_a_preset_fills_in_the_reason(client, make_change_order, ana):
    ready = [make_change_order(), make_change_order()]
    sign_in(client, ana)
    form = soup(client.get(f"/change-orders/rejections?{ticks(ready)}"))
    assert words(form.h1) == "Reject 2 change orders"
    assert [words(chip) for chip in form.select(".presets button")] == ["Wrong phase", "Quote missing"]
    assert len(form.select("#presets [name=row]")) == 2

    filled = client.get(f"/change-orders/rejections?{ticks(ready)}&preset=2")
    assert words(soup(filled).textarea) == "Quote missing"
    answer = client.post("/change-orders/rejections", data=form_of(filled) | {"reason": "Quote missing"})

    assert "Reject all: 2 sent back" in client.get(path_of(answer.location)).text


def test_without_javascript_all_of_the_page_are_held(client, make_change_order, ana, some_day):
    ready = [make_change_order(), make_change_order()]
    sign_in(client, ana)

    form = client.get(f"/change-orders/holds?all=on&place={READY}")
    assert "Hold 2 change orders" in form.text
    refused = client.post("/change-orders/holds", data=form_of(form) | {"until": "", "note": "Waits for the survey"})
    assert refused.status_code == 422
    assert "Choose a day after today" in refused.text
    assert "Waits for the survey" in refused.text
    answer = client.post("/change-orders/holds", data=form_of(refused) | {"until": str(some_day), "note": "Waits for the survey"})

    assert "Hold: 2 on hold" in client.get(path_of(answer.location)).text
    assert {load(one.id).held_until for one in ready} == {some_day}


@pytest.mark.parametrize("page", PAGES)
def test_where_nothing_is_ticked_the_page_says_so(client, change_order, ana, page):
    answer = sign_in(client, ana).get(f"/change-orders/{page}")

    assert "Nothing is selected. Go back to the list and select change orders." in answer.text
    assert not soup(answer).select("form.decision")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("row", ["", "x", "0", "1 1", "row"])
def test_an_address_that_names_no_rows_is_refused(client, change_order, ana, page, row):
    assert sign_in(client, ana).get(f"/change-orders/{page}", query_string={"row": row}).status_code == 400


@pytest.mark.parametrize("page", PAGES)
def test_more_than_a_request_carries_are_refused(client, change_order, ana, page):
    many = "&".join(f"row={id}" for id in range(1, 102))

    assert sign_in(client, ana).get(f"/change-orders/{page}?{many}").status_code == 400


@pytest.mark.parametrize("page", ["rejections", "holds"])
def test_who_only_looks_is_told_why_and_decides_nothing(client, change_order, ben, page):
    sign_in(client, ben)

    form = client.get(f"/change-orders/{page}?row={change_order.id}")
    assert "view-only access" in form.text
    assert not soup(form).select("form.decision")
    given = {"key": KEY, "row": f"{change_order.id}-{change_order.version}", "reason": "x", "note": "x", "until": "2099-01-01"}
    assert client.post(f"/change-orders/{page}", data=given).status_code in (403, 422)
    assert load(change_order.id).state is Status.READY
    assert BulkAction.select().count() == 0
