"""A clock that ran ahead and was put right stops nothing for long: what lies too far in the future counts as over, is told and recorded."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from portal import clock as clocks
from portal.background import tasks
from portal.cli import main
from portal.domain import events, outbox
from portal.domain.change_orders import Status, load
from portal.domain.exporting import pausing, quiet_window
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.lanes import MAIL, Lane, Lost
from portal.domain.mail import letters
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import clock_repair, resolutions
from portal.domain.rules.findings import Blocked
from tests.worker import TIMEOUT, Tables, state, work

pytestmark = pytest.mark.databases_differ("locks and races")

LANE = "exports:1"
LEASE = timedelta(seconds=130)


@pytest.mark.parametrize("back", [{"minutes": 16}, {"hours": 1}, {"days": 400}])
def test_a_lease_that_ends_when_none_could_is_over_and_its_holder_lost(database, company, clock, back):
    ahead = Lane.take(LANE, LEASE)
    clock.set(clock.now() - timedelta(**back))

    taken = Lane.take(LANE, LEASE)

    assert taken == ahead + 1
    with pytest.raises(Lost):
        Lane.renew(LANE, ahead, LEASE)


def test_a_lease_that_a_right_clock_could_have_written_holds(database, company, clock):
    Lane.take(LANE, LEASE)
    clock.tick(minutes=-15)

    assert Lane.take(LANE, LEASE) is None


@pytest.mark.parametrize(
    ("task", "due_in", "back", "is_due"),
    [
        (Task.EXPORT, timedelta(hours=1), timedelta(0), False),
        (Task.EXPORT, timedelta(hours=1), timedelta(minutes=15), False),
        (Task.EXPORT, timedelta(hours=1), timedelta(minutes=16), True),
        (Task.EXPORT, timedelta(seconds=10), timedelta(days=1), True),
        (Task.REJECTED, timedelta(minutes=2), timedelta(hours=2), True),
        (Task.COMPARE, timedelta(hours=25), timedelta(0), False),
        (Task.LOOK_UP, timedelta(hours=25), timedelta(minutes=15), False),
        (Task.COMPARE, timedelta(hours=25), timedelta(minutes=16), True),
    ],
)
def test_what_is_due_when_none_of_its_kind_could_be_is_due(database, company, clock, task, due_in, back, is_due):
    outbox.promise("some:17", LANE, task, 17, due_in)
    clock.set(clock.now() - back)

    found = outbox.next_due(LANE, set())

    assert (found is not None) is is_due
    assert ([lane.name for lane in outbox.lanes_with_due_work()] == [LANE]) is is_due


def drain(app, monkeypatch):
    """One worker's turn on the lane of exports, in which nothing is done."""
    monkeypatch.setitem(tasks.STEPS, "exports", lambda: lambda dispatch, claim: outbox.finish(dispatch))
    with app.app_context():
        tasks.drain(LANE)


def noticed():
    return [event for event in events.history("company", 1) if event.action == clock_repair.NOTICED]


def test_it_is_put_right_recorded_and_told_to_the_administrators(app, company, eve, ada, clock, monkeypatch):
    clock.tick(days=1)
    outbox.promise("export:17", LANE, Task.EXPORT, 17)
    Lane.take(LANE, LEASE)
    clock.tick(days=-1)

    drain(app, monkeypatch)

    assert Dispatch.get(Dispatch.key == "export:17").finished_at
    (event,) = noticed()
    assert "exports:1 was held until a time that no worker writes; 1 promised piece of work" in event.facts["text"]
    mails = Dispatch.select().where(Dispatch.task == Task.CLOCK)
    assert {mail.subject for mail in mails} == {eve.id, ada.id}
    letter = letters.begin(mails[0], Lane.take(MAIL, LEASE))
    assert letter.text == event.facts["text"]


def test_of_two_machines_whose_clocks_differ_for_good_it_is_told_hourly(database, company, eve, clock):
    for _ in range(3):
        with clocks.shifted(timedelta(hours=2)):
            Lane.take(LANE, LEASE)
        clock_repair.put_right()
        clock.tick(minutes=25)

    assert len(noticed()) == 1
    clock.tick(hours=1)
    with clocks.shifted(timedelta(hours=2)):
        Lane.take(LANE, LEASE)
    clock_repair.put_right()
    assert len(noticed()) == 2


