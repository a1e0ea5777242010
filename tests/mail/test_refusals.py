"""Any mail server takes the portal's mail; and one that refuses the portal itself costs no mail, and is told to everybody."""

import pytest
from bs4 import BeautifulSoup

from portal.background import tasks
from portal.domain.lanes import MAIL
from portal.domain.mail import refusals, trial_mail, undelivered
from portal.domain.outbox import Dispatch, DispatchOutcome
from portal.domain.review import decisions
from tests.conftest import sign_in
from tests.mail_server import mail_server

__all__ = ["mail_server"]

OF_US = [
    ("greeting", "554 5.7.1 mx.example.test refuses this client for now"),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first"),
    ("MAIL", "550 sender not known here"),
    ("MAIL", "553 sorry, not this sender"),
    ("RCPT", "530 5.7.0 Authentication required"),
]


@pytest.fixture
def reject(make_change_order, ana):
    """Promises one more mail to Dee."""

    def one(reason="Wrong cost type"):
        change_order = make_change_order(title="Café terrace")
        decisions.reject(change_order.id, by=ana, version=change_order.version, reason=reason)
        return Dispatch.select().order_by(Dispatch.id.desc()).get()

    return one


@pytest.fixture
def app(make_app, mail_server):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=mail_server.port)


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def minutes_until(dispatch, clock):
    return (Dispatch.get_by_id(dispatch.id).due_at - clock.now()).total_seconds() / 60


def strip(client, person):
    found = BeautifulSoup(sign_in(client, person).get("/change-orders").text, "html.parser").find(id="mail-refused")
    return found and " ".join(found.get_text(" ").split())


@pytest.mark.parametrize("more", ["", "ein sehr langes Wort " * 40], ids=["short", "long"])  # long lines are never sent as 8 bits
def test_what_goes_over_the_wire_is_7_bit_whatever_the_words(reject, app, mail_server, more):
    words = f"Señor — 漢字 🏗 {more}"

    reject(reason=words.strip())
    deliver(app)

    [raw], [mail] = mail_server.taken, mail_server.mails
    assert max(raw) < 128
    assert max(map(len, raw.splitlines())) < 998
    for part in mail.iter_parts():
        assert part["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
        assert "Señor — 漢字 🏗" in part.get_content()
    assert "Café terrace" in mail["Subject"]


@pytest.mark.parametrize(("step", "said"), OF_US)
def test_a_refusal_of_the_portal_makes_all_mail_wait_after_one_try(reject, app, mail_server, clock, step, said):
    first, second = reject(), reject()
    mail_server.says[step] = said

    deliver(app)

    assert mail_server.calls == 1
    for one in (first, second):
        found = Dispatch.get_by_id(one.id)
        assert (found.finished_at, found.error) == (None, said)
        assert minutes_until(one, clock) == 2


@pytest.mark.parametrize("said", ["502 no", "554 go away"])
def test_a_server_that_does_not_greet_back_refuses_the_portal(reject, app, mail_server, said):
    reject()
    mail_server.says |= {"EHLO": said, "HELO": said}

    deliver(app)

    assert refusals.now().refusal == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("MAIL", "552 message size exceeds the limit"),
        ("RCPT", "550 no such user"),
        ("RCPT", "554 relay access denied"),
        ("dot", "554 looks like spam"),
        ("DATA", "503 no valid recipients"),
    ],
)
def test_a_refusal_of_the_letter_is_of_that_letter_alone(reject, app, mail_server, step, said):
    one = reject()
    mail_server.says[step] = said

    deliver(app)

    assert (Dispatch.get_by_id(one.id).outcome, Dispatch.get_by_id(one.id).error) == (DispatchOutcome.FAILED, f"not delivered: {said}")
    assert refusals.now() is None


