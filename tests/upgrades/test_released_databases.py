"""The database of each released version, with change orders in every state, is upgraded; what was accepted then is read and sent now."""

import gzip
import re

import psycopg
import pytest

from portal import db
from portal.background import tasks
from portal.domain.audit import chain
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.exporting import send
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import find
from portal.domain.recovery import recount, resolutions
from tests.conftest import sign_in
from tests.databases import POSTGRESQL, migrate
from tests.processes import ROOT
from tests.upgrades.record import FOLDER, STATES
from tests.worker import GOOD, Answers

pytestmark = pytest.mark.databases_differ("migrations")

VERSIONS = re.findall(r"^## (\d+\.\d+\.\d+) ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
FROZEN = "SELECT id, frozen, sha256 FROM export ORDER BY id"


@pytest.fixture(params=VERSIONS)
def released_url(request, database_kind, empty_url, tmp_path):
    """The database as that version left it."""
    if database_kind == POSTGRESQL:
        with psycopg.connect(empty_url, autocommit=True) as connection:
            connection.execute(gzip.decompress((FOLDER / f"{request.param}.sql.gz").read_bytes()))
    else:
        content = gzip.decompress((FOLDER / f"{request.param}.sqlite.gz").read_bytes())
        (tmp_path / empty_url.rpartition("/")[2]).write_bytes(content)
    return empty_url


@pytest.fixture
def frozen(released_url):
    """What was frozen when it was accepted, as it stood in the database before the upgrade."""
    db.init(released_url)
    with db.connected():
        return db.database.execute_sql(FROZEN).fetchall()


@pytest.fixture
def database_url(frozen, released_url):
    return migrate(released_url)


def one(state):
    return ChangeOrder.get(ChangeOrder.status == state)


def sent(change_order):
    """What the worker sends of it, with a Spectrum that takes each line."""
    spectrum, lane = Answers(GOOD, GOOD), change_order.company.lane
    claim = Lane.take(lane, tasks.LEASE)
    send.step(Dispatch.get(Dispatch.subject == change_order.export, Dispatch.task == Task.EXPORT), claim, spectrum)
    Lane.release(lane, claim)
    assert load(change_order.id).state is Status.EXPORTED
    return [elements for elements, _ in spectrum.asked]


def lines(change_order):
    """As they were frozen."""
    return [dict(elements) for _, elements in Export.get_by_id(change_order.export).lines]


def test_every_change_order_is_there_and_can_be_read(client):
    sign_in(client, find("ana@example.test"))

    assert {load(row.id).state for row in ChangeOrder.select()} == set(map(Status, STATES))
    for change_order in ChangeOrder.select().where(ChangeOrder.sent_at.is_null(False)):
        answer = client.get(f"/change-orders/{change_order.id}")
        assert (answer.status_code, change_order.title in answer.text) == (200, True)


def test_the_audit_trail_and_the_totals_are_whole(database):
    assert chain.verify().fault is None
    assert recount.differences() == []


def test_what_was_frozen_is_untouched(frozen, database):
    assert frozen
    assert db.database.execute_sql(FROZEN).fetchall() == frozen


@pytest.mark.parametrize("state", [Status.QUEUED, Status.EXPORTING])
def test_what_was_accepted_is_sent_as_it_was_frozen(database, state):
    accepted = one(state)

    assert sent(accepted) == lines(accepted)


def test_what_failed_is_retried_as_it_was_frozen(database):
    failed = one(Status.FAILED)

    resolutions.retry(failed.id, find("ana@example.test"), failed.version)

    assert sent(load(failed.id)) == lines(failed)


def test_each_released_version_has_its_databases():
    files = {file.name for file in FOLDER.iterdir()}

    assert VERSIONS
    assert files == {f"{version}.{kind}.gz" for version in VERSIONS for kind in ("sqlite", "sql")}
    assert max(file.stat().st_size for file in FOLDER.iterdir()) < 100_000
