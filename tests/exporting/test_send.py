"""What the worker concludes from each answer, and what it does when it finds the work of a worker that died."""

import json

import pytest

from portal.background import tasks
from portal.domain import events
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.exporting import exports, pausing, send
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch
from portal.spectrum.records import OutcomeUnknown, Row
from tests.cast import signed
from tests.worker import BAD_PHASE, CLOSED, GOOD, NOT_US, TIMEOUT, last_event, turn

LINES = [("16-2000", "SUB", "4250.00"), ("16-2100", "SUB", "-250.00"), ("16-2200", "M", "0.00"), ("16-2300", "SUB", "12.34")]


@pytest.fixture
def accepted(clock, make_change_order, ana):
    change_order = make_change_order(lines=LINES)
    signed(change_order.id, by=ana, version=change_order.version)
    return load(change_order.id)


def outcomes(change_order):
    return {line: attempt.outcome for line, attempt in exports.outcomes(Export.get(change_order=change_order)).items()}


def test_every_line_that_is_not_zero_is_sent_once_and_the_change_order_is_exported(accepted):
    asked = turn(accepted, GOOD, GOOD, GOOD)

    assert load(accepted.id).state is Status.EXPORTED
    assert [elements["Change_Request_Amount"] for elements, _ in asked] == ["4250.00", "-250.00", "12.34"]
    assert len({guid for _, guid in asked}) == 1
    assert outcomes(accepted) == {1: "sent", 2: "sent", 4: "sent"}
    assert Dispatch.get().finished_at is not None


def test_what_is_sent_is_what_was_frozen_at_accept(accepted):
    frozen = [elements for _, elements in Export.get().lines]
    ChangeOrder.update(title="Changed behind our back").execute()

    asked = turn(accepted, GOOD, GOOD, GOOD)

    assert [elements for elements, _ in asked] == frozen
    assert all(len(elements) == 54 for elements in frozen)


def test_a_skipped_zero_line_is_recorded(accepted):
    assert json.loads(Export.get().frozen)["skipped"] == [3]


def test_the_attempt_stands_in_the_database_before_the_call(accepted):
    seen = []

    def call(elements, guid):
        seen.append((Attempt.select().where(Attempt.ended_at.is_null()).count(), load(accepted.id).state))
        return GOOD

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, call)

    assert seen == [(1, Status.EXPORTING)] * 3


def test_a_refused_line_fails_the_change_order_and_names_what_is_in_spectrum(accepted):
    asked = turn(accepted, GOOD, BAD_PHASE)

    assert len(asked) == 2
    assert load(accepted.id).state is Status.FAILED
    assert last_event(accepted).action == "failed"
    assert last_event(accepted).facts["cause"] == "data"
    assert last_event(accepted).facts["line"] == 2
    assert last_event(accepted).facts["sent"] == [1]
    assert "Phase is not on the job" in last_event(accepted).facts["text"]
    assert not Lane.is_paused(accepted.company.lane)


def test_refused_credentials_fail_this_one_and_pause_the_others(accepted, make_change_order, ana):
    other = make_change_order(number="077")
    signed(other.id, by=ana, version=other.version)

    asked = turn(accepted, NOT_US)

    assert len(asked) == 1
    assert load(accepted.id).state is Status.FAILED
    assert last_event(accepted).facts["cause"] == "access"
    assert load(other.id).state is Status.QUEUED
    assert Lane.is_paused(accepted.company.lane)
    (paused,) = [event for event in events.history("company", accepted.company.id) if event.action == "exports paused"]
    assert (paused.actor, paused.facts["reason"]) == (None, "Spectrum rejected the portal's sign-in. An administrator must fix it.")


def test_refused_credentials_leave_the_pause_of_a_person_as_it_is(accepted, eve):
    def pause_meanwhile(elements, guid):
        pausing.pause(accepted.company.lane, eve, "month-end close")
        raise NOT_US

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, pause_meanwhile)
    Lane.release(accepted.company.lane, claim)

    lane = Lane.get_by_id(accepted.company.lane)
    assert load(accepted.id).state is Status.FAILED
    assert (lane.paused_by, lane.reason) == (eve, "month-end close")


