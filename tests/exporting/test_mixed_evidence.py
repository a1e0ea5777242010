"""A second failure, a late answer or a race beside the first: each guard holds when two things go wrong."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal import failpoints
from portal.domain import outbox
from portal.domain.change_orders import Status, load
from portal.domain.exporting import pausing, readback
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted
from portal.domain.recovery import resolutions
from portal.domain.review import decisions
from portal.domain.rules.findings import Blocked
from portal.spectrum.records import StoredLine
from tests.cast import signed
from tests.worker import BAD_PHASE, CLOSED, GOOD, NOT_US, due, state, work

pytestmark = pytest.mark.databases_differ("locks and races")


@pytest.fixture
def exported(accepted):
    work(accepted, GOOD, GOOD, GOOD)
    return accepted


def sent_exports():
    return {attempt.export_id for attempt in Attempt.select()}


def test_a_reading_that_failed_is_no_evidence_that_a_line_is_missing(doubtful, tables, clock):
    tables.put(1)
    tables.broken = True
    clock.tick(minutes=17)
    assert work(doubtful, read=tables) == []
    tables.broken = False

    clock.tick(hours=1)
    assert work(doubtful, read=tables) == []
    assert state(doubtful) is Status.UNKNOWN, "this is the first reading that does not show it"

    clock.tick(hours=1)
    assert work(doubtful, read=tables) == []
    assert work(doubtful, GOOD, GOOD, read=tables) == ["-250.00", "12.34"]


def test_a_line_that_shows_up_between_two_readings_is_not_sent_again(doubtful, tables, clock):
    tables.put(1)
    clock.tick(minutes=17)
    assert work(doubtful, read=tables) == []
    tables.put(2)

    clock.tick(hours=1)
    assert work(doubtful, read=tables) == []
    assert work(doubtful, GOOD, read=tables) == ["12.34"]

    assert state(doubtful) is Status.EXPORTED


@pytest.mark.parametrize("there", ["some lines", "other amounts"])
def test_nothing_is_unlinked_while_any_of_it_is_in_spectrum(exported, tables, ada, sam, there):
    if there == "some lines":
        tables.put(2)
    else:
        tables.lines.append(StoredLine("010000", "L", Decimal("1.00")))
    readback.ask(exported.id, sam)
    work(exported, read=tables)
    now = load(exported.id)

    with pytest.raises(Blocked):
        resolutions.unlink(now.id, ada, now.version, Export.get().number, reads_back=True)

    assert state(exported) is Status.EXPORTED


def test_what_was_gone_and_came_back_is_not_unlinked(exported, tables, ada, sam):
    readback.ask(exported.id, sam)
    work(exported, read=tables)
    tables.put(1, 2, 3)
    readback.ask(exported.id, sam)
    work(exported, read=tables)
    now = load(exported.id)

    with pytest.raises(Blocked, match="holds exactly what was sent"):
        resolutions.unlink(now.id, ada, now.version, Export.get().number, reads_back=True)


def test_a_promise_of_the_copy_before_a_recall_sends_nothing(accepted, ana):
    old = Export.get()
    recalled = decisions.recall(accepted.id, ana, accepted.version)
    signed(recalled.id, by=ana, version=recalled.version)
    outbox.reopen(old.key)

    assert work(accepted, GOOD, GOOD, GOOD) == ["4250.00", "-250.00", "12.34"]

    assert sent_exports() == {load(accepted.id).export} != {old.id}
    assert state(accepted) is Status.EXPORTED
    assert Dispatch.get(Dispatch.key == old.key).finished_at, "it does not come back for ever"


def test_a_recall_between_look_and_send_stops_the_old_copy(accepted, ana, monkeypatch):
    old, hit = Export.get(), failpoints.hit

    def recall_once(point):
        hit(point)
        if point == "preflight.after" and load(accepted.id).export == old.id:
            recalled = decisions.recall(accepted.id, ana, accepted.version)
            signed(recalled.id, by=ana, version=recalled.version)

    monkeypatch.setattr(failpoints, "hit", recall_once)

    work(accepted, GOOD, GOOD, GOOD)

    assert sent_exports() == {load(accepted.id).export} != {old.id}


def test_of_two_failures_the_last_one_says_who_may_retry(accepted, company, ana, sam, eve):
    company.support_may_retry = True
    company.save()
    work(accepted, NOT_US)
    pausing.resume(company.lane, eve)
    resolutions.retry(accepted.id, ana, load(accepted.id).version)
    work(accepted, BAD_PHASE)
    failed = load(accepted.id)

    with pytest.raises(NotPermitted, match="data must change first"):
        resolutions.retry(failed.id, sam, failed.version)


def test_support_may_retry_what_failed_for_its_data_before_and_not_the_last_time(accepted, company, ana, sam):
    company.support_may_retry = True
    company.save()
    work(accepted, BAD_PHASE)
    resolutions.retry(accepted.id, ana, load(accepted.id).version)
    work(accepted, NOT_US)
    failed = load(accepted.id)

    assert resolutions.retry(failed.id, sam, failed.version).state is Status.QUEUED


def test_a_retry_after_a_day_out_of_reach_tries_again(accepted, ana, clock):
    while state(accepted) is Status.QUEUED:
        work(accepted, CLOSED)
        clock.tick(hours=1, seconds=1)
    assert state(accepted) is Status.FAILED
    resolutions.retry(accepted.id, ana, load(accepted.id).version)

    work(accepted, CLOSED)
    assert state(accepted) is Status.QUEUED, "one more failure is not another day"

    clock.set(due(accepted).due_at + timedelta(seconds=1))
    work(accepted, GOOD, GOOD, GOOD)
    assert state(accepted) is Status.EXPORTED
