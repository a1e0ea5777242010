"""Mail on exports that need a person: who gets it, how often, and that it tells what is true when it goes."""

import pytest

from portal import messages
from portal.domain import events, outbox
from portal.domain.accounts import preferences
from portal.domain.change_orders import load
from portal.domain.exporting import alerts
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User
from portal.domain.recovery import resolutions
from portal.domain.triage import upkeep
from portal.spectrum.records import NotSent, Refused, Row
from tests.cast import export
from tests.conftest import sign_in
from tests.worker import CLOSED, letter, work

NO_ACCOUNT = Refused("Spectrum refused.", http=200, rows=[Row("I", "GL Account is not valid", "GL_Account")])
REFUSED = Refused("Spectrum refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")])


def promised():
    return list(Dispatch.select().where(Dispatch.task == Task.FAILED_EXPORTS).order_by(Dispatch.id))


@pytest.fixture
def wanting(sam):
    """Support, who asked for it."""
    return preferences.prefer(sam, preferences.Kind.FAILURES, wanted=True)


def test_a_failure_is_told_to_whoever_asked_some_minutes_later(make_change_order, wanting, clock):
    make_change_order("failed")

    (dispatch,) = promised()

    assert dispatch.key.startswith("failed:data:")
    assert dispatch.subject == wanting.id
    assert dispatch.due_at == clock.now() + alerts.COLLECTED


def test_where_nobody_asked_the_administrators_are_told(make_change_order, eve, sam):
    make_change_order("failed")

    assert [dispatch.subject for dispatch in promised()] == [eve.id]


def test_failures_of_one_cause_that_come_together_are_one_mail(make_change_order, wanting, clock):
    for number in ("001", "002", "003"):
        make_change_order("failed", number=number)
        clock.tick(minutes=1)

    (dispatch,) = promised()

    assert letter(dispatch).count == 3


@pytest.mark.parametrize("minute", [0, 31, 53, 59])
def test_the_next_mail_of_a_cause_goes_an_hour_after_the_last_whatever_the_clock_says(make_change_order, wanting, clock, minute):
    clock.set(clock.now().replace(minute=minute, second=0, microsecond=0))
    make_change_order("failed")
    clock.tick(minutes=5)
    outbox.finish(promised()[0])
    sent = clock.now()

    for number in ("002", "003"):
        clock.tick(minutes=2)
        make_change_order("failed", number=number)

    assert [later.due_at for later in promised()[1:]] == [sent + alerts.HOUR]  # one, and it is told, not dropped


def test_each_cause_has_mail_of_its_own_also_within_one_class(make_change_order, wanting, clock):
    phase = make_change_order("failed")
    clock.tick(minutes=5)
    outbox.finish(promised()[0])
    clock.tick(minutes=1)

    account = make_change_order("queued")
    export(account, NO_ACCOUNT)

    first, second = promised()
    assert second.due_at == clock.now() + alerts.COLLECTED
    assert [[one.id for one in alerts.write(promise.key, wanting).shown] for promise in (first, second)] == [[phase.id], [account.id]]
    assert letter(second).in_words == "No G/L account for this job, phase and cost type"


def test_causes_that_the_page_shows_under_one_are_told_in_one_mail(make_change_order, wanting, eve, ada):
    phase = make_change_order("failed")
    upkeep.pin(load(phase.id).cause, ada, "Codes that Spectrum lacks", "not")
    account = make_change_order("queued")
    export(account, NO_ACCOUNT)

    (only,) = promised()
    assert load(account.id).cause != load(phase.id).cause
    assert (letter(only).count, letter(only).in_words) == (2, "Codes that Spectrum lacks")


def test_a_mail_that_an_older_version_promised_for_a_whole_class_still_goes(make_change_order, wanting):
    make_change_order("failed")
    export(make_change_order("queued"), NO_ACCOUNT)
    Dispatch.delete().where(Dispatch.task == Task.FAILED_EXPORTS).execute()

    outbox.promise(f"failed:data:0:{wanting.id}", MAIL, Task.FAILED_EXPORTS, wanting.id)

    assert (letter(promised()[0]).count, letter(promised()[0]).in_words) == (2, "Spectrum refused the data")


