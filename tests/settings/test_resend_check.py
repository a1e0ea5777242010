"""The guided check whether a line sent again replaces the stored one: one line, sent once more, and a person who says what it did."""

import pytest

from portal.background import tasks
from portal.domain import companies, events, outbox
from portal.domain.change_orders import Overtaken, Status, load
from portal.domain.companies import Company
from portal.domain.exporting import exports, pausing
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted
from portal.domain.settings import company_settings, resend_check
from portal.domain.settings.resend_check import NotNow, ResendCheck
from portal.spectrum.records import Stored, StoredLine
from tests.conftest import HTMX, sign_in
from tests.worker import GOOD, TIMEOUT, Answers

ONE_LINE = [("16-2000", "SUB", "4250.00")]


@pytest.fixture(autouse=True)
def test_company(company):
    """The company is marked as a test company in Spectrum."""
    company.test_company = True
    company.save()


@pytest.fixture
def exported(make_change_order):
    return make_change_order("exported", lines=ONE_LINE)


def work(*answers, read=None):
    """The worker's turn on the check; answers the elements that were sent."""
    spectrum, dispatch = Answers(*answers), Dispatch.get(Dispatch.task == Task.RESEND_CHECK)
    claim = Lane.take(dispatch.lane, tasks.LEASE)
    resend_check.step(dispatch, claim, spectrum, read)
    Lane.release(dispatch.lane, claim)
    return [elements for elements, _ in spectrum.asked]


def test_the_very_line_that_was_frozen_is_sent_once_more_and_nothing_moves(exported, ada):
    resend_check.ask(exported.id, ada, "ABC")

    sent = work(GOOD)

    assert sent == [Export.get().lines[0][1]]
    assert load(exported.id).version == exported.version
    assert Attempt.select().where(Attempt.kind == "check", Attempt.outcome == "sent").count() == 1
    assert resend_check.latest().sent
    assert "Look at S014-001 in Spectrum now." in resend_check.latest().said


def test_where_spectrum_is_read_back_the_check_says_what_it_holds(exported, ada):
    resend_check.ask(exported.id, ada, "ABC")
    doubled = StoredLine("162000", "SUB", StoredLine.sent(Export.get().lines[0][1]).amount * 2)

    work(GOOD, read=lambda _: Stored("CR", "", (doubled,)))

    assert "Spectrum holds something else under S014-001, or other amounts." in resend_check.latest().said


def test_an_unclear_answer_proves_nothing(exported, ada):
    resend_check.ask(exported.id, ada, "ABC")
    work(TIMEOUT)

    with pytest.raises(NotNow, match="Send one line again first"):
        resend_check.record("replaces", ada)

    assert "This check decides nothing." in resend_check.latest().said
    assert exports.uncertain_lines(Export.get()) == []


def test_after_a_lost_worker_it_is_not_sent_a_third_time(exported, ada):
    resend_check.ask(exported.id, ada, "ABC")
    with pytest.raises(KeyboardInterrupt):
        work(KeyboardInterrupt())
    Lane.update(until=outbox.clock.EPOCH).execute()

    assert work() == []

    assert resend_check.latest().said == resend_check.STOPPED
    assert Attempt.get(Attempt.kind == "check").outcome == "lost"


@pytest.mark.parametrize("seen", ["replaces", "adds"])
def test_what_somebody_saw_is_kept_with_who_saw_it(exported, ada, seen):
    resend_check.ask(exported.id, ada, "ABC")
    work(GOOD)

    resend_check.record(seen, ada)

    assert companies.current().resending == seen
    assert companies.current().resending_replaces == (seen == "replaces")
    event = events.Event.select().order_by(events.Event.seq.desc()).get()
    assert (event.action, event.actor, event.facts["new"]) == ("resending recorded", ada, seen)


def test_what_waited_for_a_person_is_looked_after_from_then_on(exported, make_change_order, ada):
    doubt = make_change_order("unknown", number="077")
    key = exports.key(doubt.export)
    Dispatch.update(finished_at=outbox.clock.now()).where(Dispatch.key == key).execute()
    resend_check.ask(exported.id, ada, "ABC")
    work(GOOD)

    resend_check.record("replaces", ada)

    assert Dispatch.get(Dispatch.key == key).finished_at is None


def test_only_an_administrator_with_the_privilege_checks(exported, ana, eve):
    for person in (ana, eve):
        with pytest.raises(NotPermitted):
            resend_check.ask(exported.id, person, "ABC")

    assert not ResendCheck.select().exists()


