"""The ways out of trouble: who may take which, what each writes down, and that nothing is ever sent twice on the way."""

import pytest

from portal.background import tasks
from portal.domain import events, outbox
from portal.domain.change_orders import ChangeOrder, Overtaken, Status, load
from portal.domain.exporting import exports, send
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted
from portal.domain.projects import sending
from portal.domain.recovery import resolutions
from portal.domain.review import decisions
from portal.domain.rules.findings import Blocked
from tests.cast import signed
from tests.races import at_once
from tests.worker import BAD_PHASE, CLOSED, GOOD, NOT_US, TIMEOUT, last_event, turn

pytestmark = pytest.mark.databases_differ("locks and races")


@pytest.fixture
def half(accepted):
    """Failed: line 1 is in Spectrum, line 2 was refused, line 3 was never sent."""
    turn(accepted, GOOD, BAD_PHASE)
    return load(accepted.id)


def phases(asked):
    return [elements["CR_Phase_Code"] for elements, _ in asked]


def outcomes(change_order):
    return {line: attempt.outcome for line, attempt in exports.outcomes(Export.get(change_order=change_order)).items()}


def test_recall_takes_the_accept_back_and_nothing_is_sent(accepted, ana):
    decisions.recall(accepted.id, ana, accepted.version)

    recalled = load(accepted.id)
    assert (recalled.state, recalled.export, recalled.decided_by_id) == (Status.READY, None, None)
    assert turn(accepted) == []
    assert last_event(accepted).action == "recalled"


def test_what_was_recalled_keeps_its_number_and_goes_out_after_the_next_accept(accepted, ana, lee):
    decisions.recall(accepted.id, ana, accepted.version)

    signed(accepted.id, by=lee, version=load(accepted.id).version)
    asked = turn(accepted, GOOD, GOOD, GOOD)

    assert {export.number for export in Export.select()} == {"S014-001"}
    assert len(asked) == 3


def test_only_who_accepted_or_an_administrator_recalls(accepted, lee, sam, eve):
    for person in (lee, sam):
        with pytest.raises(NotPermitted, match="Only the approver who accepted it"):
            decisions.recall(accepted.id, person, accepted.version)

    assert decisions.recall(accepted.id, eve, accepted.version).state is Status.READY


def test_nothing_is_recalled_once_a_line_was_tried(accepted, ana):
    turn(accepted, CLOSED)
    queued = load(accepted.id)

    with pytest.raises(Overtaken):
        decisions.recall(queued.id, ana, queued.version)

    assert load(accepted.id).state is Status.QUEUED


def test_the_same_persons_second_recall_changes_nothing(accepted, ana):
    decisions.recall(accepted.id, ana, accepted.version)

    again = decisions.recall(accepted.id, ana, accepted.version)

    assert again.state is Status.READY
    assert events.Event.select().where(events.Event.action == "recalled").count() == 1


def test_a_late_repeat_of_an_accept_that_was_recalled_is_told_so(change_order, ana):
    accepted = signed(change_order.id, by=ana, version=change_order.version)
    decisions.recall(accepted.id, ana, accepted.version)

    with pytest.raises(Overtaken):
        signed(change_order.id, by=ana, version=change_order.version)


def test_recall_and_the_worker_agree_every_time(make_change_order, ana, company, length):
    for _ in range(length(50, 15)):
        one = make_change_order("queued")
        sent, recalled = race(one, ana)

        now = load(one.id).state
        assert (len(sent), recalled, now) in ((0, True, Status.READY), (1, False, Status.EXPORTED))


