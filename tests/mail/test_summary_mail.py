"""The daily summary as mail: what it says, and when it is not sent any more."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from portal.background import tasks
from portal.domain import companies, people
from portal.domain.accounts import preferences, rights
from portal.domain.change_orders import ChangeOrder
from portal.domain.lanes import MAIL
from portal.domain.mail import daily_summary
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from tests.conftest import KEY
from tests.ports import free_port

PORTAL = "http://localhost:8123"


@pytest.fixture
def seven(clock, company):
    """It is Monday, 7:00 in Chicago."""
    clock.set(datetime.fromisoformat("2026-11-23T07:00:00-06:00").astimezone(UTC))
    return clock


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL=PORTAL)


@pytest.fixture
def without_mail_server(make_app):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port())


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def daily():
    return Dispatch.get(Dispatch.task == Task.DAILY)


def test_the_mail_tells_what_waits_and_leads_to_each(seven, make_change_order, mailing_app, catcher, ana):
    young, old = make_change_order(number="007", title="Café terrace"), make_change_order(number="003", title="Use SUB & not <M>")
    ChangeOrder.update(sent_at=seven.now() - timedelta(days=2, hours=4)).where(ChangeOrder.id == old.id).execute()
    daily_summary.plan()

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert caught["to"] == [ana.email]
    assert caught["subject"] == "ERP Integrations Daily Summary: 2 change orders, $8,500.00"
    assert ["Auto-Submitted", "auto-generated"] in caught["headers"]
    text = caught["text"]
    assert text.index("CCO 003: Use SUB & not <M>") < text.index("CCO 007: Café terrace")
    for part in (
        "$4,250.00",
        "2 d 4 h",
        "24-117 Harbor Tower",
        "SC-014 Volt Electric Co",
        f"{PORTAL}/change-orders?view=ready",
        f"{PORTAL}/profile",
    ):
        assert part in text
    assert "Besides" not in text
    page = BeautifulSoup(caught["html"], "html.parser")
    links = [link["href"] for link in page.find_all("a")]
    assert links == [
        f"{PORTAL}/change-orders/{old.id}",
        f"{PORTAL}/change-orders/{young.id}",
        f"{PORTAL}/change-orders?view=ready",
        f"{PORTAL}/profile",
        f"{PORTAL}/unsubscribe/{preferences.link((KEY,), ana, preferences.Kind.SUMMARY)}",
    ]
    assert all(link in text for link in links)
    assert "Use SUB &amp; not &lt;M&gt;" in caught["html"]
    assert page.find_all(["img", "form", "script", "style", "link"]) == []


def test_no_link_of_the_mail_decides_anything(seven, make_change_order, mailing_app, catcher, ana, client):
    waiting = make_change_order()
    daily_summary.plan()
    deliver(mailing_app)
    (caught,) = catcher.mails()

    for link in BeautifulSoup(caught["html"], "html.parser").find_all("a"):
        client.get(link["href"].removeprefix(PORTAL))

    assert ChangeOrder.get_by_id(waiting.id).version == waiting.version


def test_a_single_one_is_told_of_in_the_singular(seven, make_change_order, mailing_app, catcher, ana):
    make_change_order(lines=[("16-2000", "SUB", "-1250.00")])
    daily_summary.plan()

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert caught["subject"] == "ERP Integrations Daily Summary: 1 change order, −$1,250.00"
    assert "1 change order, −$1,250.00 in all, waits for you" in caught["text"]


def test_the_26th_and_further_ones_are_a_number_with_a_link(seven, make_change_order, mailing_app, catcher, ana):
    for _ in range(28):
        make_change_order()
    make_change_order("failed")
    make_change_order("unknown")
    daily_summary.plan()

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert caught["subject"].startswith("ERP Integrations Daily Summary: 28 change orders, ")
    for part in (caught["text"], " ".join(BeautifulSoup(caught["html"], "html.parser").get_text().split())):
        assert "and 3 more" in part
        assert "1 failed to export and 1 has an unknown outcome" in part
        assert part.count("CCO ") == 25
    assert f"{PORTAL}/change-orders?view=failed" in caught["text"]


def test_each_person_is_told_of_their_own_alone(seven, make_change_order, mailing_app, catcher, ana, lee):
    by_ana = make_change_order(number="001")
    ChangeOrder.update(sent_by=ana).where(ChangeOrder.id == by_ana.id).execute()
    make_change_order(number="002")
    daily_summary.plan()

    deliver(mailing_app)

    subjects = {mail["to"][0]: mail["subject"].partition(": ")[2] for mail in catcher.mails()}
    assert subjects == {ana.email: "1 change order, $4,250.00", lee.email: "2 change orders, $8,500.00"}


def test_running_it_again_sends_nothing_twice_and_a_copy_has_the_same_message_id(seven, change_order, mailing_app, catcher, ana):
    for _ in range(3):
        daily_summary.plan()
        deliver(mailing_app)
        seven.tick(minutes=10)
    assert len(catcher.mails()) == 1

    Dispatch.update(finished_at=None).execute()  # as if the worker had died after the final dot
    deliver(mailing_app)

    first, second = catcher.mails()
    assert first["message_id"] == second["message_id"]


def leave(ana, eve, change_order):
    rights.set_active(ana.id, active=False, by=eve)


def lose_the_privilege(ana, eve, change_order):
    rights.set_privilege(ana.id, granted=False, by=eve)


def decline(ana, eve, change_order):
    preferences.prefer(ana, preferences.Kind.SUMMARY, wanted=False)


def answer(ana, eve, change_order):
    change_order.move("retrieved", change_order.version)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (leave, "the account was deactivated"),
        (lose_the_privilege, "the person may not accept change orders"),
        (decline, "the person wants no daily summary"),
        (answer, "nothing waits any more"),
    ],
)
def test_what_happens_between_promise_and_sending_counts(seven, change_order, mailing_app, catcher, ana, eve, happens, why):
    daily_summary.plan()
    happens(people.by_id(ana.id), eve, change_order)

    deliver(mailing_app)

    assert [mail for mail in catcher.mails() if "Daily Summary" in mail["subject"]] == []
    assert (daily().outcome, daily().error) == (DispatchOutcome.SKIPPED, f"not sent: {why}")


def test_the_text_is_of_the_moment_it_is_sent(seven, make_change_order, mailing_app, without_mail_server, catcher, ana):
    make_change_order()
    daily_summary.plan()
    deliver(without_mail_server)
    make_change_order()
    seven.tick(hours=2)

    deliver(mailing_app)

    (caught,) = catcher.mails()
    assert caught["subject"].endswith(": 2 change orders, $8,500.00")


def test_a_summary_that_could_not_go_out_until_midnight_expires(seven, change_order, mailing_app, without_mail_server, catcher, ana):
    daily_summary.plan()
    midnight = datetime.fromisoformat("2026-11-24T00:00:00-06:00")
    while seven.now() < midnight:
        deliver(without_mail_server)
        assert daily().due_at <= midnight
        seven.set(daily().due_at)

    deliver(mailing_app)

    assert [mail for mail in catcher.mails() if "Daily Summary" in mail["subject"]] == []
    assert (daily().outcome, daily().error) == (DispatchOutcome.SKIPPED, "not sent: expired")


def test_yesterdays_does_not_hold_up_todays(seven, change_order, mailing_app, catcher, ana):
    daily_summary.plan()
    seven.tick(days=1)  # nobody worked on the mail
    daily_summary.plan()

    deliver(mailing_app)

    assert len(catcher.mails()) == 1
    assert [(d.key.split(":")[1], d.outcome) for d in Dispatch.select().where(Dispatch.task == Task.DAILY).order_by(Dispatch.key)] == [
        ("2026-11-23", DispatchOutcome.SKIPPED),
        ("2026-11-24", DispatchOutcome.DONE),
    ]


def test_a_summary_planned_before_the_zone_was_changed_still_has_its_own_day(seven, change_order, mailing_app, catcher, ana):
    daily_summary.plan()
    companies.Company.update(time_zone="Pacific/Auckland").execute()  # it is Tuesday there

    deliver(mailing_app)

    assert catcher.mails() == []
    assert daily().error == "not sent: expired"