def test_while_the_clock_is_right_nothing_is_noticed(app, company, accepted, monkeypatch):
    drain(app, monkeypatch)
    clock_repair.put_right()

    assert noticed() == []


def test_the_quiet_window_begins_anew_when_evidence_from_the_future_is_noticed(accepted, clock):
    tables = Tables()
    clock.tick(days=1)
    work(accepted, TIMEOUT)
    clock.tick(days=-1)

    assert work(accepted, read=tables) == []
    noticed_at = clock.now()
    assert quiet_window.until(Export.get()) == noticed_at + timedelta(minutes=15)

    clock.tick(minutes=14, seconds=59)
    assert work(accepted, read=tables) == []
    assert not Attempt.select().where(Attempt.kind == "read", Attempt.outcome == "absent").exists()
    clock.tick(seconds=1)
    assert work(accepted, read=tables) == []
    assert state(accepted) is Status.UNKNOWN  # a second reading decides
    clock.tick(minutes=5)
    work(accepted, read=tables)
    assert state(accepted) is Status.QUEUED


def test_looking_often_does_not_push_the_quiet_window_away(accepted, clock):
    clock.tick(days=1)
    work(accepted, TIMEOUT)
    clock.tick(days=-1)
    clock_repair.put_right()
    until = quiet_window.until(Export.get())

    clock.tick(minutes=10)
    clock_repair.put_right()

    assert quiet_window.until(Export.get()) == until


def test_a_machine_whose_clock_is_behind_does_not_cut_the_window_of_the_right_one_short(accepted, clock):
    work(accepted, TIMEOUT)
    until = quiet_window.until(Export.get())
    with clocks.shifted(timedelta(hours=-1)):
        clock_repair.put_right()

    assert quiet_window.until(Export.get()) == until


def test_nor_does_a_clock_that_is_put_back_twice(accepted, clock):
    clock.tick(days=2)
    work(accepted, TIMEOUT)
    clock.tick(days=-1)
    clock_repair.put_right()
    clock.tick(days=-1)

    assert quiet_window.until(Export.get()) == clock.now() + timedelta(minutes=15)


def test_a_person_may_say_that_it_is_not_there_a_quiet_window_after_it_was_noticed(accepted, ana, clock):
    clock.tick(days=1)
    work(accepted, TIMEOUT)
    clock.tick(days=-1)
    clock_repair.put_right()
    version = load(accepted.id).version

    with pytest.raises(Blocked, match="for 15 minutes"):
        resolutions.mark_absent(accepted.id, ana, version, "Looked at the subcontract.")
    clock.tick(minutes=15)

    assert resolutions.mark_absent(accepted.id, ana, version, "Looked at the subcontract.").state is Status.FAILED


@pytest.fixture
def portal_drain(database_url, tmp_path):
    """What `portal exports drain` says of exports."""
    env = {
        "DATABASE_URL": database_url,
        "PORTAL_DATA": str(tmp_path),
        "SECRET_KEY": "for tests only " * 3,
        "SPECTRUM_URL": "http://127.0.0.1:9",
    }

    def run():
        done = CliRunner().invoke(main, ["exports", "drain"], env=env)
        assert done.exit_code == 0, done.output
        return [line.removeprefix("Exports: ") for line in done.output.splitlines() if line.startswith("Exports: ")]

    return run


def test_draining_by_hand_says_who_holds_the_lane_and_until_when(portal_drain, company):
    Lane.take(LANE, LEASE)
    until = Lane.get_by_id(LANE).until

    assert (
        portal_drain()[0] == f"Another worker holds the lane until {until:%Y-%m-%d %H:%M:%S}Z at the latest; then the next one can go on."
    )


def test_draining_by_hand_says_who_paused_and_what_is_next(portal_drain, company, eve):
    pausing.pause(LANE, eve, "Year end.")
    outbox.promise("export:17", LANE, Task.EXPORT, 17, timedelta(minutes=40))
    due = Dispatch.get().due_at

    paused, coming, nothing = portal_drain()

    assert nothing == "nothing is due."
    assert "by Eve Laurent: Year end. Nothing is sent meanwhile." in paused
    assert coming == f"Next is export:17 at {due:%Y-%m-%d %H:%M:%S}Z, after 0 tries."


def test_draining_an_empty_lane_says_so(portal_drain, company):
    assert portal_drain() == ["nothing is due."]
