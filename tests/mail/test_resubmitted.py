"""Who rejected a change order hears that it is back, if they asked for that."""

from decimal import Decimal

import pytest

from portal.background import tasks
from portal.domain.accounts import preferences
from portal.domain.accounts.preferences import Kind
from portal.domain.change_orders import load
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User
from portal.domain.projects import sending
from portal.domain.review import decisions
from tests.cast import signed
from tests.conftest import sign_in

CORRECTED = sending.Draft("001", "Relocate duct bank", "", [sending.LineDraft("16-2000", "M", Decimal("4250.00"))])


@pytest.fixture
def wanting(ana):
    return preferences.prefer(ana, Kind.RESUBMITTED, wanted=True)


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="http://localhost:8123")


def comes_back(made, dee):
    sending.edit(made.id, dee, load(made.id).version, CORRECTED)
    sending.send(made.id, dee, load(made.id).version)


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def promised():
    return list(Dispatch.select().where(Dispatch.task == Task.RESUBMITTED))


def test_the_mail_tells_what_changed_and_leads_to_it(make_change_order, wanting, dee, mailing_app, catcher):
    made = make_change_order("rejected")
    Dispatch.delete().execute()
    comes_back(made, dee)

    deliver(mailing_app)

    (mail,) = catcher.mails()
    assert (mail["to"], mail["subject"]) == ([wanting.email], "Corrected and back: CCO 001: Relocate duct bank")
    for part in ("text", "html"):
        assert f"http://localhost:8123/change-orders/{made.id}" in mail[part]
        assert "What changed since revision 1:" in mail[part]
        assert "Line 1" in mail[part]


def test_who_did_not_ask_for_it_gets_none(make_change_order, ana, dee):
    comes_back(make_change_order("rejected"), dee)

    assert promised() == []


def test_what_was_retrieved_and_not_rejected_tells_no_one(make_change_order, wanting, dee):
    comes_back(make_change_order("retrieved"), dee)

    assert promised() == []


@pytest.mark.parametrize("meanwhile", ["decided", "declined", "rights"])
def test_what_is_no_news_any_more_is_not_sent(make_change_order, wanting, lee, dee, mailing_app, catcher, meanwhile):
    made = make_change_order("rejected")
    Dispatch.delete().execute()
    comes_back(made, dee)
    if meanwhile == "decided":
        signed(made.id, by=lee, version=load(made.id).version)
    elif meanwhile == "declined":
        preferences.prefer(wanting, Kind.RESUBMITTED, wanted=False)
    else:
        User.update(can_push=False).where(User.id == wanting.id).execute()

    deliver(mailing_app)

    assert catcher.mails() == []
    assert promised()[0].outcome == "skipped"


def test_each_time_it_comes_back_is_one_mail(make_change_order, wanting, dee):
    made = make_change_order("rejected")
    comes_back(made, dee)
    decisions.reject(made.id, wanting, load(made.id).version, "Still wrong.")
    comes_back(made, dee)

    assert [one.key for one in promised()] == [f"resubmitted:{made.id}:{revision}:{wanting.id}" for revision in (2, 3)]


def test_the_profile_has_its_switch(client, ana):
    sign_in(client, ana).post("/profile", data={"wants_resubmitted": "on"})

    assert User.get_by_id(ana.id).wants_resubmitted
    assert "and mail on corrected change orders." in client.get("/profile").text