def race(change_order, ana):
    """Recall and a worker's turn at the same moment: what was sent, and whether the recall was told that it worked."""
    sent, recalled = [], []
    dispatch = Dispatch.get(Dispatch.subject == change_order.export, Dispatch.task == outbox.Task.EXPORT)

    def export():
        claim = Lane.take(change_order.company.lane, tasks.LEASE)
        send.step(dispatch, claim, lambda elements, guid: sent.append(guid) or GOOD)
        Lane.release(change_order.company.lane, claim)

    def recall():
        try:
            decisions.recall(change_order.id, ana, change_order.version)
            recalled.append(True)
        except Overtaken:
            recalled.append(False)

    at_once(export, recall)
    return sent, recalled[0]


def test_retry_sends_only_what_is_missing_under_the_same_number(half, lee):
    frozen = dict(Export.get().lines)

    retried = resolutions.retry(half.id, lee, half.version)
    asked = turn(half, GOOD, GOOD)

    assert retried.state is Status.QUEUED
    assert [elements for elements, _ in asked] == [frozen[2], frozen[3]]
    assert load(half.id).state is Status.EXPORTED
    assert Export.select().count() == 1


def test_a_retry_is_written_down_for_each_line_that_goes_again(half, ana):
    resolutions.retry(half.id, ana, half.version)

    assert outcomes(half) == {1: "sent", 2: "again"}
    assert [(a.line, a.kind) for a in Attempt.select().where(Attempt.kind == "person")] == [(2, "person")]
    assert last_event(half).facts["stored"] == [1]


def test_a_retry_opens_the_promise_anew(half, ana, clock):
    Dispatch.update(tries=9).execute()
    clock.tick(days=3)

    resolutions.retry(half.id, ana, half.version)

    promise = Dispatch.get()
    assert (promise.finished_at, promise.tries, promise.error) == (None, 0, "")
    assert promise.due_at == promise.promised_at == clock.now()


def test_an_answer_that_came_late_is_not_asked_for_again_by_a_retry(half, ana):
    exports.close_attempt(Attempt.select().where(Attempt.line == 2).get(), LineOutcome.SENT)

    resolutions.retry(half.id, ana, half.version)

    assert phases(turn(half, GOOD)) == ["162300"]


def test_an_unclear_answer_that_came_late_forbids_the_retry(half, ana):
    exports.close_attempt(Attempt.select().where(Attempt.line == 2).get(), LineOutcome.UNKNOWN)

    with pytest.raises(Blocked, match="may be in Spectrum after all"):
        resolutions.retry(half.id, ana, half.version)


def test_a_retry_asks_the_rules_again(half, ana):
    half.commitment.vendor.code = ""
    half.commitment.vendor.save()

    with pytest.raises(Blocked, match="has no Spectrum vendor code"):
        resolutions.retry(half.id, ana, half.version)

    assert load(half.id).state is Status.FAILED


def test_the_same_persons_second_retry_changes_nothing_and_another_persons_is_told(half, ana, lee):
    resolutions.retry(half.id, ana, half.version)

    assert resolutions.retry(half.id, ana, half.version).state is Status.QUEUED
    with pytest.raises(Overtaken):
        resolutions.retry(half.id, lee, half.version)
    assert events.Event.select().where(events.Event.action == "retried").count() == 1


@pytest.mark.parametrize(("setting", "answer", "allowed"), [(False, NOT_US, False), (True, NOT_US, True), (True, BAD_PHASE, False)])
def test_support_retries_what_is_not_about_data_where_the_company_allows_it(accepted, company, sam, setting, answer, allowed):
    company.support_may_retry = setting
    company.save()
    turn(accepted, answer)
    failed = load(accepted.id)

    if allowed:
        assert resolutions.retry(failed.id, sam, failed.version).state is Status.QUEUED
    else:
        with pytest.raises(NotPermitted):
            resolutions.retry(failed.id, sam, failed.version)


def test_the_setting_lets_nobody_below_standard_retry(accepted, company, ben):
    company.support_may_retry = True
    company.save()
    turn(accepted, NOT_US)

    with pytest.raises(NotPermitted):
        resolutions.retry(accepted.id, ben, load(accepted.id).version)


