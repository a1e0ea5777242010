"""A group is retried or sent back at once, each change order by its own transition, and the result stays as a record."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from portal.domain import events
from portal.domain.change_orders import SUBJECT, Status, load
from portal.domain.companies import Company
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted
from portal.domain.recovery import resolutions, workbook
from portal.domain.review import bulk_actions
from portal.domain.review.bulk_actions import BulkAction, BulkOutcome, BulkResult, Chosen
from portal.domain.rules.findings import Blocked
from portal.domain.triage import clearing, groups
from tests.conftest import HTMX, count_queries, path_of, sign_in

pytestmark = pytest.mark.databases_differ("locks, a transaction for each row")

KEY = "0123456789abcdef"


@pytest.fixture
def support_may_retry(company):
    Company.update(support_may_retry=True).execute()


def group():
    (only,) = groups.overview().groups
    return only


def chosen():
    return [Chosen(one.id, one.version) for one in clearing.first(group())]


def said(action):
    return [(result.outcome, result.text) for result, _ in bulk_actions.results(action)]


def test_all_are_queued_in_the_order_of_their_acceptance_and_spread_out(fail, ana, clock):
    failed = [fail() for _ in range(3)]

    action = clearing.retry(group(), chosen(), ana, KEY)

    due = [Dispatch.get(Dispatch.task == Task.EXPORT, Dispatch.subject == one.export).due_at for one in failed]
    assert due == [clock.now() + place * clearing.BETWEEN for place in range(3)]
    assert {load(one.id).state for one in failed} == {Status.QUEUED}
    assert (action.asked, action.total, bulk_actions.counts(action)) == (3, Decimal("12750.00"), {BulkOutcome.DONE: 3})


@pytest.mark.parametrize("clear", [clearing.retry, partial(clearing.reject, reason="Wrong line")], ids=["retry", "reject"])
def test_what_was_left_as_a_workbook_stays_where_its_group_is_cleared(make_change_order, ada, ana, clear):
    left = make_change_order("queued")
    workbook.leave(ada, lambda _: b"")

    action = clear(group(), chosen(), ana, KEY)

    ((outcome, text),) = said(action)
    assert outcome == BulkOutcome.REFUSED
    assert "may have been entered in Spectrum from there" in text
    assert load(left.id).state is Status.FAILED


def test_what_was_done_meanwhile_is_skipped_and_what_a_rule_forbids_is_refused_with_the_reason(fail, ana, lee):
    one, two = fail(), fail()
    seen, only = chosen(), group()
    resolutions.retry(one.id, lee, one.version)
    two.job.customer = "ELSEWHERE"
    two.job.save()

    action = clearing.retry(only, seen, ana, KEY)

    outcomes = said(action)
    assert outcomes[0] == (BulkOutcome.SKIPPED, "CCO 001 is now: Queued.")
    assert outcomes[1][0] == BulkOutcome.REFUSED
    assert "NORTHSIDE" in outcomes[1][1]
    assert load(two.id).state is Status.FAILED


def test_four_eyes_are_read_at_each_row(fail, ana, dee):
    fail()
    dee.level, dee.can_push = "Standard", True
    dee.save()

    action = clearing.retry(group(), chosen(), dee, KEY)

    ((outcome, text),) = said(action)
    assert outcome == BulkOutcome.REFUSED
    assert "four eyes" in text


def test_support_retries_what_is_temporary_and_no_data(fail, absent, sam, support_may_retry):
    absent()
    temporary = clearing.retry(group(), chosen(), sam, KEY)
    fail()
    data = clearing.retry(group(), chosen(), sam, KEY + "2")

    assert bulk_actions.counts(temporary) == {BulkOutcome.DONE: 1}
    assert said(data) == [
        (BulkOutcome.REFUSED, "The data must change first, so an approver must retry it. Ask someone with Can Push to Accounting.")
    ]


def test_who_only_looks_clears_nothing(fail, ben):
    fail()

    with pytest.raises(NotPermitted):
        clearing.retry(group(), chosen(), ben, KEY)

    assert BulkAction.select().count() == 0


def test_the_same_form_sent_twice_is_one_action(fail, ana):
    fail()
    rows, only = chosen(), group()

    first = clearing.retry(only, rows, ana, KEY)
    second = clearing.retry(only, rows, ana, KEY)

    assert first == second
    assert BulkResult.select().count() == 1


def test_all_go_back_with_one_reason_and_a_mail_each(fail, ana):
    failed = [fail() for _ in range(2)]

    clearing.reject(group(), chosen(), ana, KEY, "  Use an open period.  ")

    assert {load(one.id).state for one in failed} == {Status.REJECTED}
    assert Dispatch.select().where(Dispatch.task == Task.REJECTED).count() == 2
    assert {event.facts["reason"] for event in events.latest(SUBJECT, [one.id for one in failed]).values()} == {"Use an open period."}


def test_without_a_reason_nothing_is_begun(fail, ana):
    fail()

    with pytest.raises(Blocked):
        clearing.reject(group(), chosen(), ana, KEY, " ")

    assert BulkAction.select().count() == 0


def test_each_event_names_the_action_that_it_is_a_part_of(fail, ana):
    failed = fail()

    action = clearing.retry(group(), chosen(), ana, KEY)

    assert events.latest(SUBJECT, [failed.id])[failed.id].facts["bulk_action"] == action.id


def test_a_row_that_the_portal_did_not_reach_is_told(fail, ana, monkeypatch):
    fail()
    fail()
    retry, done = resolutions.retry, []

    def dies(*arguments, **options):
        if done:
            raise SystemExit
        done.append(retry(*arguments, **options))

    monkeypatch.setattr(resolutions, "retry", dies)
    with pytest.raises(SystemExit):
        clearing.retry(group(), chosen(), ana, KEY)

    assert bulk_actions.counts(BulkAction.get()) == {BulkOutcome.DONE: 1, BulkOutcome.OPEN: 1}


def test_the_record_takes_the_same_number_of_queries_however_long_it_is(fail, ana):
    def queries(key):
        fail()
        with count_queries() as sent:
            bulk_actions.results(bulk_actions.load(clearing.retry(group(), chosen(), ana, key).id))
        return len([one for one in sent if "bulk_result" in one.lower() and one.startswith("SELECT")])

    assert queries(KEY) == queries(KEY + "2")


def form_of(page):
    """The fields of the only form that names rows."""
    return {
        "key": re.findall(r'name="key" value="([^"]+)"', page)[0],
        "row": re.findall(r'name="row" value="([^"]+)"', page),
    }


def test_without_javascript_the_form_leads_to_the_record(client, fail, ana):
    failed = fail()
    fail()
    sign_in(client, ana)
    page = client.get(f"/failures/{failed.cause}/retries").text
    assert "2 change orders, $8,500.00." in page

    answer = client.post(f"/failures/{failed.cause}/retries", data=form_of(page))

    assert answer.status_code == 303
    record = client.get(path_of(answer.location)).text
    assert "Retry all: 2 queued" in record
    assert record.count(">queued</td>") == 2


def test_with_htmx_the_row_says_what_became_of_it(client, fail, ana):
    failed = fail()
    sign_in(client, ana)
    page = client.get(f"/failures/{failed.cause}/retries", headers=HTMX).text

    answer = client.post(f"/failures/{failed.cause}/retries", data=form_of(page), headers=HTMX)

    assert answer.headers["HX-Trigger"] == "group-cleared"
    assert "1 queued." in answer.text
    assert f'data-focus="#record-{failed.cause}"' in answer.text


def test_one_is_retried_first_and_the_group_says_how_it_stands(client, fail, ana):
    failed = [fail() for _ in range(2)]
    sign_in(client, ana)

    answer = client.post(f"/failures/{failed[0].cause}/retries", data={"key": KEY, "first": "1"}, headers=HTMX)

    assert [load(one.id).state for one in failed] == [Status.QUEUED, Status.FAILED]
    assert "CCO 001 of SC-014</a> is now: Queued." in answer.text
    assert 'hx-trigger="load delay:3s"' in answer.text


def test_a_refused_reason_is_shown_with_what_was_typed(client, fail, ana):
    failed = fail()
    sign_in(client, ana)
    page = client.get(f"/failures/{failed.cause}/rejections", headers=HTMX).text

    answer = client.post(f"/failures/{failed.cause}/rejections", data=form_of(page) | {"reason": "x" * 1001}, headers=HTMX)

    assert answer.status_code == 422
    assert "The reason has 1001 characters; 1000 fit." in answer.text
    assert "x" * 1001 in answer.text


def test_the_reason_proposed_says_the_cause(fail):
    fail()

    assert clearing.proposed_reason(group()) == (
        "The accounting period of that date may be closed in Spectrum. Spectrum said: “Period … is closed”"
    )


@pytest.mark.parametrize("form", [{}, {"key": KEY}, {"key": KEY, "row": "1"}, {"row": "1-1"}, {"key": "short", "row": "1-1"}])
def test_a_form_that_does_not_say_what_it_showed_records_nothing(client, fail, ana, form):
    failed = fail()

    answer = sign_in(client, ana).post(f"/failures/{failed.cause}/retries", data=form)

    assert answer.status_code == 400
    assert BulkAction.select().count() == 0


@pytest.mark.parametrize(("who", "form"), [("sam", "retries"), ("sam", "rejections"), ("eve", "rejections")])
def test_a_form_is_not_opened_for_who_may_not_send_it(client, fail, who, form, request):
    failed = fail()

    answer = sign_in(client, request.getfixturevalue(who)).get(f"/failures/{failed.cause}/{form}", headers=HTMX)

    assert answer.status_code == 403
    assert 'name="row"' not in answer.text


def test_a_large_group_is_cleared_a_hundred_at_a_time(client, fail, ana, monkeypatch):
    monkeypatch.setattr(clearing.first, "__defaults__", (2,))
    failed = [fail() for _ in range(3)]

    page = sign_in(client, ana).get(f"/failures/{failed[0].cause}/retries").text

    assert len(form_of(page)["row"]) == 2
    assert "These are the first 2 of 3" in page


def test_the_delay_between_two_is_what_the_form_says(client, fail, ana):
    failed = fail()

    assert timedelta(seconds=2) == clearing.BETWEEN
    assert "2 seconds apart" in sign_in(client, ana).get(f"/failures/{failed.cause}/retries").text
