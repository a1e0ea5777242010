"""A restore on PostgreSQL that ends right after the rows are in place: on SQLite all is done before the file gets its name."""

import pytest

from portal import db
from portal.backup import postgres
from portal.domain import companies
from portal.domain.exporting import pausing
from portal.domain.lanes import RESTORED, Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted
from portal.domain.recovery import restored
from tests.databases import migrate


@pytest.fixture
def database_url(request):
    return migrate(request.getfixturevalue("postgres"))


@pytest.fixture
def interrupt(database_url, tmp_path):
    """Back up, restore, and stop there."""

    def run():
        postgres.dump(database_url, tmp_path / "dump")
        postgres.restore(database_url, tmp_path / "dump", RESTORED)
        return Lane.get_by_id(companies.current().lane)

    return run


def test_no_administrator_resumes_exports_then(interrupt, company, eve):
    lane = interrupt()

    assert lane.is_restored
    with pytest.raises(NotPermitted, match="Only an approver, who has looked in Spectrum"):
        pausing.resume(lane.name, eve)


def test_a_pause_of_an_administrator_is_no_way_around_it(interrupt, company, eve):
    pausing.pause(company.lane, eve, "Month end")

    lane = interrupt()

    assert (lane.paused_by, lane.reason) == (eve, "Month end")
    with pytest.raises(NotPermitted, match="Only an approver, who has looked in Spectrum"):
        pausing.resume(lane.name, eve)
    restored.complete()
    assert Dispatch.get(Dispatch.task == Task.COMPARE_RESTORED).finished_at is None


def test_a_backup_of_a_version_that_did_not_note_restores_is_paused_all_the_same(interrupt, company):
    db.database.execute_sql("ALTER TABLE lane DROP COLUMN restored_at")

    with pytest.raises(db.peewee.ProgrammingError, match="restored_at"):
        interrupt()

    assert db.database.execute_sql("SELECT reason FROM lane WHERE name = %s", (company.lane,)).fetchone() == (RESTORED,)
