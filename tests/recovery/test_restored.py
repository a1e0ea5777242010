"""After a restore: what waits is compared with Spectrum before anything is sent; what cannot be compared waits for a person."""

import pytest

from portal import clock as clocks
from portal.background import keeper, tasks
from portal.domain import events
from portal.domain.change_orders import SUBJECT, Status, load
from portal.domain.exporting import exports, pausing, send
from portal.domain.exporting.exports import Export
from portal.domain.lanes import RESTORED, Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import NotPermitted, User
from portal.domain.recovery import restored
from portal.spectrum.records import Receipt, Stored, StoredLine, Unanswered


def ours(change_order):
    lines = [StoredLine.sent(elements) for _, elements in Export.get_by_id(change_order.export).lines]
    return Stored("CR", "", tuple(lines))


@pytest.fixture
def lane(company, clock):
    restored.hold(clocks.now())
    clock.tick(minutes=16)
    return company.lane


def compare(lane, read):
    dispatch = Dispatch.get(Dispatch.task == Task.COMPARE_RESTORED)
    claim = Lane.take(lane, tasks.LEASE)
    restored.step(dispatch, claim, read)
    Lane.release(lane, claim)
    return Dispatch.get_by_id(dispatch.id)


def test_what_is_in_spectrum_is_adopted_and_exports_go_on(lane, make_change_order):
    there, missing = make_change_order("queued"), make_change_order("queued")
    numbers = {Export.get_by_id(there.export).number: ours(there)}

    dispatch = compare(lane, lambda elements: numbers.get(elements["Change_Request_Number"]))

    assert load(there.id).state is Status.EXPORTED
    assert events.history(SUBJECT, there.id)[-1].action == "adopted"
    assert load(missing.id).state is Status.QUEUED
    assert dispatch.finished_at
    assert not Lane.is_paused(lane)


def test_a_number_that_spectrum_holds_for_something_else_is_not_overwritten(lane, make_change_order):
    change_order = make_change_order("queued")
    other = Stored("CR", "", (StoredLine("99-9999", "SUB", ours(change_order).lines[0].amount),))

    compare(lane, lambda _: other)

    assert load(change_order.id).state is Status.FAILED
    assert "is already used in Spectrum for something else" in events.history(SUBJECT, change_order.id)[-1].facts["text"]
    assert not Lane.is_paused(lane)


def test_what_cannot_be_read_keeps_exports_waiting(lane, make_change_order, clock):
    change_order = make_change_order("queued")

    def fails(_):
        raise Unanswered("Info-Link does not answer.")

    dispatch = compare(lane, fails)

    assert (dispatch.finished_at, dispatch.error) == (None, "Info-Link does not answer.")
    assert dispatch.due_at > clock.moment
    assert Lane.is_paused(lane)
    assert load(change_order.id).state is Status.QUEUED


def test_without_read_access_an_approver_has_to_look(lane, make_change_order, ana):
    make_change_order("queued")

    dispatch = compare(lane, None)

    assert dispatch.error == restored.NO_READ_BACK
    assert Lane.is_paused(lane)
    pausing.resume(lane, ana)
    assert not Lane.is_paused(lane)


def test_nothing_is_compared_before_the_quiet_window_is_over(company, clock):
    restored.hold(clocks.now())

    assert Dispatch.get(Dispatch.task == Task.COMPARE_RESTORED).due_at == clock.moment + restored.quiet_window.LASTS


def test_a_comparison_of_the_backup_itself_is_skipped(company, clock):
    restored.hold(clocks.now())
    clock.tick(minutes=20)

    restored.hold(clocks.now())

    older, newer = Dispatch.select().where(Dispatch.task == Task.COMPARE_RESTORED).order_by(Dispatch.id)
    assert (older.outcome, newer.finished_at) == ("skipped", None)
    assert newer.due_at == clock.moment + restored.quiet_window.LASTS


def test_a_comparison_that_comes_too_early_waits_for_the_quiet_window(company, clock):
    restored.hold(clocks.now())
    quiet = clocks.now() + restored.quiet_window.LASTS
    clock.tick(minutes=14)

    dispatch = compare(company.lane, lambda _: None)

    assert (dispatch.finished_at, dispatch.due_at) == (None, quiet)
    assert Lane.is_paused(company.lane)


def test_a_restore_dated_in_the_future_waits_for_the_quiet_window_from_now_on(company, clock):
    restored.hold(clocks.now())
    clock.tick(days=-2)

    assert compare(company.lane, lambda _: None).due_at == clocks.now() + restored.quiet_window.LASTS