def test_a_failed_one_with_lines_in_spectrum_is_rejected_only_with_the_tick(half, ana):
    with pytest.raises(Blocked, match="Line 1 of it is in Spectrum"):
        decisions.reject(half.id, by=ana, version=half.version, reason="Phase is closed")

    rejected = decisions.reject(half.id, by=ana, version=half.version, reason="Phase is closed", removed=True)

    assert (rejected.state, rejected.export) == (Status.REJECTED, None)
    assert last_event(half).facts["removed"] == [1]
    assert Dispatch.select().where(Dispatch.task == outbox.Task.REJECTED).count() == 1


def test_a_failed_one_of_which_nothing_is_in_spectrum_needs_no_tick(accepted, ana):
    turn(accepted, BAD_PHASE)

    assert decisions.reject(accepted.id, by=ana, version=load(accepted.id).version, reason="Wrong phase").state is Status.REJECTED


def test_what_a_person_saw_in_spectrum_is_exported(accepted, ana):
    turn(accepted, GOOD, GOOD, TIMEOUT)

    resolutions.mark_present(accepted.id, ana, load(accepted.id).version, " s014-001 ", "Seen in the CR list")

    assert load(accepted.id).state is Status.EXPORTED
    assert outcomes(accepted) == {1: "sent", 2: "sent", 3: "present"}
    assert last_event(accepted).facts["note"] == "Seen in the CR list"


def test_lines_that_were_never_sent_are_not_lost_by_saying_that_it_is_in_spectrum(doubtful, ana):
    resolutions.mark_present(doubtful.id, ana, doubtful.version, "S014-001", "Line 2 is there")
    failed = load(doubtful.id)
    resolutions.retry(failed.id, ana, failed.version)

    asked = turn(doubtful, GOOD)

    assert failed.state is Status.FAILED
    assert phases(asked) == ["162300"]
    assert load(doubtful.id).state is Status.EXPORTED


@pytest.mark.parametrize(("number", "note"), [("S014-002", "seen"), ("", "seen"), ("S014-001", " "), ("S014-001", "x" * 1001)])
def test_saying_that_it_is_there_needs_its_number_and_a_note(doubtful, ana, number, note):
    with pytest.raises(Blocked):
        resolutions.mark_present(doubtful.id, ana, doubtful.version, number, note)

    assert load(doubtful.id).state is Status.UNKNOWN
    assert not Attempt.select().where(Attempt.kind == "person").exists()


def test_not_there_cannot_be_said_before_the_quiet_window_has_passed(doubtful, ana, clock):
    clock.tick(minutes=14, seconds=30)

    with pytest.raises(Blocked, match="for 1 minute,"):
        resolutions.mark_absent(doubtful.id, ana, doubtful.version, "Not in the CR list")

    assert load(doubtful.id).state is Status.UNKNOWN


def test_an_answer_that_comes_late_begins_the_quiet_window_anew(doubtful, ana, clock):
    clock.tick(minutes=10)
    exports.close_attempt(Attempt.select().where(Attempt.line == 2).get(), LineOutcome.UNKNOWN)
    clock.tick(minutes=10)

    with pytest.raises(Blocked):
        resolutions.mark_absent(doubtful.id, ana, doubtful.version, "Not in the CR list")


def test_what_is_not_there_fails_and_a_retry_sends_it(doubtful, ana, clock):
    clock.tick(minutes=15)
    resolutions.mark_absent(doubtful.id, ana, doubtful.version, "Not in the CR list")
    failed, said = load(doubtful.id), outcomes(doubtful)
    resolutions.retry(failed.id, ana, failed.version)

    asked = turn(doubtful, GOOD, GOOD)

    assert (failed.state, said) == (Status.FAILED, {1: "sent", 2: "absent"})
    assert phases(asked) == ["162100", "162300"]
    assert load(doubtful.id).state is Status.EXPORTED


