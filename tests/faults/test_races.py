"""Two people, or one person twice, at the same moment: one of them is recorded, and everybody is told what is recorded."""

import threading

import pytest

from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.events import Event
from portal.domain.exporting.exports import Export
from portal.domain.outbox import Dispatch
from portal.domain.people import Membership
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from tests.cast import seen, signed
from tests.conftest import HTMX, sign_in

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

ORDERS = 8


def at_once(*calls):
    """What each call answers; all begin together."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        barrier.wait()
        answers[place] = call()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def browser(app, company):
    """A browser of its own for the person."""
    return lambda person: sign_in(app.test_client(), person)


def tabs(client, count):
    """Clients that share the session of this one: a person has only a few sessions at once."""
    cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    opened = [client.application.test_client() for _ in range(count)]
    for tab in opened:
        tab.set_cookie(cookie.key, cookie.value)
    return opened


def presses(client, change_order, what, **fields):
    """Presses the button of the version that was seen."""
    path, form = f"/change-orders/{change_order.id}/{what}", seen(change_order, **fields)
    return lambda: client.post(path, data=form, headers=HTMX)


def renumbers(client, draft, number):
    """Saves the form of the draft as it is now, with that number."""
    now = load(draft.id)
    (line,) = now.lines
    form = {"version": now.version, "number": number, "title": now.title, "description": "", "phase_code": line.phase_code}
    form |= {"cost_type": line.cost_type, "amount": f"{line.amount}", "line_description": "", "quantity": "", "unit": "", "bid_item": ""}
    return lambda: client.post(f"/change-orders/{draft.id}/edit", data=form)


def verdicts(change_order):
    return [event.action for event in Event.select().where(Event.ref == change_order.id, Event.subject == "change_order")][2:]


@pytest.mark.parametrize("presses_at_once", [2, 20])
def test_a_double_click_is_one_decision_and_all_answers_agree(browser, make_change_order, ana, presses_at_once):
    """F03"""
    change_order = make_change_order()
    clients = tabs(browser(ana), presses_at_once)

    answers = at_once(*(presses(client, change_order, "acceptance") for client in clients))

    assert {answer.status_code for answer in answers} == {200}
    assert all("Queued" in answer.text for answer in answers)
    assert verdicts(change_order) == ["accepted"]
    assert Export.select().count() == Dispatch.select().count() == SpectrumNumber.select().count() == 1


def test_of_accept_and_reject_at_once_one_verdict_stands_with_its_own_consequences_only(browser, make_change_order, ana, lee):
    """F05"""
    one, other = browser(ana), browser(lee)
    for _ in range(ORDERS):
        change_order = make_change_order()

        answers = at_once(
            presses(one, change_order, "acceptance"), presses(other, change_order, "rejection", reason="Wrong cost type on line 1")
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (verdict,) = verdicts(change_order)
        promised = {dispatch.key.partition(":")[0] for dispatch in Dispatch.select().where(Dispatch.finished_at.is_null())}
        assert verdict == ("accepted" if answers[0].status_code == 200 else "rejected")
        assert promised == {"export" if verdict == "accepted" else "rejected"}
        assert load(change_order.id).state is (Status.QUEUED if verdict == "accepted" else Status.REJECTED)
        assert Export.select().where(Export.change_order == change_order).count() == (verdict == "accepted")
        Dispatch.update(finished_at=Dispatch.promised_at).execute()


def test_of_accept_and_retrieve_at_once_one_wins_and_the_other_is_told(browser, make_change_order, ana, dee):
    """F06"""
    approver, sender = browser(ana), browser(dee)
    for _ in range(ORDERS):
        change_order = make_change_order()

        answers = at_once(presses(approver, change_order, "acceptance"), presses(sender, change_order, "retrieval"))

        (verdict,) = verdicts(change_order)
        assert verdict in ("accepted", "retrieved")
        winner = 0 if verdict == "accepted" else 1
        assert answers[winner].status_code in (200, 303)
        assert answers[1 - winner].status_code == 409
        assert load(change_order.id).state is (Status.QUEUED if verdict == "accepted" else Status.RETRIEVED)


def test_of_two_drafts_given_one_number_at_once_the_second_writer_reads_that_it_is_taken(browser, make_change_order, dee, make_user, job):
    lea = make_user("Lea Brandt")
    Membership.create(user=lea, job=job)
    writers = browser(dee), browser(lea)
    drafts = [make_change_order("draft", number="001"), make_change_order("draft", number="002")]
    for taken in range(100, 120):
        answers = at_once(*(renumbers(*pair, f"{taken}") for pair in zip(writers, drafts, strict=True)))

        assert sorted(answer.status_code for answer in answers) == [303, 422]
        (loser,) = (answer for answer in answers if answer.status_code == 422)
        assert f"Commitment SC-014 already has a CCO {taken}." in loser.text
        assert ChangeOrder.select().where(ChangeOrder.number == f"{taken}").count() == 1


def test_a_second_approver_who_is_late_sees_who_decided_and_when(browser, make_change_order, ana, lee):
    """F04: the race itself is run by 16 processes in tests/review/test_decisions.py"""
    change_order = make_change_order()
    signed(change_order.id, by=lee, version=change_order.version)

    answer = presses(browser(ana), change_order, "acceptance")()

    assert answer.status_code == 409
    assert "Accepted by Lee Nakamura at" in answer.text
