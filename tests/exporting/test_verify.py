"""How the portal finds out what became of a line it got no usable answer about, and what it looks at before it sends."""

from datetime import timedelta
from decimal import Decimal

import peewee
import pytest

from portal import clock as clocks
from portal import db
from portal.db import writes
from portal.domain import events, outbox
from portal.domain.change_orders import SUBJECT, Status, load
from portal.domain.companies import ADDS, REPLACES, Company
from portal.domain.exporting import calls, exports, quiet_window, readback, verify
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.lanes import Lane
from portal.domain.recovery import resolutions
from portal.domain.rules.findings import Blocked
from portal.spectrum.records import StoredLine
from tests.worker import CLOSED, GOOD, TIMEOUT, after_quiet, due, last_event, state, work

pytestmark = pytest.mark.databases_differ("locks and races")


def test_the_first_look_is_after_a_minute(doubtful, tables, clock):
    work(doubtful, read=tables)
    assert tables.asked == []

    clock.tick(seconds=60)
    work(doubtful, read=tables)
    assert len(tables.asked) == 1


def test_a_line_that_an_early_look_finds_is_believed_and_only_what_is_missing_is_sent(doubtful, tables, clock):
    tables.put(1, 2)
    clock.tick(seconds=60)

    work(doubtful, read=tables)

    assert (state(doubtful), last_event(doubtful).action, last_event(doubtful).facts["missing"]) == (Status.QUEUED, "queued again", [3])
    assert work(doubtful, GOOD, read=tables) == ["12.34"]
    assert state(doubtful) is Status.EXPORTED


def test_when_all_was_sent_the_read_back_completes_the_export(accepted, tables, clock):
    work(accepted, GOOD, GOOD, TIMEOUT)
    tables.put(1, 2, 3)
    clock.tick(seconds=60)

    assert work(accepted, read=tables) == []

    assert (state(accepted), last_event(accepted).action) == (Status.EXPORTED, "found")
    assert due(accepted).finished_at


def test_not_there_means_nothing_before_the_quiet_window_has_passed(doubtful, tables, clock):
    tables.put(1)
    clock.tick(seconds=60)
    work(doubtful, read=tables)
    quiet = quiet_window.until(Export.get())

    assert due(doubtful).due_at == quiet
    clock.set(quiet - timedelta(seconds=1))
    assert work(doubtful, read=tables) == []
    assert state(doubtful) is Status.UNKNOWN


def test_one_reading_that_does_not_show_it_sends_nothing(doubtful, tables, clock):
    tables.put(1)
    clock.tick(seconds=60)
    work(doubtful, read=tables)

    assert after_quiet(doubtful, tables, clock) == []

    assert state(doubtful) is Status.UNKNOWN
    assert due(doubtful).due_at == clock.now() + verify.BETWEEN


def test_two_readings_apart_that_do_not_show_it_send_the_same_line_again(doubtful, tables, clock):
    tables.put(1)
    after_quiet(doubtful, tables, clock)
    clock.tick(minutes=5)

    work(doubtful, read=tables)
    assert state(doubtful) is Status.QUEUED
    assert work(doubtful, GOOD, GOOD, read=tables) == ["-250.00", "12.34"]

    assert state(doubtful) is Status.EXPORTED
    assert [event.action for event in events.history(SUBJECT, doubtful.id)][-4:] == [
        "outcome unknown",
        "queued again",
        "exporting",
        "exported",
    ]


def test_a_second_reading_that_comes_too_soon_does_not_count(doubtful, tables, clock):
    tables.put(1)
    after_quiet(doubtful, tables, clock)
    clock.tick(minutes=4, seconds=59)
    outbox.reopen(Export.get().key)

    assert work(doubtful, read=tables) == []

    assert state(doubtful) is Status.UNKNOWN


def test_a_read_back_that_lags_behind_does_not_double(doubtful, tables, clock):
    tables.put(1)
    after_quiet(doubtful, tables, clock)
    tables.put(2)
    clock.tick(minutes=5)

    work(doubtful, read=tables)

    assert work(doubtful, GOOD, read=tables) == ["12.34"]


def test_other_amounts_fail_it_and_both_versions_are_told(doubtful, tables, clock, ana):
    tables.put(1)
    tables.lines.append(StoredLine("162100", "SUB", Decimal("-500.00")))

    after_quiet(doubtful, tables, clock)

    failure = last_event(doubtful)
    assert (state(doubtful), failure.facts["cause"]) == (Status.FAILED, "data")
    assert failure.facts["theirs"] == ["162000 SUB 4,250.00", "162100 SUB -500.00"]
    assert failure.facts["ours"][1] == "162100 SUB -250.00"
    with pytest.raises(Blocked, match="Line 2 may be in Spectrum after all"):
        resolutions.retry(doubtful.id, ana, load(doubtful.id).version)