def test_while_a_mail_of_the_cause_waits_for_the_mail_server_no_second_one_is_promised(make_change_order, wanting, clock):
    make_change_order("failed")

    for number in ("002", "003"):
        clock.tick(hours=1)
        make_change_order("failed", number=number)

    assert len(promised()) == 1


def test_another_cause_and_a_mail_that_was_not_needed_put_nothing_off(make_change_order, wanting, ada, clock):
    failed = make_change_order("failed")
    resolutions.mark_entered_manually(failed.id, ada, failed.version, "X1", "Typed it in.")
    assert letter(promised()[0]) is None

    make_change_order("failed", number="002")

    assert promised()[1].due_at == clock.now() + alerts.COLLECTED


def test_what_was_settled_meanwhile_is_not_told(make_change_order, wanting, ada, clock):
    failed = make_change_order("failed")
    resolutions.mark_entered_manually(failed.id, ada, failed.version, "X1", "Typed it in.")

    assert letter(promised()[0]) is None

    assert Dispatch.get(Dispatch.task == Task.FAILED_EXPORTS).error == "not sent: all of it was settled meanwhile"


def test_a_doubt_is_told_when_it_waits_for_a_person(make_change_order, wanting, clock):
    one = make_change_order("unknown")
    assert promised() == []
    clock.tick(minutes=1)

    work(one)

    (dispatch,) = promised()
    assert letter(dispatch).said == {one.id: "The portal has no read access to Spectrum. Someone in accounting must look up S014-001."}


def test_spectrum_out_of_reach_is_told_after_some_tries_not_at_once(make_change_order, wanting, clock):
    one = make_change_order("queued")
    for _ in range(3):
        export(one, CLOSED)
        clock.tick(hours=1)
    assert promised() == []

    export(one, CLOSED)

    (dispatch,) = promised()
    assert dispatch.key.startswith("failed:unreachable:")
    assert letter(dispatch).in_words.startswith("Spectrum cannot be reached")


def test_the_mail_names_each_with_its_reason_and_a_link(make_app, make_change_order, wanting):
    one = make_change_order("failed", title="Piñon <grill>")
    app = make_app(PORTAL_URL="https://portal.example.com", MAIL_SENDER="portal@example.com")
    alarm = letter(promised()[0])

    with app.app_context():
        message = messages.compose(app.config["SETTINGS"], alarm.key, alarm.to, "x", "failed_exports", alarm=alarm)

    text, html = (part.get_content() for part in message.iter_parts())
    assert "1 export needs attention, $4,250.00 in all: The phase and cost type may be missing on the job, or Complete." in text
    assert f"https://portal.example.com/change-orders/{one.id}" in text
    assert alarm.said[one.id] in text
    assert "Piñon &lt;grill&gt;" in html
    assert all(f"https://portal.example.com/failures/{one.cause}" in part for part in (text, html))


def test_a_person_chooses_on_the_profile_page(client, sam):
    sign_in(client, sam)

    client.post("/profile", data={"wants_failures": "on"})

    assert User.get_by_id(sam.id).wants_failures
    assert "You get no daily summary, and mail on failed exports." in client.get("/profile").text
    client.post("/profile", data={})
    assert not User.get_by_id(sam.id).wants_failures


def test_a_certificate_that_cannot_be_verified_is_told_at_once(make_change_order, wanting):
    export(make_change_order("queued"), NotSent("The certificate could not be verified.", cause="certificate"))

    assert promised()[0].key.startswith("failed:unreachable:")


def test_a_failure_that_is_rolled_back_promises_nothing(make_change_order, wanting, monkeypatch):
    one = make_change_order("queued")
    record = events.record

    def breaks(subject, ref, action, *arguments, **facts):
        return 1 / 0 if action == "failed" else record(subject, ref, action, *arguments, **facts)

    monkeypatch.setattr(events, "record", breaks)

    with pytest.raises(ZeroDivisionError):
        export(one, REFUSED)

    assert promised() == []
