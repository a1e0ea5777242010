"""Work that stands still is told: on every page after three minutes, by mail after fifteen, whichever process is missing."""

from datetime import timedelta

import pytest

from portal import clock as clocks
from portal.background import lookout
from portal.domain import outbox
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch, NotWanted, Task
from portal.domain.recovery import stalled_work
from tests.conftest import sign_in
from tests.worker import letter

LANE = "exports:1"
LEASE = timedelta(seconds=130)
STRIP = "Exports stand still: work has been due for"


@pytest.fixture
def page(client, ana):
    """The Ready page, as Ana sees it."""
    sign_in(client, ana)
    return lambda: client.get("/change-orders").text


@pytest.fixture
def off_for_hours(promised, clock):
    """The portal was off while work was due, and has just started again."""
    clock.set(clock.now() + timedelta(hours=10))


@pytest.fixture
def promised(company, clock):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)


def test_work_that_nobody_does_for_three_minutes_is_told_on_every_page(page, promised, clock):
    clock.tick(minutes=2, seconds=59)
    assert STRIP not in page()

    clock.tick(seconds=1)

    assert f"{STRIP} 3 minutes and nothing works on it. Accepted change orders wait in line." in page()


def test_work_that_fell_due_while_the_portal_was_off_is_no_standstill(off_for_hours, page, client, eve):
    stalled_work.tell()

    assert STRIP not in page()
    assert client.get("/readyz").json["status"] == "ready"
    assert told() == []


def test_work_that_nobody_does_after_an_off_period_is_told_after_the_usual_time(off_for_hours, page, eve, clock):
    clock.tick(minutes=3)
    assert f"{STRIP} 603 minutes" in page()
    clock.tick(minutes=11, seconds=59)
    stalled_work.tell()
    assert told() == []
    clock.tick(seconds=1)
    stalled_work.tell()

    assert len(told()) == 1


def test_a_mail_worker_that_has_just_started_sends_what_was_promised_before(promised, eve, clock, monkeypatch):
    clock.tick(minutes=16)
    stalled_work.tell()

    monkeypatch.setattr(clocks, "STARTED", clocks.steady())

    assert stalled_work.write(told()[0].key, eve).standstill.lane == LANE


def test_a_holder_of_the_lane_who_begins_nothing_is_told(page, promised, clock):
    """Say a worker that hangs and keeps its lease, or one that dies as soon as it has taken the lane."""
    for _ in range(4):
        claim = Lane.take(LANE, LEASE)
        clock.tick(minutes=1)
        Lane.release(LANE, claim)

    assert STRIP in page()


def test_one_call_takes_as_long_as_it_may(page, promised, clock):
    clock.tick(minutes=2)
    Lane.renew(LANE, Lane.take(LANE, LEASE), LEASE)
    clock.tick(seconds=130)

    assert STRIP not in page()


def test_a_long_line_that_moves_is_no_fault(page, promised, clock):
    claim = Lane.take(LANE, LEASE)
    for _ in range(30):
        clock.tick(minutes=2)
        Lane.renew(LANE, claim, LEASE)

    assert STRIP not in page()
    assert stalled_work.standstills(timedelta(minutes=1)) == []


def test_an_idle_lane_whose_work_has_just_become_due_is_no_fault(page, company, clock):
    outbox.promise("export:17", LANE, Task.EXPORT, 17, timedelta(hours=1))
    clock.tick(hours=1, minutes=2)

    assert STRIP not in page()


@pytest.mark.parametrize(
    ("lane", "task", "words"), [(MAIL, Task.REJECTED, "Mail stands still"), ("imports", Task.READ_FILE, "Imports stand")]
)
def test_the_other_lanes_are_watched_too(page, company, clock, lane, task, words):
    outbox.promise("some:17:1", lane, task, 17)
    clock.tick(minutes=4)

    assert words in page()


def test_readiness_tells_what_is_degraded_and_stays_200(client, promised, clock):
    assert client.get("/readyz").json == {
        "status": "ready",
        "parts": {"database": "ready", "exports": "ready", "mail": "ready", "imports": "ready"},
    }
    clock.tick(minutes=5)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["parts"]["exports"].startswith("degraded: Exports stand still")
    assert answer.json["parts"]["mail"] == "ready"


def told(lane=LANE):
    """The mails on this lane that were promised."""
    of_lane = Dispatch.key.startswith(f"standstill:{lane}:")
    return list(Dispatch.select().where(Dispatch.task == Task.STANDSTILL, of_lane).order_by(Dispatch.id))


def test_after_fifteen_minutes_a_mail_goes_once_to_whoever_is_told_of_failed_exports(promised, eve, clock):
    clock.tick(minutes=14)
    stalled_work.tell()
    assert told() == []
    clock.tick(minutes=1)

    for _ in range(3):
        stalled_work.tell()
        clock.tick(minutes=10)

    (mail,) = told()
    assert mail.subject == eve.id
    assert letter(mail).standstill.lane == LANE


def test_a_second_standstill_is_told_again(promised, eve, clock):
    clock.tick(minutes=16)
    stalled_work.tell()
    Lane.renew(LANE, Lane.take(LANE, LEASE), LEASE)
    clock.tick(minutes=75)

    stalled_work.tell()

    assert len(told()) == 2


def test_a_mail_that_is_no_longer_true_is_not_sent(promised, eve, clock):
    clock.tick(minutes=16)
    stalled_work.tell()
    Lane.renew(LANE, Lane.take(LANE, LEASE), LEASE)

    with pytest.raises(NotWanted, match="it goes on again"):
        stalled_work.write(told()[0].key, eve)


def test_where_mail_stands_still_a_worker_sends_it_itself_and_says_so(make_app, company, promised, eve, catcher, clock):
    """Without a keeper, or without Redis, no ring reaches the mail worker."""
    app = make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)
    clock.tick(minutes=16)
    with app.app_context():
        lookout.look()
        assert catcher.mails() == []  # promised now; mail has not stood still yet
        clock.tick(minutes=16)
        lookout.look()

    assert [mail["subject"] for mail in catcher.mails()] == ["Exports stand still in the CCO Portal", "Mail stands still in the CCO Portal"]


def test_a_worker_looks_once_a_minute_however_often_rq_calls(monkeypatch):
    looks, now = [], [1000]
    monkeypatch.setattr(lookout, "look", lambda: looks.append(now[0]))
    monkeypatch.setattr(lookout.clock, "steady", lambda: now[0])
    watch = lookout.Watch()

    for _ in range(20):
        watch()
        now[0] += 7

    assert looks == [1000, 1063, 1126]
