"""Mail that fails is seen, by whom it concerns, and can be sent again."""

import smtplib

import pytest
from bs4 import BeautifulSoup

from portal.domain import events, outbox
from portal.domain.mail import daily_summary, letters, undelivered
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.people import NotPermitted
from portal.domain.review import decisions
from portal.web.settings.mail import KINDS
from tests.cast import signed
from tests.conftest import count_queries, sign_in
from tests.mail.test_summary_mail import deliver, mailing_app, seven, without_mail_server

__all__ = ["mailing_app", "seven", "without_mail_server"]


@pytest.fixture
def rejected(make_change_order, ana):
    """One that was sent back; the mail about it is promised."""
    change_order = make_change_order(number="004", title="Use <M>")
    return decisions.reject(change_order.id, by=ana, version=change_order.version, reason="Wrong cost type")


@pytest.fixture
def refuses(monkeypatch):
    """The mail server answers 550."""

    def refuse(self, *_):
        raise smtplib.SMTPRecipientsRefused({"dee@example.test": (550, b"no such <user>")})

    with monkeypatch.context() as patch:
        patch.setattr(smtplib.SMTP, "send_message", refuse)
        yield patch


@pytest.fixture
def failed(rejected, mailing_app, refuses):
    """The mail server refused the mail to Dee."""
    deliver(mailing_app)
    return Dispatch.get(Dispatch.task == Task.REJECTED)


def told():
    return [(event.action, event.facts["mail"], event.actor) for event in events.Event.select() if event.action.startswith("mail ")]


def test_mail_is_tried_for_three_days_with_growing_pauses_and_then_failed(rejected, without_mail_server, clock):
    begun, pauses = clock.now(), []
    while (dispatch := Dispatch.get(Dispatch.task == Task.REJECTED)).finished_at is None:
        deliver(without_mail_server)
        pauses.append((Dispatch.get_by_id(dispatch.id).due_at - clock.now()).total_seconds())
        clock.set(max(clock.now(), Dispatch.get_by_id(dispatch.id).due_at))

    assert pauses[:6] == [120, 300, 900, 3600, 3600, 3600]
    assert 3 * 24 <= (dispatch.finished_at - begun).total_seconds() / 3600 < 3 * 24 + 1
    assert (dispatch.outcome, dispatch.error[:27]) == (DispatchOutcome.FAILED, "not delivered in 3 days: ma")


def test_mail_that_nobody_worked_on_for_longer_is_tried_once_more(rejected, mailing_app, catcher, clock):
    clock.tick(days=30)

    deliver(mailing_app)

    assert len(catcher.mails()) == 1


def test_nothing_is_in_trouble_while_mail_goes_out(rejected, mailing_app, client, eve):
    deliver(mailing_app)
    sign_in(client, eve)

    page = client.get("/settings/mail").text

    assert "All mail went out." in page
    assert "trouble" not in page


@pytest.mark.parametrize("who", ["eve", "sam", "ana"])
def test_a_failure_is_seen_on_every_page_by_those_who_look_after_failures(failed, client, who, request):
    sign_in(client, request.getfixturevalue(who))

    link = BeautifulSoup(client.get("/change-orders").text, "html.parser").find("a", class_="trouble")

    assert (link["href"], link.get_text(" ", strip=True)) == ("/settings/mail", "Mail 1 not delivered")


@pytest.mark.parametrize("who", ["ben", "dee"])
def test_others_are_not_told(failed, client, who, request):
    sign_in(client, request.getfixturevalue(who))

    assert "/settings/mail" not in client.get("/", follow_redirects=True).text
    assert client.get("/settings/mail").status_code == 403


def test_the_page_tells_to_whom_about_what_how_often_and_what_was_said(failed, rejected, client, sam):
    sign_in(client, sam)

    row = BeautifulSoup(client.get("/settings/mail").text, "html.parser").find(id=f"mail-{failed.id}")

    told = row.get_text(" ", strip=True)
    for part in ("Dee Sørensen", "dee@example.test", "Sent back: CCO 004 Use <M>", "Failed", "not delivered: 550 no such <user>"):
        assert part in told
    assert row.find("a")["href"] == f"/change-orders/{rejected.id}"
    assert row.find("form") is None  # support looks; an administrator acts


def test_mail_that_waits_for_a_quarter_of_an_hour_is_late(rejected, without_mail_server, client, eve, clock):
    sign_in(client, eve)
    deliver(without_mail_server)
    assert undelivered.count() == 0
    clock.tick(minutes=15)

    page = BeautifulSoup(client.get("/settings/mail").text, "html.parser").find("tbody").get_text(" ", strip=True)

    assert "Late" in page
    assert "mail server not available" in page


