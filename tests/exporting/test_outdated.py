"""What was accepted is sent as it was signed, or not at all: the frozen header against its sources, and Review again as the way on."""

import threading
from datetime import date

import pytest
from bs4 import BeautifulSoup

from portal import db
from portal.background import tasks
from portal.domain import events
from portal.domain.change_orders import ChangeOrder, Overtaken, Status, load
from portal.domain.companies import Company
from portal.domain.exporting import exports, outdated, send
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import Level, NotPermitted
from portal.domain.projects import sending
from portal.domain.recovery import resolutions, second_review
from portal.domain.review import decisions
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.domain.settings import company_settings
from portal.spectrum.records import Refused, Row
from tests.cast import signed
from tests.conftest import HTMX, count_queries, sign_in
from tests.worker import BAD_PHASE, CLOSED, GOOD, TIMEOUT, last_event, turn

pytestmark = pytest.mark.databases_differ("locks and races")

NOT_THIS_COMPANY = Refused("Refused us.", http=200, rows=[Row("A", "Not authorized for company ABC.", "Authorization_ID")])
SPECTRUM = {"section": "spectrum", "code": "ABC", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}


@pytest.fixture
def stopped(accepted):
    """Failed, because the company has another code by now; nothing was sent."""
    settings(code="XYZ")
    turn(accepted)
    return load(accepted.id)


def settings(**values):
    Company.update(values).execute()


def change(source, name, value, request):
    thing = request.getfixturevalue(source)
    setattr(thing, name, value)
    thing.save()


SOURCES = [
    ("company", "code", "XYZ", "company code ABC (now XYZ)"),
    ("company", "cr_status", "AP", "change request status CR (now AP)"),
    ("company", "cost_reimbursable", "Y", "cost-reimbursable flag N (now Y)"),
    ("company", "sub_status", "R", "subcontract status P (now R)"),
    ("job", "number", "24-118", "job number 24-117 (now 24-118)"),
    ("job", "customer", "SOUTH", "customer code NORTHSIDE (now SOUTH)"),
    ("vendor", "code", "VOLT2", "vendor code VOLTCO (now VOLT2)"),
    ("commitment", "subcontract", "SC-15", "subcontract number SC-014 (now SC-15)"),
]


@pytest.mark.parametrize(("source", "name", "value", "words"), SOURCES)
def test_what_was_accepted_under_other_values_fails_before_the_first_byte_and_says_which(accepted, request, source, name, value, words):
    change(source, name, value, request)

    asked = turn(accepted)

    assert asked == []
    failed = last_event(accepted)
    assert (load(accepted.id).state, failed.action, failed.facts["cause"]) == (Status.FAILED, "failed", "setup")
    assert failed.facts["text"].startswith(f"It was accepted with {words}. Press Review again")
    assert not Lane.is_paused(accepted.company.lane)


def test_all_that_has_changed_is_told_at_once(accepted, vendor):
    settings(code="XYZ", cr_approves=True, cost_reimbursable="Y")
    vendor.code = "VOLT2"
    vendor.save()

    turn(accepted)

    assert (
        last_event(accepted)
        .facts["text"]
        .startswith(
            "It was accepted with company code ABC (now XYZ), status means Approved (action type 1 or 2) no (now yes), "
            "cost-reimbursable flag N (now Y),"
            " vendor code VOLTCO (now VOLT2)."
        )
    )


def test_words_dates_and_the_spelling_of_a_code_are_no_change(make_change_order, ana, company, vendor):
    settings(custom_title=True, accounting_dates=True, cr_approves=True, cost_reimbursable="Y")
    one = make_change_order()
    signed(one.id, ana, one.version, title="Typed title", description="Typed words", accounting_date=date(2026, 1, 5))
    ChangeOrder.update(title="Changed behind our back", description="This too").execute()
    vendor.code, vendor.name = "VoltCo", "Volt Electric Company"
    vendor.save()

    assert len(turn(load(one.id), GOOD)) == 1


