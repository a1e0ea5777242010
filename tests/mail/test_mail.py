"""A rejection reaches sender and creator: once, readable, with the way to correct it."""

import smtplib
import socket

import pytest

from portal import mail, messages
from portal.background import tasks
from portal.domain.change_orders import load
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from portal.domain.review import decisions
from tests.ports import free_port

REASON = "Wrong cost type on line 2.\nUse SUB & not <M>."


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="http://localhost:8123")


@pytest.fixture
def rejected(make_change_order, ana):
    change_order = make_change_order(number="004", title="Café terrace")
    decisions.reject(change_order.id, by=ana, version=change_order.version, reason=REASON)
    return load(change_order.id)


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def test_the_mail_tells_who_sent_back_what_why_and_where_to_correct_it(rejected, mailing_app, catcher, dee, ana):
    deliver(mailing_app)

    (caught,) = catcher.mails()
    link = f"http://localhost:8123/change-orders/{rejected.id}/edit"
    assert caught["to"] == [dee.email]
    assert caught["subject"] == "CCO 004 sent back: Café terrace"
    for part in (ana.name, "CCO 004", REASON, rejected.job.number, link):
        assert part in caught["text"].replace("\r\n", "\n")
    assert "Use SUB &amp; not &lt;M&gt;." in caught["html"]
    assert f'href="{link}"' in caught["html"]
    assert ["Auto-Submitted", "auto-generated"] in caught["headers"]


def test_a_credit_sent_back_has_its_sign_in_the_mail(make_change_order, mailing_app, catcher, ana):
    credit = make_change_order(lines=[("16-2000", "SUB", "-1500.00")])
    decisions.reject(credit.id, by=ana, version=credit.version, reason=REASON)

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert "Amount: −$1,500.00 credit" in caught["text"]
    assert "−$1,500.00 credit" in caught["html"]


def test_running_the_task_twice_sends_one_mail(rejected, mailing_app, catcher):
    deliver(mailing_app)
    deliver(mailing_app)

    assert len(catcher.mails()) == 1


def test_a_copy_after_a_crash_carries_the_same_message_id(rejected, mailing_app, catcher):
    deliver(mailing_app)
    Dispatch.update(finished_at=None, due_at=Dispatch.promised_at).execute()  # as if the worker had died after the final dot
    deliver(mailing_app)

    first, second = catcher.mails()
    assert first["message_id"] == second["message_id"]


def test_a_mail_server_that_is_away_costs_only_time(rejected, make_app, mailing_app, catcher, clock):
    deliver(make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port()))
    waiting = Dispatch.get()
    clock.tick(minutes=2)

    deliver(mailing_app)

    assert waiting.finished_at is None
    assert "mail server not available" in waiting.error
    assert len(catcher.mails()) == 1


@pytest.mark.parametrize(("code", "finished"), [(550, True), (552, True), (451, False), (421, False)])
def test_a_refusal_for_good_is_visible_and_one_for_now_is_tried_again(rejected, mailing_app, monkeypatch, code, finished):
    def refuse(self, *_):
        raise smtplib.SMTPDataError(code, b"no")

    monkeypatch.setattr(smtplib.SMTP, "send_message", refuse)

    deliver(mailing_app)

    assert (Dispatch.get().finished_at is not None) is finished
    assert f"{code} no" in Dispatch.get().error


def test_nobody_who_left_gets_mail(rejected, mailing_app, catcher, dee):
    User.update(active=False).where(User.id == dee.id).execute()

    deliver(mailing_app)

    assert catcher.mails() == []
    assert Dispatch.get().error == "not sent: the account was deactivated"


def test_mail_never_holds_up_the_lane_of_exports(rejected):
    assert Dispatch.get().lane == "mail"
    assert {"mail", "exports:1"} <= {lane.name for lane in Lane.select()}


def test_a_header_cannot_be_smuggled_in_by_a_title(rejected, mailing_app, catcher):
    type(rejected).update(title="Hi\r\nBcc: all@example.test").execute()

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert caught["subject"] == "CCO 004 sent back: Hi Bcc: all@example.test"
    assert len(caught["to"]) == 1


def test_the_message_id_depends_on_the_promise_alone():
    assert messages.message_id("rejected:1:1:5", "portal@example.test") == messages.message_id("rejected:1:1:5", "portal@example.test")
    assert messages.message_id("rejected:1:2:5", "portal@example.test") != messages.message_id("rejected:1:1:5", "portal@example.test")


def test_a_mail_server_that_says_nothing_is_given_up_after_a_while(rejected, make_app, monkeypatch):
    monkeypatch.setattr(mail, "PATIENCE_S", 0.3)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        deliver(make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=silent.getsockname()[1]))

    assert "mail server not available" in Dispatch.get().error