@pytest.mark.parametrize("position", [1, 2, 3])
def test_no_answer_is_doubt_and_is_never_sent_again(accepted, position, clock):
    turn(accepted, *[GOOD] * (position - 1), TIMEOUT)
    clock.tick(days=2)

    asked = turn(accepted)

    assert asked == []
    assert load(accepted.id).state is Status.UNKNOWN
    assert last_event(accepted).action == "outcome unknown"


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (
            OutcomeUnknown("Spectrum reported an internal error (HTTP 502).", http=502, cause="fault"),
            "Spectrum reported an internal error (HTTP 502).",
        ),
        (OutcomeUnknown("The answer was a web page.", http=200), "The answer was a web page."),
        (
            OutcomeUnknown("?", http=200, rows=[Row("Q", "odd", "CR_Status")]),
            "Spectrum answered with a code the portal does not know (Q): odd.",
        ),
        (OutcomeUnknown("Spectrum did not answer in time.", cause="timeout"), "Spectrum did not answer in time."),
    ],
)
def test_an_unknown_outcome_is_told_with_what_came(accepted, answer, came):
    turn(accepted, answer)

    assert last_event(accepted).facts["text"] == f"{came} It may be in Spectrum. Don't send it again until someone has checked Spectrum."


def test_a_line_proved_not_sent_goes_again_after_a_while_and_the_others_do_not(accepted, clock):
    turn(accepted, GOOD, CLOSED)
    waiting = load(accepted.id).state, outcomes(accepted)
    too_early = turn(accepted)
    clock.tick(seconds=31)

    asked = turn(accepted, GOOD, GOOD)

    assert waiting == (Status.QUEUED, {1: "sent", 2: "not sent"})
    assert too_early == []
    assert [elements["CR_Phase_Code"] for elements, _ in asked] == ["162100", "162300"]
    assert load(accepted.id).state is Status.EXPORTED


def test_the_waits_grow_to_an_hour_and_end_after_a_day(accepted, clock):
    waits = []
    while load(accepted.id).state is Status.QUEUED:
        before = Dispatch.get().due_at
        clock.set(before)
        turn(accepted, CLOSED)
        waits.append((Dispatch.get().due_at - before).total_seconds())

    assert waits[:6] == [30, 120, 300, 900, 3600, 3600]
    assert load(accepted.id).state is Status.FAILED
    assert last_event(accepted).facts["cause"] == "temporary"


def test_a_pause_over_a_weekend_fails_nothing(accepted, clock, eve):
    turn(accepted, CLOSED)
    pausing.pause(accepted.company.lane, eve, "month end")
    clock.tick(days=3)
    turn(accepted)
    pausing.resume(accepted.company.lane, eve)
    clock.tick(minutes=1)

    turn(accepted, GOOD, GOOD, GOOD)

    assert load(accepted.id).state is Status.EXPORTED


def test_waiting_in_a_long_line_fails_nothing(accepted, clock):
    clock.tick(days=2)

    turn(accepted, GOOD, GOOD, GOOD)

    assert load(accepted.id).state is Status.EXPORTED


def test_a_worker_lost_while_sending_leaves_doubt_not_a_second_send(accepted):
    exports.open_attempt(Export.get(), line=1, claim=1, guid="g")
    ChangeOrder.update(status=Status.EXPORTING).execute()

    asked = turn(accepted)

    assert asked == []
    assert load(accepted.id).state is Status.UNKNOWN
    assert outcomes(accepted) == {1: "lost"}
    assert (
        last_event(accepted)
        .facts["text"]
        .startswith("The export worker stopped while it was sending line 1, so its answer is not known. It may")
    )


def test_a_worker_lost_between_two_lines_is_no_doubt_at_all(accepted):
    exports.close_attempt(exports.open_attempt(Export.get(), line=1, claim=1, guid="g"), LineOutcome.SENT)
    ChangeOrder.update(status=Status.EXPORTING).execute()

    asked = turn(accepted, GOOD, GOOD)

    assert [elements["CR_Phase_Code"] for elements, _ in asked] == ["162100", "162300"]
    assert load(accepted.id).state is Status.EXPORTED


def test_a_worker_lost_after_the_last_answer_needs_no_call(accepted):
    for line in (1, 2, 4):
        exports.close_attempt(exports.open_attempt(Export.get(), line=line, claim=1, guid="g"), LineOutcome.SENT)
    ChangeOrder.update(status=Status.EXPORTING).execute()

    asked = turn(accepted)

    assert asked == []
    assert load(accepted.id).state is Status.EXPORTED


