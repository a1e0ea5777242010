"""`portal summary send`: show what would go, or send what is due."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from portal.background import keeper, tasks
from portal.cli import main
from portal.domain import companies, events
from portal.domain.accounts import preferences
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from tests.ports import free_port


@pytest.fixture
def clock(clock, company):
    """It is Monday, 7:30 in Chicago."""
    clock.set(datetime.fromisoformat("2026-11-23T07:30:00-06:00").astimezone(UTC))
    return clock


@pytest.fixture
def portal(clock, settings, request):
    """The command line, on this test's database, with a mail catcher where the test has one."""

    def run(*arguments):
        port = request.getfixturevalue("catcher").smtp_port if "catcher" in request.fixturenames else free_port()
        env = {name: str(value) for name, value in settings.model_dump().items()} | {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port)}
        return CliRunner().invoke(main, ["summary", "send", *arguments], env=env)

    return run


def test_a_dry_run_shows_subject_and_text_to_each_and_records_nothing(portal, change_order, catcher, ana, lee, ben):
    before = events.Event.select().count()

    answer = portal("--dry-run")

    assert answer.exit_code == 0, answer.output
    assert "A dry run: nothing is sent or recorded. The summary of 2026-11-23 goes at 07:00 CST." in answer.output
    assert answer.output.count("Subject: ERP Integrations Daily Summary: 1 change order, $4,250.00") == 2
    for part in ("To: Ana Ortiz <ana@example.test>", "To: Lee Nakamura <lee@example.test>", "CCO 001: Relocate duct bank"):
        assert part in answer.output
    assert "ben@" not in answer.output
    assert (Dispatch.select().count(), events.Event.select().count(), catcher.mails()) == (0, before, [])


def test_a_dry_run_says_for_whom_nothing_waits(portal, company, ana):
    assert "To Ana Ortiz <ana@example.test>: nothing, because nothing waits." in portal("--dry-run").output


def test_a_dry_run_says_when_there_is_nobody(portal, company):
    assert "No one gets a daily summary" in portal("--dry-run").output


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-28", "No summary goes on 2026-11-28, a Saturday: it is not among the days chosen in the company settings."),
        ("2026-11-24", "The summary of 2026-11-24 goes at 07:00 CST."),
        ("2026-07-01", "The summary of 2026-07-01 goes at 07:00 CDT."),
    ],
)
def test_a_dry_run_says_when_another_days_would_go(portal, company, day, said):
    assert said in portal("--dry-run", "--date", day).output


def test_what_is_due_is_sent_and_the_keeper_sends_nothing_twice(portal, change_order, catcher, ana, lee, app):
    answer = portal()

    assert answer.exit_code == 0, answer.output
    assert answer.output == "ana@example.test: sent at 07:30:00\nlee@example.test: sent at 07:30:00\n"
    keeper.plan()
    with app.app_context():
        tasks.drain(MAIL)
    assert portal().output == answer.output
    assert sorted(mail["to"][0] for mail in catcher.mails()) == ["ana@example.test", "lee@example.test"]


def test_one_person_alone(portal, change_order, catcher, ana, lee):
    assert portal("--to", "Lee@example.test").output == "lee@example.test: sent at 07:30:00\n"

    assert [mail["to"] for mail in catcher.mails()] == [["lee@example.test"]]


def test_before_the_hour_nothing_is_due(portal, change_order, ana, clock):
    clock.tick(minutes=-31)

    assert portal().output == "Nothing is due. The summary of 2026-11-23 goes at 07:00 CST.\n"
    assert Dispatch.select().count() == 0


def test_where_it_is_switched_off_nothing_is_due(portal, change_order, ana):
    companies.Company.update(daily_summary=False).execute()

    assert portal().output == "Nothing is due. No summary goes on any day: it is switched off in the company settings.\n"


def test_what_was_not_sent_is_told_with_the_reason(portal, company, ana):
    assert portal().output == "ana@example.test: not sent: nothing waits any more\n"


def test_a_mail_server_that_is_away_is_told(portal, change_order, ana):
    assert "ana@example.test: not sent yet, it is tried again: mail server not available" in portal().output


def test_while_a_worker_is_on_the_mail_it_does_the_sending(portal, change_order, catcher, ana):
    Lane.take(MAIL, tasks.LEASE)

    assert portal().output == "ana@example.test: in line, another worker is on the mail\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--date", "2026-11-22"), "Only the summary of today, 2026-11-23, can be sent. Use --dry-run to look at another day."),
        (("--date", "soon"), "'soon' does not match the format '%Y-%m-%d'"),
        (("--to", "nobody@example.test"), "There is no account with the address nobody@example.test."),
        (("--to", "ben@example.test"), "ben@example.test gets no daily summary: the person may not accept change orders."),
        (("--to", "lee@example.test"), "lee@example.test gets no daily summary: the person wants no daily summary."),
        (("--to", "ana@example.test"), "ana@example.test gets no daily summary: the account was deactivated."),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(portal, change_order, ana, lee, ben, arguments, said):
    preferences.prefer(lee, preferences.Kind.SUMMARY, wanted=False)
    User.update(active=False).where(User.id == ana.id).execute()

    answer = portal(*arguments)

    assert answer.exit_code == 2
    assert said in answer.output
    assert Dispatch.select().count() == 0