def test_the_others_go_on(accepted, make_change_order, ana):
    settings(code="XYZ")
    other = make_change_order()
    signed(other.id, by=ana, version=other.version)

    asked = turn(load(other.id), GOOD)

    assert [elements["Company_Code"] for elements, _ in asked] == ["XYZ"]
    assert (load(accepted.id).state, load(other.id).state) == (Status.FAILED, Status.EXPORTED)


def test_a_refusal_for_the_company_code_of_this_one_alone_pauses_nobody(accepted):
    def change_meanwhile(elements, guid):
        settings(code="XYZ")
        raise NOT_THIS_COMPANY

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, change_meanwhile)

    failed = last_event(accepted)
    assert (load(accepted.id).state, failed.facts["cause"]) == (Status.FAILED, "setup")
    assert "It was accepted with company code ABC (now XYZ)." in failed.facts["text"]
    assert not Lane.is_paused(accepted.company.lane)


def test_a_refusal_of_us_still_pauses_where_something_else_has_changed(accepted):
    def change_meanwhile(elements, guid):
        settings(cr_status="AP")
        raise NOT_THIS_COMPANY

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, change_meanwhile)

    assert last_event(accepted).facts["cause"] == "access"
    assert Lane.is_paused(accepted.company.lane)


def test_lines_in_spectrum_are_never_followed_by_others_under_another_header(accepted):
    turn(accepted, GOOD, CLOSED)
    settings(code="XYZ")
    Dispatch.update(due_at=Dispatch.promised_at).execute()

    asked = turn(accepted)

    failed = last_event(accepted)
    assert asked == []
    assert (failed.facts["cause"], failed.facts["sent"]) == ("setup", [1])
    assert "Line 1 went to Spectrum under the old values, and the rest must not follow under others." in failed.facts["text"]
    assert failed.facts["rows"][0][:2] == ["check", "outdated in part"]


def test_who_takes_over_between_two_lines_compares_too(accepted):
    def die(elements, guid):
        if elements["CR_Phase_Code"] == "162100":
            raise SystemExit
        return GOOD

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    with pytest.raises(SystemExit):
        send.step(Dispatch.get(), claim, die)
    Lane.release(accepted.company.lane, claim)
    export = Export.get()
    exports.close_lost(export)
    exports.record_outcome(export, [2], exports.LineOutcome.ABSENT)
    settings(code="XYZ")
    Dispatch.update(due_at=Dispatch.promised_at).execute()

    assert turn(accepted) == []
    assert last_event(accepted).facts["cause"] == "setup"


def test_a_setting_that_changes_between_two_lines_of_one_turn_leaves_no_half(accepted):
    def change_meanwhile(elements, guid):
        settings(code="XYZ")
        return GOOD

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, change_meanwhile)

    assert load(accepted.id).state is Status.EXPORTED


def test_a_retry_is_refused_while_the_header_differs_and_goes_through_when_it_is_set_back(stopped, ana):
    with pytest.raises(Blocked, match=r"accepted with company code ABC \(now XYZ\)\. Press Review again"):
        resolutions.retry(stopped.id, ana, stopped.version)
    settings(code="ABC")

    resolutions.retry(stopped.id, ana, stopped.version)

    assert len(turn(stopped, GOOD, GOOD, GOOD)) == 3


def test_settings_that_are_missing_are_a_matter_of_the_setup(accepted):
    settings(cr_status="")

    turn(accepted)

    assert last_event(accepted).facts["cause"] == "setup"


def test_a_number_that_another_one_holds_under_the_key_is_not_sent(accepted, make_change_order):
    """As in a database of before, where a number was not taken under each key."""
    other = make_change_order()
    SpectrumNumber.update(change_order=other).execute()

    asked = turn(accepted)

    assert asked == []
    assert last_event(accepted).facts["text"] == "The number S014-001 belongs to CCO 002 of SC-014."
    assert (last_event(accepted).facts["cause"], load(accepted.id).state) == ("data", Status.FAILED)


