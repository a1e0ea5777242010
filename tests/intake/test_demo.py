"""`portal demo`: what it writes past the transitions is what they would have left."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from portal import clock
from portal.cli import main
from portal.domain.audit import chain
from portal.domain.change_orders import ChangeOrder, load
from portal.domain.people import User
from portal.domain.recovery import recount
from portal.domain.review import lists
from portal.intake import demo
from tests.cast import signed

pytestmark = pytest.mark.databases_differ("ids that are given, and sequences")
ROWS = 250


@pytest.fixture
def full(database):
    demo.load(ROWS, days=10)


def test_there_are_as_many_as_asked_for_in_several_states(full):
    made = [one.status for one in ChangeOrder.select().where(ChangeOrder.created_at > clock.now() - timedelta(days=11))]

    assert len(made) == ROWS
    assert set(made) == {"ready", "failed", "rejected", "exported"}


def test_the_audit_trail_verifies_and_the_totals_are_right(full):
    verdict = chain.verify()

    assert verdict.fault is None
    assert not recount.differences()


def test_every_view_shows_them_and_one_can_be_accepted(full):
    ana = User.get(User.name == "Ana Ortiz")

    pages = {view.key: lists.page(view, ana).rows for view in lists.VIEWS}
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