@pytest.mark.parametrize(
    ("step", "said"), [("greeting", "421 later"), ("MAIL", "451 later"), ("RCPT", "450 greylisted"), ("dot", "452 full")]
)
def test_who_says_later_does_not_refuse(reject, app, mail_server, step, said):
    one = reject()
    mail_server.says[step] = said

    deliver(app)

    assert (Dispatch.get_by_id(one.id).finished_at, Dispatch.get_by_id(one.id).error) == (None, said)
    assert refusals.now() is None


def test_the_pauses_grow_to_an_hour_and_nothing_is_given_up(reject, app, mail_server, clock):
    one, pauses, begun = reject(), [], clock.now()
    mail_server.says["greeting"] = "554 no"

    while (clock.now() - begun).days < 5:
        deliver(app)
        pauses.append(minutes_until(one, clock))
        clock.tick(minutes=pauses[-1])

    assert pauses[:8] == [2, 2, 4, 8, 16, 32, 60, 60]
    assert Dispatch.get_by_id(one.id).finished_at is None


def test_when_the_server_takes_the_portal_again_all_mail_goes_at_once(reject, app, mail_server, clock, client, eve):
    reject(), reject()
    mail_server.says["greeting"] = "554 no"
    deliver(app)
    clock.tick(days=4)
    mail_server.says["greeting"] = "220 ready"

    deliver(app)

    assert len(mail_server.taken) == 2
    assert strip(client, eve) is None


def test_the_days_of_a_refusal_do_not_count_against_a_mail(reject, app, mail_server, clock):
    one, other = reject(), reject()
    mail_server.says["greeting"] = "554 no"
    deliver(app)
    clock.tick(days=4)
    mail_server.says |= {"greeting": "220 ready", "RCPT": "450 greylisted, come back in five minutes"}
    deliver(app)
    clock.tick(minutes=15)
    mail_server.says["RCPT"] = "250 fine"

    deliver(app)

    assert [Dispatch.get_by_id(mail.id).outcome for mail in (one, other)] == [DispatchOutcome.DONE, DispatchOutcome.DONE]


def test_new_mail_waits_with_the_others_and_asks_nobody(reject, app, mail_server, clock):
    reject()
    mail_server.says["greeting"] = "554 no"
    deliver(app)
    clock.tick(minutes=1)

    late = reject()
    deliver(app)

    assert mail_server.calls == 1
    assert (minutes_until(late, clock), Dispatch.get_by_id(late.id).tries, Dispatch.get_by_id(late.id).error) == (1, 0, "554 no")


@pytest.mark.parametrize("how", ["trial", "again"])
def test_a_test_mail_or_one_sent_again_is_a_try_at_once_and_takes_the_others_along(reject, app, mail_server, clock, eve, how):
    one, _ = reject(), reject()
    mail_server.says["greeting"] = "554 no"
    for _ in range(6):
        deliver(app)
        clock.tick(minutes=minutes_until(one, clock))
    deliver(app)
    mail_server.says["greeting"] = "220 ready"

    if how == "trial":
        trial_mail.ask(eve)
    else:
        undelivered.send_again(one.id, eve)
    deliver(app)
    deliver(app)

    assert len(mail_server.taken) == (3 if how == "trial" else 2)


def test_everybody_sees_that_no_mail_goes_and_those_who_look_after_it_why(reject, app, mail_server, client, ben, sam, eve):
    reject()
    mail_server.says["MAIL"] = "530 5.7.0 Must issue a <STARTTLS> command first"
    assert strip(client, eve) is None

    deliver(app)

    for person in (sam, eve):
        assert "No mail has gone out since" in strip(client, person)
        assert "It said: 530 5.7.0 Must issue a <STARTTLS> command first" in strip(client, person)
    assert "No mail has gone out since" in strip(client, ben)
    assert "STARTTLS" not in strip(client, ben)


def test_what_the_server_says_after_it_took_the_mail_sends_it_no_second_time(reject, app, mail_server):
    one = reject()
    mail_server.says["QUIT"] = "421 shutting down"

    deliver(app)

    assert Dispatch.get_by_id(one.id).outcome == DispatchOutcome.DONE