def test_only_approvers_say_what_spectrum_shows(doubtful, sam, eve, company):
    company.support_may_retry = True
    company.save()

    for person in (sam, eve):
        with pytest.raises(NotPermitted):
            resolutions.mark_present(doubtful.id, person, doubtful.version, "S014-001", "seen")
        with pytest.raises(NotPermitted):
            resolutions.mark_absent(doubtful.id, person, doubtful.version, "not seen")


def test_nobody_retries_an_unknown_outcome(doubtful, ana):
    with pytest.raises(Overtaken):
        resolutions.retry(doubtful.id, ana, doubtful.version)


SPELLINGS = ["s014-001", " S014\u2013001 ", "\uff33\uff10\uff11\uff14-001"]  # as copied from a mail, or typed on a wide keyboard


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_entered_by_hand_is_shown_as_manual_and_sends_nothing(half, ada, spelling):
    resolutions.mark_entered_manually(half.id, ada, half.version, spelling, "Typed in by Kim")

    now = load(half.id)
    assert (now.state, now.manual) == (Status.EXPORTED, True)
    assert turn(half) == []
    assert last_event(half).facts["number"] == "S014-001"


def test_a_number_of_another_change_order_cannot_be_entered_by_hand(half, make_change_order, ada):
    make_change_order("queued")

    with pytest.raises(Blocked, match="belongs to CCO 002 of SC-014"):
        resolutions.mark_entered_manually(half.id, ada, half.version, "S014-002", "Typed in by Kim")


def test_only_an_administrator_with_the_privilege_enters_by_hand_and_unlinks(half, make_change_order, ana, eve):
    exported = make_change_order("exported")

    for person in (ana, eve):
        with pytest.raises(NotPermitted):
            resolutions.mark_entered_manually(half.id, person, half.version, "S014-001", "Typed in")
        with pytest.raises(NotPermitted):
            resolutions.unlink(exported.id, person, exported.version, "S014-002")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_unlink_brings_it_back_to_the_project_with_its_number(make_change_order, ada, spelling):
    exported = make_change_order("exported")
    with pytest.raises(Blocked):
        resolutions.unlink(exported.id, ada, exported.version, "S014-009")

    unlinked = resolutions.unlink(exported.id, ada, exported.version, spelling)

    assert (unlinked.state, unlinked.export) == (Status.RETRIEVED, None)
    assert last_event(exported).facts["number"] == "S014-001"


def test_a_member_of_the_job_or_an_administrator_retrieves_what_waits(make_change_order, dee, eve, ana):
    first, second = make_change_order(), make_change_order()

    with pytest.raises(NotPermitted):
        sending.retrieve(first.id, ana, first.version)

    assert sending.retrieve(first.id, dee, first.version).state is Status.RETRIEVED
    assert sending.retrieve(second.id, eve, second.version).state is Status.RETRIEVED


def test_nothing_is_retrieved_once_somebody_has_answered(change_order, dee, ana):
    signed(change_order.id, by=ana, version=change_order.version)

    with pytest.raises(Overtaken):
        sending.retrieve(change_order.id, dee, change_order.version)


@pytest.mark.parametrize("status", ["draft", "rejected", "retrieved"])
def test_who_wrote_it_or_an_administrator_voids_it_for_good(make_change_order, dee, eve, ana, status):
    for person in (dee, eve):
        one = make_change_order(status)
        with pytest.raises(NotPermitted):
            sending.void(one.id, ana, one.version)

        assert sending.void(one.id, person, one.version).state is Status.VOID
        with pytest.raises(Overtaken):
            sending.send(one.id, dee, load(one.id).version)


@pytest.mark.parametrize("status", ["ready", "queued", "exporting", "exported", "failed", "unknown"])
def test_what_is_with_accounting_is_not_voided(make_change_order, eve, status):
    one = make_change_order(status)

    with pytest.raises(Overtaken):
        sending.void(one.id, eve, one.version)

    assert ChangeOrder.get_by_id(one.id).state is Status(status)