def test_other_amounts_mean_nothing_before_the_quiet_window_has_passed(doubtful, tables, clock):
    tables.lines.append(StoredLine("162100", "SUB", Decimal("-500.00")))
    clock.tick(seconds=60)

    work(doubtful, read=tables)

    assert state(doubtful) is Status.UNKNOWN


def test_a_read_back_that_fails_decides_nothing_and_is_tried_again(doubtful, tables, clock):
    tables.broken = True
    clock.tick(hours=1)

    assert work(doubtful, read=tables) == []

    assert state(doubtful) is Status.UNKNOWN
    assert clock.now() < due(doubtful).due_at <= clock.now() + timedelta(hours=1)
    assert "Info-Link" in due(doubtful).error


def test_a_read_back_that_fails_for_days_never_sends(doubtful, tables, clock):
    tables.broken = True
    for _ in range(60):
        clock.tick(hours=1, seconds=1)
        assert work(doubtful, read=tables) == []

    assert state(doubtful) is Status.UNKNOWN
    assert due(doubtful).finished_at is None


def test_an_answer_that_comes_late_settles_it(doubtful, tables, clock):
    lost = Attempt.get(Attempt.line == 2)
    exports.close_attempt(lost, exports.LineOutcome.SENT, **calls.evidence_of(GOOD))
    clock.tick(seconds=60)

    work(doubtful, read=tables)

    assert state(doubtful) is Status.QUEUED
    assert work(doubtful, GOOD) == ["12.34"]


@pytest.mark.parametrize("checked", ["", ADDS])
def test_without_a_read_back_a_person_decides(doubtful, clock, checked):
    Company.update(resending=checked).execute()
    clock.tick(hours=24)

    assert work(doubtful) == []

    assert state(doubtful) is Status.UNKNOWN
    assert due(doubtful).finished_at
    assert "Someone in accounting must look up S014-001." in due(doubtful).error


def test_where_resending_replaces_the_same_elements_go_again_after_the_quiet_window(doubtful, clock):
    Company.update(resending=REPLACES).execute()
    clock.tick(seconds=60)
    assert work(doubtful) == []
    clock.set(quiet_window.until(Export.get()))

    work(doubtful)

    assert work(doubtful, GOOD, GOOD) == ["-250.00", "12.34"]
    assert state(doubtful) is Status.EXPORTED
    assert Attempt.select().where(Attempt.kind == "rule").count() == 1


def unheard(change_order, clock):
    """After the quiet window it is sent once more, and again nothing is heard."""
    clock.set(quiet_window.until(Export.get()))
    work(change_order)
    return work(change_order, TIMEOUT)


def test_a_line_is_sent_four_times_at_most_then_a_person_decides(doubtful, clock):
    Company.update(resending=REPLACES).execute()

    assert [unheard(doubtful, clock) for _ in range(4)] == [["-250.00"]] * 3 + [[]]

    assert (state(doubtful), last_event(doubtful).action) == (Status.UNKNOWN, "verification ended")
    assert due(doubtful).finished_at


def test_what_was_proved_not_sent_does_not_count(doubtful, clock):
    Company.update(resending=REPLACES).execute()
    clock.set(quiet_window.until(Export.get()))
    work(doubtful)
    work(doubtful, CLOSED)
    clock.tick(hours=1)
    work(doubtful, TIMEOUT)

    assert exports.sends(Export.get())[2] == 2


def test_a_retry_gives_four_new_sends(doubtful, clock, ana):
    Company.update(resending=REPLACES).execute()
    for _ in range(4):
        unheard(doubtful, clock)
    clock.tick(minutes=15)
    resolutions.mark_absent(doubtful.id, ana, load(doubtful.id).version, "Looked at the change request screen.")
    resolutions.retry(doubtful.id, ana, load(doubtful.id).version)

    assert exports.sends(Export.get())[2] == 0
    assert work(doubtful, GOOD, GOOD) == ["-250.00", "12.34"]