def test_review_again_puts_it_back_with_its_revision_and_its_number(stopped, ana, lee):
    second_review.review_again(stopped.id, ana, stopped.version)

    reviewed = load(stopped.id)
    assert (reviewed.state, reviewed.revision, reviewed.export, reviewed.decided_by_id) == (Status.READY, stopped.revision, None, None)
    signed(reviewed.id, lee, reviewed.version)
    asked = turn(reviewed, GOOD, GOOD, GOOD)
    assert {(elements["Company_Code"], elements["Change_Request_Number"]) for elements, _ in asked} == {("XYZ", "S014-001")}
    assert load(stopped.id).state is Status.EXPORTED


def test_review_again_is_recorded_once_for_the_same_person(stopped, ana):
    second_review.review_again(stopped.id, ana, stopped.version)

    again = second_review.review_again(stopped.id, ana, stopped.version)

    assert again.state is Status.READY
    assert [event.action for event in events.history("change_order", stopped.id)].count("reviewed again") == 1
    assert last_event(stopped).facts["seen"] == stopped.version


def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(stopped, ana, lee):
    start, lost = threading.Barrier(2), []

    def press(way, by):
        with db.connected():
            start.wait(20)
            try:
                way(stopped.id, by, stopped.version)
            except Overtaken:
                lost.append(by.id)

    settings(code="ABC")
    pressing = ((second_review.review_again, ana), (resolutions.retry, lee))
    racers = [threading.Thread(target=press, args=one) for one in pressing]

    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert len(lost) == 1
    assert load(stopped.id).state in (Status.READY, Status.QUEUED)


def test_a_line_that_arrived_late_after_all_forbids_the_next_accept_until_it_is_removed(stopped, ana, dee):
    export = Export.get()
    second_review.review_again(stopped.id, ana, stopped.version)
    exports.record_outcome(export, [1], exports.LineOutcome.SENT, kind="late")
    ready = load(stopped.id)

    with pytest.raises(Blocked, match="Line 1 of an earlier export of it is, or may be, in Spectrum: an answer came late"):
        signed(ready.id, ana, ready.version)
    with pytest.raises(Blocked, match="Remove it there and tick the box"):
        decisions.reject(ready.id, ana, ready.version, "Late")
    decisions.reject(ready.id, ana, ready.version, "Late", removed=True)
    sending.send(ready.id, dee, load(ready.id).version)

    assert signed(ready.id, ana, load(ready.id).version).state is Status.QUEUED


@pytest.mark.parametrize("answers", [(GOOD, BAD_PHASE), (GOOD, TIMEOUT)])
def test_nothing_is_reviewed_again_while_a_line_is_or_may_be_in_spectrum(accepted, ana, clock, answers):
    turn(accepted, *answers)
    now = load(accepted.id)
    if now.state is Status.UNKNOWN:  # line 2 was in doubt; a late answer leaves it so after somebody has spoken
        clock.tick(minutes=16)
        resolutions.mark_absent(now.id, ana, now.version, "looked")
        exports.record_outcome(Export.get(), [2], exports.LineOutcome.UNKNOWN)
        now = load(accepted.id)

    with pytest.raises(Blocked, match="of it (is|are), or may be, in Spectrum"):
        second_review.review_again(now.id, ana, now.version)

    assert load(now.id).state is Status.FAILED


def test_four_eyes_and_the_privilege_hold_for_review_again(stopped, dee, sam, eve):
    dee.level, dee.can_push = Level.STANDARD, True
    dee.save()

    for person in (dee, sam, eve):
        with pytest.raises(NotPermitted):
            second_review.review_again(stopped.id, person, stopped.version)


def test_review_again_keeps_the_verdict_of_now(stopped, ana, vendor):
    vendor.code = ""
    vendor.save()

    assert second_review.review_again(stopped.id, ana, stopped.version).checks == "block"


def words(answer):
    return " ".join(BeautifulSoup(answer.text, "html.parser").text.split())


def buttons(answer, id):
    return [button.text.strip() for button in BeautifulSoup(answer.text, "html.parser").find(id=f"change-order-{id}").find_all("button")]