def test_evidence_that_comes_after_the_lane_was_lost_is_kept(accepted):
    attempt = exports.open_attempt(Export.get(), line=1, claim=1, guid="g")
    exports.close_lost(Export.get())

    exports.close_attempt(attempt, LineOutcome.SENT, http=200)

    assert [(a.kind, a.outcome) for a in Attempt.select().order_by(Attempt.id)] == [("send", "lost"), ("late", "sent")]


def test_a_worker_whose_lane_was_taken_over_sends_nothing_more(accepted):
    def taken_over(elements, guid):
        Lane.update(claim=Lane.claim + 1).where(Lane.name == accepted.company.lane).execute()
        return GOOD

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    with pytest.raises(Lost):
        send.step(Dispatch.get(), claim, taken_over)

    assert outcomes(accepted) == {1: "sent"}
    assert Attempt.select().count() == 1


def test_only_one_worker_is_on_a_lane(accepted, clock):
    lane = accepted.company.lane
    first = Lane.take(lane, tasks.LEASE)
    second = Lane.take(lane, tasks.LEASE)
    clock.tick(seconds=16)

    third = Lane.take(lane, tasks.LEASE)

    assert (first is not None, second, third) == (True, None, first + 1)


def test_a_pause_stops_before_the_first_line_and_costs_no_try(accepted, eve, clock):
    pausing.pause(accepted.company.lane, eve, "month-end close")
    for _ in range(10):
        assert turn(accepted) == []
        clock.tick(minutes=10)
    pausing.resume(accepted.company.lane, eve)

    turn(accepted, GOOD, GOOD, GOOD)

    assert load(accepted.id).state is Status.EXPORTED


def test_a_pause_between_two_lines_resumes_at_the_next(accepted, eve, clock):
    def pause_meanwhile(elements, guid):
        pausing.pause(accepted.company.lane, eve, "month-end close")
        return GOOD

    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    send.step(Dispatch.get(), claim, pause_meanwhile)
    Lane.release(accepted.company.lane, claim)
    paused = load(accepted.id).state
    pausing.resume(accepted.company.lane, eve)
    clock.tick(seconds=31)

    asked = turn(accepted, GOOD, GOOD)

    assert paused is Status.QUEUED
    assert len(asked) == 2
    assert load(accepted.id).state is Status.EXPORTED


def test_a_check_that_fails_after_accept_stops_the_export(accepted):
    accepted.commitment.vendor.code = ""
    accepted.commitment.vendor.save()

    asked = turn(accepted)

    assert asked == []
    assert load(accepted.id).state is Status.FAILED
    assert last_event(accepted).facts["cause"] == "data"
    assert "has no Spectrum vendor code" in last_event(accepted).facts["text"]


def test_three_workers_lost_before_anything_was_sent_is_for_support(accepted):
    Dispatch.update(tries=3).execute()

    asked = turn(accepted)

    assert asked == []
    assert load(accepted.id).state is Status.FAILED
    assert last_event(accepted).facts["cause"] == "setup"


def test_a_promise_whose_export_is_no_longer_open_sends_nothing(accepted):
    ChangeOrder.update(export=None, status=Status.READY).execute()

    assert turn(accepted) == []
    assert Dispatch.get().finished_at is not None


def test_a_failing_programme_leaves_the_attempt_open_for_the_next_worker_to_doubt(accepted, clock):
    claim = Lane.take(accepted.company.lane, tasks.LEASE)
    with pytest.raises(ZeroDivisionError):
        send.step(Dispatch.get(), claim, lambda elements, guid: 1 / 0)
    clock.tick(minutes=5)

    turn(accepted)

    assert load(accepted.id).state is Status.UNKNOWN


def test_every_change_of_state_has_one_event(accepted):
    turn(accepted, GOOD, GOOD, GOOD)

    history = events.history("change_order", accepted.id)

    assert [event.action for event in history][-3:] == ["accepted", "exporting", "exported"]
    assert history[-1].facts["number"] == Export.get().number


def test_what_a_person_took_out_of_the_line_this_very_moment_is_left_to_them(accepted, monkeypatch):
    stale = load(accepted.id)
    moved = load(accepted.id)
    moved.move(Status.READY, moved.version)
    monkeypatch.setattr(send.change_orders, "load", lambda _: stale)

    assert turn(stale, GOOD) == []

    assert ChangeOrder.get().status == Status.READY
    assert Attempt.select().count() == 0
