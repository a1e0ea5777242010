"""`portal demo`: what it writes past the transitions is what they would have left."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from portal import clock
from portal.cli import main
from portal.demo import years
from portal.domain.audit import chain
from portal.domain.change_orders import ChangeOrder, load
from portal.domain.exporting import send
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User
from portal.domain.recovery import recount, resolutions
from portal.domain.review import lists, views
from portal.domain.triage import groups, members
from tests.cast import signed

pytestmark = pytest.mark.databases_differ("ids that are given, and sequences")
ROWS = 250


@pytest.fixture
def full(database):
    years.load(ROWS, days=10)


def test_there_are_as_many_as_asked_for_in_several_states(full):
    made = [one.status for one in ChangeOrder.select().where(ChangeOrder.created_at > clock.now() - timedelta(days=11))]

    assert len(made) == ROWS
    assert set(made) == {"ready", "failed", "rejected", "exported"}


def test_the_audit_trail_verifies_and_the_totals_are_right(full):
    verdict = chain.verify()

    assert verdict.fault is None
    assert not recount.differences()


def test_failures_are_of_every_class_each_with_its_cause_and_its_attempts(database):
    years.load(2_500, days=10)
    eve = User.get(User.name == "Eve Laurent")

    overview = groups.overview()
    found = [(group, members.of_group(group, eve).members) for group in overview.groups]

    assert (overview.uncounted, overview.count) == (0, ChangeOrder.select().where(ChangeOrder.status == "failed").count())
    assert {group.cause.kind for group, _ in found} == {"data", "access", "setup", "temporary"}
    assert {group.cause.title for group, rows in found if not rows[0].attempts} == {send.WORKERS_STOPPED}
    assert all(row.row.last.facts["text"] for _, rows in found for row in rows)
    assert [group.cause.owner.name for group, _ in found if group.cause.owner] == ["Sam Ito"]


def test_what_failed_can_be_retried(full):
    lee, failed = User.get(User.name == "Lee Nakamura"), ChangeOrder.get(ChangeOrder.status == "failed")

    again = resolutions.retry(failed.id, lee, failed.version)

    assert again.status == "queued"
    assert [dispatch.subject for dispatch in Dispatch.select().where(Dispatch.task == Task.EXPORT, Dispatch.finished_at.is_null())] == [
        again.export
    ]


def test_every_view_shows_them_and_one_can_be_accepted(full):
    ana = User.get(User.name == "Ana Ortiz")

    pages = {view.key: lists.page(view, ana).rows for view in views.VIEWS}
    ready = next(row for row in pages["ready"] if not row.why_not and ", area " in row.change_order.title)
    accepted = signed(ready.change_order.id, ana, load(ready.change_order.id).version)

    assert accepted.status == "queued"
    assert [len(pages[key]) > 0 for key in pages] == [True, False, True, True, True, True]
    assert not any(finding.blocking for finding in ready.findings)


def test_a_database_in_use_is_left_alone(database, ana, settings, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", settings.DATABASE_URL)

    answer = CliRunner().invoke(main, ["demo", "--rows", "10"])

    assert answer.exit_code == 2
    assert "begins with an empty database" in answer.output
    assert ChangeOrder.select().count() == 0