def test_mail_that_no_worker_looked_at_is_late_too(rejected, client, eve, clock):
    sign_in(client, eve)
    clock.tick(minutes=16)

    assert "Is the mail worker running?" in client.get("/settings/mail").text


def test_an_administrator_sends_it_again(rejected, mailing_app, catcher, client, eve, refuses):
    deliver(mailing_app)
    failed = Dispatch.get(Dispatch.task == Task.REJECTED)
    sign_in(client, eve)

    answer = client.post(f"/settings/mail/{failed.id}/promise")
    assert (answer.status_code, answer.location) == (303, "/settings/mail")
    refuses.undo()
    deliver(mailing_app)

    assert "goes out again" in client.get("/settings/mail").text
    assert [mail["to"] for mail in catcher.mails()] == [["dee@example.test"]]
    assert told() == [("mail sent again", failed.key, eve)]
    assert Dispatch.get_by_id(failed.id).outcome == DispatchOutcome.DONE


def test_pressing_twice_promises_once(failed, client, eve):
    sign_in(client, eve)

    for _ in range(2):
        client.post(f"/settings/mail/{failed.id}/promise")

    assert "neither late nor failed" in client.get("/settings/mail").text
    assert len(told()) == 1


def test_mail_that_is_set_aside_is_off_the_list_and_not_tried_any_more(failed, mailing_app, client, eve):
    sign_in(client, eve)

    client.post(f"/settings/mail/{failed.id}/rest")
    assert "stays unsent" in client.get("/settings/mail").text
    assert undelivered.count() == 0
    assert told() == [("mail set aside", failed.key, eve)]
    deliver(mailing_app)
    assert Dispatch.get_by_id(failed.id).error == "set aside: not delivered: 550 no such <user>"


@pytest.mark.parametrize("do", [undelivered.send_again, undelivered.set_aside])
def test_only_an_administrator_does_either(failed, sam, ana, do):
    for person in (sam, ana):
        with pytest.raises(NotPermitted):
            do(failed.id, by=person)

    assert told() == []


def test_a_summary_whose_day_has_passed_cannot_be_sent_again(seven, change_order, mailing_app, refuses, client, ana, eve):
    daily_summary.plan()
    deliver(mailing_app)
    dispatch = Dispatch.get(Dispatch.task == Task.DAILY)
    assert dispatch.outcome == DispatchOutcome.FAILED
    seven.tick(days=1)
    sign_in(client, eve)

    client.post(f"/settings/mail/{dispatch.id}/promise")

    page = client.get("/settings/mail").text
    assert "Its time has passed, so it cannot go any more." in page
    assert "Set aside" in page
    assert "Send again" not in page
    assert Dispatch.get_by_id(dispatch.id).outcome == DispatchOutcome.FAILED


def test_what_becomes_void_or_is_an_export_is_no_trouble(change_order, ana, clock):
    accepted = signed(change_order.id, by=ana, version=change_order.version)
    clock.tick(days=2)
    outbox.withdraw(f"export:{accepted.export}")

    assert undelivered.count() == 0


def test_the_number_of_queries_does_not_grow_with_the_mails(make_change_order, ana, clock):
    def reject():
        change_order = make_change_order()
        decisions.reject(change_order.id, by=ana, version=change_order.version, reason="No")

    reject()
    clock.tick(minutes=20)
    with count_queries() as few:
        assert len(undelivered.oldest()) == 1
    for _ in range(5):
        reject()
    clock.tick(minutes=20)

    with count_queries() as more:
        assert len(undelivered.oldest()) == 6

    assert len(more) == len(few)


def test_a_defect_in_one_letter_does_not_hold_up_the_others(rejected, make_change_order, mailing_app, catcher, ana, clock, monkeypatch):
    first = Dispatch.get(Dispatch.task == Task.REJECTED)
    write = letters.WRITE[Task.REJECTED]
    monkeypatch.setitem(letters.WRITE, Task.REJECTED, lambda key, to: 1 / 0 if key == first.key else write(key, to))
    clock.tick(seconds=1)
    other = make_change_order()
    decisions.reject(other.id, by=ana, version=other.version, reason="No")

    with pytest.raises(ZeroDivisionError):
        deliver(mailing_app)
    deliver(mailing_app)

    assert len(catcher.mails()) == 1
    assert (Dispatch.get_by_id(first.id).finished_at, Dispatch.get_by_id(first.id).tries) == (None, 1)


def test_every_kind_of_mail_has_a_name_on_the_page():
    assert set(KINDS) == set(letters.WRITE)