def test_only_what_the_portal_exported_with_one_line_can_be_sent_again(make_change_order, ada):
    two = make_change_order("exported", number="002", lines=[*ONE_LINE, ("16-2100", "SUB", "1.00")])
    ready = make_change_order(number="003", lines=ONE_LINE)

    with pytest.raises(NotNow, match="exactly one line"):
        resend_check.ask(two.id, ada, "ABC")
    with pytest.raises(Overtaken):
        resend_check.ask(ready.id, ada, "ABC")
    assert resend_check.candidates() == []


def test_no_line_is_sent_again_in_a_company_that_nobody_marked_as_a_test_company(client, exported, ada):
    Company.update(test_company=False).execute()
    sign_in(client, ada)

    with pytest.raises(NotNow, match="marked as a test company of Spectrum"):
        resend_check.ask(exported.id, ada, "ABC")
    answer = client.post("/settings/resending/checks", data={"change_order": exported.id, "test_code": "ABC"}, headers=HTMX)

    assert answer.status_code == 409
    assert "marked as a test company of Spectrum" in answer.text
    assert "no one has marked this company as a test company" in client.get("/settings/company").text
    assert not ResendCheck.select().exists()


@pytest.mark.parametrize("typed", ["", "XYZ", "AB", "ABCD"])
def test_the_code_of_the_test_company_is_typed(client, exported, ada, typed):
    with pytest.raises(ValueError, match="not the code of the test company"):
        resend_check.ask(exported.id, ada, typed)

    form = {"change_order": exported.id, "test_code": typed}
    answer = sign_in(client, ada).post("/settings/resending/checks", data=form, headers=HTMX)

    assert answer.status_code == 422
    assert "That is not the code of the test company." in answer.text
    assert not ResendCheck.select().exists()


def test_what_was_exported_to_another_company_is_not_sent_again(exported, ada):
    Company.update(code="TST").execute()

    with pytest.raises(NotNow, match="exported to another company than TST"):
        resend_check.ask(exported.id, ada, "TST")

    assert resend_check.candidates() == []


@pytest.mark.parametrize("change", [{"test_company": False}, {"code": "XYZ"}])
def test_a_company_that_is_real_by_the_time_of_the_worker_gets_nothing(exported, ada, change):
    resend_check.ask(exported.id, ada, "ABC")
    Company.update(**change).execute()

    assert work(GOOD) == []

    assert "Nothing was sent: the company is no test company any more." in resend_check.latest().said
    assert not resend_check.latest().sent


def test_an_administrator_marks_the_company_with_an_event_and_another_code_takes_the_mark_off(company, eve):
    company_settings.change("resending", {"test_company": ""}, eve)
    marked = company_settings.change("resending", {"test_company": "on"}, eve)
    codes = {"code": "TST", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}

    moved = company_settings.change("spectrum", codes, eve)

    told = [event.facts["new"] for event in events.history("company", company.id)]
    assert marked.test_company
    assert not moved.test_company
    assert told == [{"test_company": False}, {"test_company": True}, {"code": "TST", "test_company": False}]


def test_the_mark_of_a_test_company_is_off_by_default():
    assert not Company().test_company


def test_one_check_at_a_time_and_none_while_exports_are_paused(exported, ada, company):
    pausing.pause(company.lane, ada, "month end")
    with pytest.raises(NotNow, match="Exports are paused"):
        resend_check.ask(exported.id, ada, "ABC")
    pausing.resume(company.lane, ada)
    resend_check.ask(exported.id, ada, "ABC")

    with pytest.raises(NotNow, match="A check is under way"):
        resend_check.ask(exported.id, ada, "ABC")


def test_the_settings_page_leads_through_it(client, ada, exported):
    sign_in(client, ada)
    assert "Not checked." in client.get("/settings/company").text

    asked = client.post("/settings/resending/checks", data={"change_order": exported.id, "test_code": "abc"}, headers=HTMX)
    work(GOOD)
    done = client.get("/settings/resending/check", headers=HTMX)
    recorded = client.post("/settings/resending", data={"seen": "replaces"}, headers=HTMX)

    assert 'hx-trigger="load delay:1s"' in asked.text
    assert "The amount stayed the same" in done.text
    assert "Sending again replaces." in recorded.text
    assert load(exported.id).state is Status.EXPORTED


@pytest.mark.parametrize(
    ("address", "form", "status", "said"),
    [
        ("/settings/resending/checks", {"change_order": "x"}, 422, "Choose a change order from the list."),
        ("/settings/resending", {"seen": "nothing"}, 422, "Say whether the amount stayed the same or doubled."),
        ("/settings/resending", {"seen": "adds"}, 409, "Send one line again first"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_bad_input_is_told(client, ada, address, form, status, said, headers):
    answer = sign_in(client, ada).post(address, data=form, headers=headers)

    assert answer.status_code == status
    assert said in answer.text
