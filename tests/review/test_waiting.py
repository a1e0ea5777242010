"""Asking the sender without rejecting, and putting on hold: the change order stays ready, and the history keeps all of it."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from portal.background import tasks
from portal.domain import transitions, waiting
from portal.domain.change_orders import ChangeOrder, Overtaken, Status, load
from portal.domain.events import Action, Event
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import Level, Membership, NotPermitted, User
from portal.domain.projects import sending
from portal.domain.review import decisions, holds, questions
from portal.domain.rules import four_eyes
from portal.domain.rules.findings import Blocked
from tests.cast import signed
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import words

pytestmark = pytest.mark.databases_differ("locks, and days of the calendar")
QUESTION, ANSWER, NOTE = "Does line 1 include the fittings?", "Yes, all of them.\nSee the quote.", "The owner signs on Friday."


def now(change_order):
    return load(change_order.id)


def asked(change_order, by, question=QUESTION):
    return questions.ask(change_order.id, by, now(change_order).version, question)


def answered(change_order, by, answer=ANSWER):
    return questions.answer(change_order.id, by, questions.latest(change_order).seq, answer)


def in_days(change_order, days):
    return waiting.today(change_order.company) + timedelta(days=days)


def held(change_order, by, days=7, note=NOTE):
    return holds.hold(change_order.id, by, now(change_order).version, in_days(change_order, days), note)


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def card(client, change_order):
    page = BeautifulSoup(client.get(f"/change-orders/{change_order.id}").text, "html.parser")
    return page.find(id="waiting")


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="http://localhost:8123")


# Asking


def test_a_question_leaves_the_change_order_ready_and_stands_in_the_history(change_order, ana):
    asked(change_order, ana)

    event = Event.select().where(Event.action == "asked").get()
    assert now(change_order).state is Status.READY
    assert now(change_order).is_asked
    assert (event.actor, event.facts["note"]) == (ana, QUESTION)


def test_the_sender_gets_one_mail_with_the_question_and_a_link(change_order, ana, dee, mailing_app, catcher):
    asked(change_order, ana)

    deliver(mailing_app)

    (mail,) = catcher.mails()
    assert (mail["to"], mail["subject"]) == ([dee.email], "Question about CCO 001: Relocate duct bank")
    for part in ("text", "html"):
        assert f"http://localhost:8123/change-orders/{change_order.id}#waiting" in mail[part]
        assert QUESTION in mail[part]
        assert ana.name in mail[part]


@pytest.mark.parametrize("meanwhile", ["answered", "accepted"])
def test_a_question_that_needs_no_answer_any_more_is_not_mailed(change_order, ana, dee, mailing_app, catcher, meanwhile):
    asked(change_order, ana)
    if meanwhile == "answered":
        answered(change_order, dee)
    else:
        signed(change_order.id, by=ana, version=now(change_order).version)

    deliver(mailing_app)

    assert catcher.mails() == []
    assert Dispatch.get(Dispatch.task == Task.QUESTION).outcome == "skipped"


def test_asking_is_no_contribution_and_answering_is_one(change_order, ana, dee, make_user, job):
    both = make_user("Flo Both", level=Level.STANDARD, can_push=True)
    Membership.create(user=both, job=job)
    asked(change_order, ana)
    answered(change_order, both)

    four_eyes.ensure_may_decide(now(change_order), ana)
    with pytest.raises(NotPermitted, match="You answered a question about this change order"):
        four_eyes.ensure_may_decide(now(change_order), both)


def test_a_second_question_waits_for_the_answer_to_the_first(change_order, ana, lee, dee):
    asked(change_order, ana)

    with pytest.raises(Blocked, match="A question to the sender has no answer yet."):
        asked(change_order, lee)
    answered(change_order, dee)
    asked(change_order, lee, "And the trench?")

    assert now(change_order).is_asked
    assert Dispatch.select().where(Dispatch.task == Task.QUESTION).count() == 2


@pytest.mark.parametrize("question", ["", " \n", "x" * 1001, "What?\x00"])
def test_a_question_that_cannot_be_mailed_is_refused(change_order, ana, question):
    with pytest.raises(Blocked):
        asked(change_order, ana, question)

    assert not Dispatch.select().exists()


def test_who_shaped_it_does_not_ask_about_it(make_change_order, ana, dee):
    made = make_change_order()
    ChangeOrder.update(created_by=ana).where(ChangeOrder.id == made.id).execute()

    with pytest.raises(NotPermitted, match="four eyes"):
        asked(made, ana)


def test_the_same_question_twice_is_asked_once(change_order, ana):
    version = change_order.version
    questions.ask(change_order.id, ana, version, QUESTION)
    questions.ask(change_order.id, ana, version, QUESTION)

    assert Event.select().where(Event.action == "asked").count() == 1
    assert Dispatch.select().count() == 1


def test_a_decision_made_before_the_question_was_seen_is_told(change_order, ana, lee):
    seen = change_order.version
    asked(change_order, lee)

    with pytest.raises(Overtaken):
        signed(change_order.id, by=ana, version=seen)


# Answering


def test_the_answer_stands_in_the_history_and_the_change_order_is_still_ready(change_order, ana, dee):
    asked(change_order, ana)
    answered(change_order, dee)

    event = Event.select().where(Event.action == "answered").get()
    assert now(change_order).state is Status.READY
    assert (event.actor, event.facts["note"]) == (dee, ANSWER)
    assert now(change_order).is_answered


def test_the_same_answer_twice_is_one(change_order, ana, dee):
    asked(change_order, ana)
    question = questions.latest(change_order).seq
    for _ in range(2):
        questions.answer(change_order.id, dee, question, ANSWER)

    assert Event.select().where(Event.action == "answered").count() == 1


def test_an_answer_belongs_to_its_question(change_order, ana, dee, make_user, job):
    asked(change_order, ana)
    first = questions.latest(change_order).seq
    answered(change_order, dee)
    asked(change_order, ana, "And the trench?")
    other = make_user("Kim Sato")
    Membership.create(user=other, job=job)

    with pytest.raises(Overtaken):
        questions.answer(change_order.id, other, first, ANSWER)


def test_the_time_for_answers_is_counted_over_all_questions(change_order, ana, dee, clock):
    ChangeOrder.update(sent_at=clock.now()).where(ChangeOrder.id == change_order.id).execute()
    clock.tick(hours=1)
    asked(change_order, ana)
    clock.tick(hours=2)
    answered(change_order, dee)
    clock.tick(hours=4)
    asked(change_order, ana, "And the trench?")
    clock.tick(hours=3)

    assert now(change_order).answering == timedelta(hours=5)
    assert now(change_order).waited == timedelta(hours=10)


def test_a_new_revision_waits_for_nothing(change_order, ana, dee):
    asked(change_order, ana)
    held(change_order, ana)
    sending.retrieve(change_order.id, dee, now(change_order).version)
    sending.send(change_order.id, dee, now(change_order).version)

    again = now(change_order)
    assert (again.is_asked, again.is_on_hold(), again.answering) == (False, False, timedelta(0))


# Holding


def test_on_hold_it_stays_ready_until_its_day_and_no_longer(change_order, ana, clock, company):
    clock.set(datetime.fromisoformat("2026-11-23T12:00:00-06:00").astimezone(UTC))
    held(change_order, ana, days=2)

    clock.set(datetime.fromisoformat("2026-11-24T23:59:00-06:00").astimezone(UTC))
    assert now(change_order).is_on_hold()
    assert now(change_order).state is Status.READY
    clock.set(datetime.fromisoformat("2026-11-25T00:00:00-06:00").astimezone(UTC))
    assert not now(change_order).is_on_hold()


@pytest.mark.parametrize(("days", "note"), [(0, NOTE), (-1, NOTE), (367, NOTE), (7, ""), (7, "x" * 1001), (7, "a\x00b")])
def test_a_hold_has_a_day_to_come_and_a_note(change_order, ana, days, note):
    with pytest.raises(Blocked):
        held(change_order, ana, days, note)

    assert now(change_order).held_until is None


def test_whoever_may_decide_releases_it(change_order, ana, lee):
    held(change_order, ana)

    holds.release(change_order.id, lee, now(change_order).version)

    assert not now(change_order).is_on_hold()
    assert [event.action for event in Event.select().order_by(Event.seq)][-2:] == ["held", "released"]


def test_what_is_on_hold_may_be_decided_all_the_same(change_order, ana, lee):
    held(change_order, ana)
    asked(change_order, ana)

    assert signed(change_order.id, by=lee, version=now(change_order).version).state is Status.QUEUED


def test_what_is_not_on_hold_cannot_be_released(change_order, ana):
    with pytest.raises(Overtaken):
        holds.release(change_order.id, ana, change_order.version)


def test_every_action_of_this_kind_recognizes_its_repeat():
    assert {Action.ASKED, Action.ANSWERED, Action.HELD, Action.RELEASED} <= set(transitions.DECISIONS)


# On the page


def test_an_approver_asks_and_the_sender_answers_without_javascript(client, app, change_order, ana, dee):
    sign_in(client, ana)
    form = BeautifulSoup(client.get(f"/change-orders/{change_order.id}/question").text, "html.parser").find(
        "textarea", {"name": "question"}
    )
    assert form["id"] == f"question-{change_order.id}"
    answer = client.post(f"/change-orders/{change_order.id}/question", data={"version": change_order.version, "question": QUESTION})
    assert (answer.status_code, path_of(answer.location)) == (303, f"/change-orders/{change_order.id}#waiting")

    sender = sign_in(app.test_client(), dee)
    seen = card(sender, change_order)
    assert QUESTION in words(seen)
    hidden = seen.find("input", {"name": "asked"})["value"]
    answer = sender.post(f"/change-orders/{change_order.id}/answer", data={"asked": hidden, "answer": ANSWER})

    assert (answer.status_code, path_of(answer.location)) == (303, f"/change-orders/{change_order.id}#waiting")
    told = words(card(client, change_order))
    assert "Ana Ortiz asked at" in told
    assert "Dee Sørensen answered at" in told
    assert "It has waited 0 min, 0 min of that for the answer." in told


def test_a_question_that_is_refused_comes_back_as_typed(client, ana, change_order):
    answer = sign_in(client, ana).post(
        f"/change-orders/{change_order.id}/question", data={"version": change_order.version, "question": " "}, headers=HTMX
    )

    assert answer.status_code == 422
    assert "Write a question." in answer.text


def test_an_answer_that_came_too_late_is_not_lost(client, dee, ana, change_order):
    asked(change_order, ana)
    question = questions.latest(change_order).seq
    signed(change_order.id, by=ana, version=now(change_order).version)

    answer = sign_in(client, dee).post(f"/change-orders/{change_order.id}/answer", data={"asked": question, "answer": ANSWER})

    assert answer.status_code == 409
    assert "You had written: “Yes, all of them." in words(BeautifulSoup(answer.text, "html.parser"))


@pytest.mark.parametrize(("typed", "code"), [("", 422), ("x" * 1001, 422)])
def test_an_answer_that_is_none_comes_back(client, dee, ana, change_order, typed, code):
    asked(change_order, ana)
    question = questions.latest(change_order).seq

    answer = sign_in(client, dee).post(f"/change-orders/{change_order.id}/answer", data={"asked": question, "answer": typed})

    assert answer.status_code == code
    assert now(change_order).is_asked


def test_holding_and_releasing_on_the_page(client, ana, change_order):
    sign_in(client, ana)
    until = in_days(change_order, 7)
    data = {"version": change_order.version, "until": until.isoformat(), "note": NOTE}

    row = client.post(f"/change-orders/{change_order.id}/hold", data=data, headers=HTMX)

    assert row.status_code == 200
    assert "is on hold." in row.text
    assert f"On hold until {until:%b} {until.day}" in words(card(client, change_order))
    assert NOTE in words(card(client, change_order))
    released = client.post(f"/change-orders/{change_order.id}/hold/release", data={"version": now(change_order).version})
    assert released.status_code == 303
    assert card(client, change_order) is None


def test_the_forms_of_a_decision_say_what_is_waited_for(client, ana, lee, change_order):
    held(change_order, lee)
    asked(change_order, lee)
    sign_in(client, ana)

    for form in ("acceptance", "rejection"):
        said = words(BeautifulSoup(client.get(f"/change-orders/{change_order.id}/{form}", headers=HTMX).text, "html.parser"))
        assert "On hold until" in said
        assert "A question to the sender has no answer yet. You can decide it all the same." in said


def test_an_overtaken_question_keeps_its_text(client, ana, lee, change_order):
    signed(change_order.id, by=lee, version=change_order.version)

    answer = sign_in(client, ana).post(
        f"/change-orders/{change_order.id}/question", data={"version": change_order.version, "question": QUESTION}, headers=HTMX
    )

    assert answer.status_code == 409
    assert f"You had written: “{QUESTION}”" in words(BeautifulSoup(answer.text, "html.parser"))


ANSWERERS, DECIDERS = {"dee"}, {"ana", "lee", "ada"}


@pytest.mark.parametrize("who", ["dee", "zoe", "ben", "sam", "ana", "lee", "eve", "ada"])
def test_answering_is_for_members_of_the_job_and_releasing_for_who_may_decide(app, change_order, who, request, make_user):
    made = {"zoe": lambda: make_user("Zoe Lin")}
    person = made[who]() if who in made else request.getfixturevalue(who)
    approver = request.getfixturevalue("ana")
    held(change_order, approver)
    asked(change_order, approver)
    client = sign_in(app.test_client(), person)

    answer = client.post(f"/change-orders/{change_order.id}/answer", data={"asked": questions.latest(change_order).seq, "answer": ANSWER})
    released = client.post(f"/change-orders/{change_order.id}/hold/release", data={"version": now(change_order).version})

    assert (answer.status_code == 303) == (who in ANSWERERS)
    assert now(change_order).is_answered == (who in ANSWERERS)
    assert (released.status_code == 303) == (who in DECIDERS)
    assert (now(change_order).held_until is None) == (who in DECIDERS)


def test_a_privilege_taken_away_between_page_and_click_counts(client, ana, change_order):
    sign_in(client, ana)
    User.update(can_push=False).where(User.id == ana.id).execute()

    answer = client.post(f"/change-orders/{change_order.id}/question", data={"version": change_order.version, "question": QUESTION})

    assert answer.status_code == 403
    assert not now(change_order).is_asked


def test_what_came_back_for_correction_has_no_question(change_order, ana, dee):
    asked(change_order, ana)
    decisions.reject(change_order.id, ana, now(change_order).version, "Wrong phase.")

    with pytest.raises(Overtaken):
        answered(change_order, dee)