def test_a_person_who_decides_while_the_worker_reads_wins(doubtful, tables, clock, ana):
    clock.tick(seconds=60)
    version = load(doubtful.id).version

    def read(elements):
        resolutions.mark_present(doubtful.id, ana, version, Export.get().number, "Seen on the screen.")
        tables.put(1, 2)
        return tables(elements)

    work(doubtful, read=read)

    assert (state(doubtful), last_event(doubtful).action) == (Status.FAILED, "said present")


def test_nothing_there_before_the_first_send_is_the_normal_case(accepted, tables):
    assert work(accepted, GOOD, GOOD, GOOD, read=tables) == ["4250.00", "-250.00", "12.34"]

    assert state(accepted) is Status.EXPORTED
    assert len(tables.asked) == 1


def test_what_is_there_already_is_adopted_and_nothing_is_sent(accepted, tables):
    tables.put(1, 2, 3)

    assert work(accepted, read=tables) == []

    assert (state(accepted), last_event(accepted).action) == (Status.EXPORTED, "adopted")


def test_of_what_is_there_in_part_only_the_rest_is_sent(accepted, tables):
    tables.put(2)

    assert work(accepted, GOOD, GOOD, read=tables) == ["4250.00", "12.34"]

    assert state(accepted) is Status.EXPORTED


def test_a_number_that_something_else_uses_is_not_overwritten(accepted, tables):
    tables.lines.append(StoredLine("010000", "L", Decimal("1.00")))

    assert work(accepted, read=tables) == []

    assert (state(accepted), last_event(accepted).facts["cause"]) == (Status.FAILED, "data")
    assert "already used in Spectrum" in last_event(accepted).facts["text"]


def test_while_the_read_back_is_down_nothing_is_sent_and_no_worker_is_blamed(accepted, tables, clock):
    tables.broken = True
    for _ in range(8):
        assert work(accepted, read=tables) == []
        clock.tick(hours=1, seconds=1)
    tables.broken = False

    assert work(accepted, GOOD, GOOD, GOOD, read=tables) == ["4250.00", "-250.00", "12.34"]


def test_a_line_stored_but_lost_by_the_read_back_is_not_sent_again(doubtful, tables, clock):
    """Line 1 was answered good; a reading that does not show it (yet) unmakes nothing."""
    tables.put(2)
    clock.tick(seconds=60)
    work(doubtful, read=tables)

    assert work(doubtful, GOOD, read=tables) == ["12.34"]


def test_somebody_who_asks_gets_an_early_look_and_its_answer(doubtful, tables, clock, sam):
    tables.put(1, 2)
    readback.ask(doubtful.id, sam)

    assert work(doubtful, GOOD, read=tables) == ["12.34"]

    look = next(event for event in events.history(SUBJECT, doubtful.id) if event.action == "looked up")
    assert look.facts["found"] == f"Spectrum holds some of the lines of {Export.get().number} and nothing else."
    assert state(doubtful) is Status.EXPORTED


def test_a_look_at_what_failed_tells_and_changes_nothing(accepted, tables, sam):
    tables.lines.append(StoredLine("010000", "L", Decimal("1.00")))
    work(accepted, read=tables)
    readback.ask(accepted.id, sam)
    tables.lines.clear()

    work(accepted, read=tables)

    assert (state(accepted), last_event(accepted).facts["found"]) == (Status.FAILED, f"Spectrum holds nothing under {Export.get().number}.")


def test_what_came_back_is_written_down_although_the_database_is_busy_for_half_a_minute(accepted, monkeypatch):
    waited, close = [], exports.close_attempt
    monkeypatch.setattr(writes.time, "sleep", waited.append)

    def busy(*arguments, **evidence):
        if len(waited) < 3:
            raise peewee.OperationalError("database is locked")
        close(*arguments, **evidence)

    monkeypatch.setattr(exports, "close_attempt", busy)

    assert work(accepted, GOOD, GOOD, GOOD) == ["4250.00", "-250.00", "12.34"]

    assert waited == [writes.PAUSE_S] * 3
    assert state(accepted) is Status.EXPORTED


def test_after_a_minute_of_a_busy_database_the_attempt_stays_open_and_becomes_unknown(accepted, monkeypatch, clock):
    monkeypatch.setattr(writes, "PATIENCE_S", 0.0)
    monkeypatch.setattr(exports, "close_attempt", lambda *_, **__: (_ for _ in ()).throw(peewee.OperationalError("database is locked")))

    with pytest.raises(db.Busy):
        work(accepted, GOOD)
    Lane.update(until=clocks.EPOCH).execute()
    clock.tick(minutes=1)
    work(accepted)

    assert state(accepted) is Status.UNKNOWN