def test_an_export_that_stood_between_two_lines_is_compared_too(company, make_change_order, clock):
    change_order = between_lines(make_change_order)
    restored.hold(clocks.now())
    clock.tick(minutes=16)

    assert load(change_order.id).state is Status.QUEUED
    assert events.history(SUBJECT, change_order.id)[-1].action == "postponed"
    compare(company.lane, lambda _: ours(change_order))

    assert load(change_order.id).state is Status.EXPORTED
    assert not Lane.is_paused(company.lane)


def test_an_open_attempt_is_left_to_the_worker(company, make_change_order):
    change_order = between_lines(make_change_order)
    exports.open_attempt(Export.get_by_id(change_order.export), 2, 1, "")

    restored.hold(clocks.now())

    assert load(change_order.id).state is Status.EXPORTING


def between_lines(make_change_order):
    """Line 1 of two was sent, and line 2 not yet begun."""
    change_order = make_change_order("exporting", lines=[("16-2000", "SUB", "4250.00"), ("16-2000", "MAT", "12.34")])
    exports.record_outcome(Export.get_by_id(change_order.export), [1], "sent", kind="send")
    return change_order


def test_nothing_is_sent_while_exports_wait_for_the_comparison(lane, make_change_order):
    change_order, sent = make_change_order("queued"), []
    claim = Lane.take(lane, tasks.LEASE)

    send.step(Dispatch.get(Dispatch.task == Task.EXPORT), claim, lambda *given: sent.append(given) or Receipt(200), lambda _: None)

    assert sent == []
    assert load(change_order.id).state is Status.QUEUED


def test_more_than_a_slice_is_compared_in_turns(lane, make_change_order, monkeypatch):
    monkeypatch.setattr(restored, "SLICE", 2)
    for _ in range(5):
        make_change_order("queued")
    asked = []

    while Lane.is_paused(lane):
        compare(lane, lambda elements: asked.append(elements["Change_Request_Number"]))

    assert len(asked) == len(set(asked)) == 5


def test_an_approver_who_resumed_ends_the_comparison(lane, ana):
    pausing.resume(lane, ana)

    assert compare(lane, lambda _: None).error == "An approver resumed exports."


def test_a_pause_of_an_administrator_outlasts_the_resume_of_an_approver(company, eve, ana):
    pausing.pause(company.lane, eve, "Month end")
    restored.hold(clocks.now())

    pausing.resume(company.lane, ana)

    lane = Lane.get_by_id(company.lane)
    assert (lane.paused_by, lane.reason, lane.restored_at) == (eve, "Month end", None)
    assert events.history("company", company.id)[-1].action == "restore confirmed"


def test_an_administrator_who_is_an_approver_resumes_all(company, eve):
    pausing.pause(company.lane, eve, "Month end")
    restored.hold(clocks.now())
    User.update(can_push=True).where(User.id == eve.id).execute()

    pausing.resume(company.lane, eve)

    assert not Lane.is_paused(company.lane)


def test_a_restore_that_was_interrupted_after_its_pause_waits_for_an_approver(company, eve, ana):
    Lane.update(paused_at=clocks.now(), reason=RESTORED).where(Lane.name == company.lane).execute()

    with pytest.raises(NotPermitted, match="Only an approver"):
        pausing.resume(company.lane, eve)
    pausing.resume(company.lane, ana)

    assert not Lane.is_paused(company.lane)


def promised():
    return Dispatch.select().where(Dispatch.task == Task.COMPARE_RESTORED).count()


def test_the_keeper_completes_a_restore_that_was_interrupted_after_its_pause(company, clock):
    Lane.update(paused_at=clocks.now(), reason=RESTORED).where(Lane.name == company.lane).execute()

    keeper.plan()
    keeper.plan()

    assert Lane.get_by_id(company.lane).restored_at == clock.moment
    assert promised() == 1


def test_a_restore_that_was_interrupted_while_an_administrator_paused_is_completed_too(company, eve):
    pausing.pause(company.lane, eve, "Month end")
    Lane.update(restored_at=clocks.now()).where(Lane.name == company.lane).execute()

    restored.complete()

    assert Lane.get_by_id(company.lane).reason == "Month end"
    assert promised() == 1


def test_a_restore_that_waits_for_an_approver_is_not_held_again(lane, clock):
    compare(lane, None)
    clock.tick(days=1)

    restored.complete()

    assert promised() == 1


def test_a_pause_of_a_person_outlasts_the_comparison(company, clock, eve):
    pausing.pause(company.lane, eve, "Month end")
    restored.hold(clocks.now())
    clock.tick(minutes=16)

    compare(company.lane, lambda _: None)

    lane = Lane.get_by_id(company.lane)
    assert (lane.reason, lane.restored_at) == ("Month end", None)
    assert Lane.is_paused(company.lane)