def test_the_row_says_why_it_is_not_retried_and_offers_the_review(client, stopped, ana):
    row = sign_in(client, ana).get(f"/change-orders/{stopped.id}/row", headers=HTMX)

    assert buttons(row, stopped.id) == ["Review again", "Reject"]
    assert "Retry is not offered: it was accepted with company code ABC (now XYZ). Review again puts it back" in words(row)
    assert "Accounting can fix this. Press Review again and accept it as it is now" in words(row)


def test_review_again_works_on_the_row_and_without_javascript(client, stopped, ana):
    sign_in(client, ana)
    page = BeautifulSoup(client.get(f"/change-orders/{stopped.id}").text, "html.parser")
    form = page.find("form", {"action": f"/change-orders/{stopped.id}/review"})
    data = {field["name"]: field["value"] for field in form.find_all("input", {"name": True})}

    answer = client.post(form["action"], data=data)
    again = client.post(form["action"], data=data, headers=HTMX)

    assert (answer.status_code, again.status_code) == (303, 200)
    assert buttons(again, stopped.id) == ["Accept", "Reject"]
    assert "Ana Ortiz put it up for review again; it keeps its number S014-001" in words(client.get(f"/change-orders/{stopped.id}"))


def test_who_comes_too_late_to_review_again_sees_how_it_stands(client, stopped, ana, lee):
    second_review.review_again(stopped.id, lee, stopped.version)

    answer = sign_in(client, ana).post(f"/change-orders/{stopped.id}/review", data={"version": stopped.version}, headers=HTMX)

    assert answer.status_code == 409
    assert "Nothing was recorded. Lee Nakamura put it up for review again" in words(answer)


def test_with_lines_in_spectrum_the_review_is_not_offered_and_refused(client, accepted, ana):
    turn(accepted, GOOD, BAD_PHASE)
    failed = load(accepted.id)
    sign_in(client, ana)

    row = client.get(f"/change-orders/{failed.id}/row", headers=HTMX)
    answer = client.post(f"/change-orders/{failed.id}/review", data={"version": failed.version}, headers=HTMX)

    assert buttons(row, failed.id) == ["Retry", "Reject"]
    assert answer.status_code == 422
    assert "Line 1 of it is, or may be, in Spectrum." in words(answer)


def test_the_list_of_failed_ones_asks_the_database_as_often_for_many_as_for_few(client, make_change_order, ana, company):
    sign_in(client, ana)
    sent = []
    for _ in range(2):
        for _ in range(3):
            make_change_order("failed")
        settings(code="XYZ")
        with count_queries() as queries:
            assert client.get("/change-orders?view=failed").status_code == 200
        sent.append(len(queries))
        settings(code="ABC")

    assert sent[0] == sent[1]


def test_saving_a_compared_setting_says_first_how_many_carry_the_old_value(client, accepted, make_change_order, eve, ana):
    make_change_order("failed")
    make_change_order("exported")
    sign_in(client, eve)

    asked = client.post("/settings/company", data=SPECTRUM | {"code": "XYZ"})
    kept = Company.get().code
    saved = client.post("/settings/company", data=SPECTRUM | {"code": "XYZ", "confirmed": "2"})

    page = BeautifulSoup(asked.text, "html.parser")
    assert (asked.status_code, kept) == (409, "ABC")
    assert "2 change orders were accepted with the old value and are not exported yet." in words(asked)
    assert page.find(id="code")["value"] == "XYZ"
    assert page.find("input", {"name": "confirmed"})["value"] == "2"
    assert saved.status_code == 303
    assert Company.get().code == "XYZ"


def test_what_was_accepted_after_the_question_is_asked_about_again(accepted, make_change_order, eve, ana):
    one = make_change_order()
    signed(one.id, ana, one.version)

    with pytest.raises(outdated.Unconfirmed) as refused:
        company_settings.change("spectrum", SPECTRUM | {"sub_status": "R"}, eve, confirmed=1)

    assert refused.value.count == 2


def test_a_setting_that_nobody_carries_is_saved_at_once(accepted, eve):
    settings(code="XYZ", cr_status="AP")

    company_settings.change("spectrum", SPECTRUM | {"code": "NEW", "cr_status": "AP"}, eve)

    assert Company.get().code == "NEW"
