"""An administrator sends themselves a test mail, and the company page says what became of it."""

import smtplib

import pytest
from bs4 import BeautifulSoup

from portal.background import tasks
from portal.domain import events
from portal.domain.lanes import MAIL
from portal.domain.mail import trial_mail
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted
from tests.conftest import sign_in
from tests.ports import free_port

TRY = "/settings/mail/trial"


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="https://cco.example.test")


@pytest.fixture
def admin(client, company, eve):
    return sign_in(client, eve)


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def said(client):
    return " ".join(BeautifulSoup(client.get("/settings/company").text, "html.parser").find(id="mail").get_text().split())


def test_a_press_sends_one_mail_to_who_pressed_and_the_page_says_that_it_went(admin, eve, mailing_app, catcher):
    assert "test mail that you asked for" not in said(admin)

    answer = admin.post(TRY)

    assert (answer.status_code, answer.location) == (303, "/settings/company#mail")
    assert "is on its way. Reload the page to see its result." in said(admin)
    deliver(mailing_app)
    (mail,) = catcher.mails()
    assert (mail["to"], mail["subject"]) == ([eve.email], "Test mail from the CCO Portal")
    for part in ("text", "html"):
        assert "This is the test mail you asked for at" in mail[part]
        assert "https://cco.example.test/settings/company#mail" in mail[part]
    assert "was handed to the mail server. Look into your mailbox." in said(admin)
    assert [(event.action, event.actor) for event in events.Event.select()] == [("test mail asked for", eve)]


def test_two_presses_before_it_went_are_one_mail(admin, mailing_app, catcher):
    admin.post(TRY)
    admin.post(TRY)
    deliver(mailing_app)

    assert len(catcher.mails()) == 1


def test_each_later_press_sends_a_mail_that_no_mailbox_takes_for_a_copy(admin, mailing_app, catcher, clock):
    for _ in range(2):
        admin.post(TRY)
        deliver(mailing_app)
        clock.tick(minutes=1)

    first, second = (dict(mail["headers"])["Message-ID"] for mail in catcher.mails())
    assert first != second
    assert Dispatch.select().count() == 1


def test_what_the_mail_server_refuses_is_told_with_its_words(admin, mailing_app, monkeypatch):
    def refuse(self, message):
        raise smtplib.SMTPRecipientsRefused({message["To"]: (550, b"no such user")})

    monkeypatch.setattr(smtplib.SMTP, "send_message", refuse)
    admin.post(TRY)
    deliver(mailing_app)

    assert "did not go out: not delivered: 550 no such user." in said(admin)


def test_a_mail_server_that_cannot_be_reached_is_told_and_tried_again(admin, make_app):
    admin.post(TRY)
    deliver(make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port()))

    assert "waits: mail server not available:" in said(admin)
    assert "The portal tries again." in said(admin)


@pytest.mark.parametrize(
    ("host", "shown"), [("mail.example.test", "mail.example.test:2525, from portal@localhost.test"), ("", "None is set.")]
)
def test_through_which_server_mail_goes_can_be_read(make_app, company, eve, host, shown):
    admin = sign_in(make_app(SMTP_HOST=host, SMTP_PORT=2525).test_client(), eve)

    assert shown in said(admin)


def test_whether_somebody_is_an_administrator_is_read_in_the_transaction(eve):
    eve.level = "Standard"
    eve.save()

    with pytest.raises(NotPermitted):
        trial_mail.ask(eve)
