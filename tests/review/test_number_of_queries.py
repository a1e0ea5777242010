"""No list asks the database more than eight times, for each person, all kinds of rows, and whatever the process knew before."""

from decimal import Decimal

import pytest

from portal.db import memory as db_memory
from portal.domain import heartbeats
from portal.domain.accounts.privilege_requests import PrivilegeRequest
from portal.domain.change_orders import ChangeOrder
from portal.domain.people import User
from portal.domain.review import decisions, views
from portal.domain.rules import spectrum_lists
from portal.domain.rules.contributors import APART, CodeHand, Contribution
from portal.web import memory
from tests.cast import signed
from tests.conftest import count_queries, sign_in

pytestmark = pytest.mark.databases_differ("how a database tells that someone wrote")

STATES = ("ready", "queued", "exporting", "failed", "unknown", "exported", "rejected", "retrieved")
VIEWS = [view.key for view in views.VIEWS]
MOST = 8


@pytest.fixture
def one_of_each(company, change_order, ana, make_change_order, clock):
    """Change orders for which every rule asks all that it may ask."""
    numbered = decisions.recall(change_order.id, ana, signed(change_order.id, ana, change_order.version).version)
    for state in STATES:
        make_change_order(state)
    like = {"commitment": numbered.commitment_id, "title": "Twin", "amount": Decimal(1), "sent_at": numbered.sent_at, "revision": 2}
    ChangeOrder.insert(number="0001", key="0001", loose="1", status="ready", sent_by=numbered.sent_by_id, **like).execute()
    Contribution.insert_many(
        [{"change_order": one.id, "person": ana.id, "deed": APART} for one in ChangeOrder.select()]
    ).on_conflict_ignore().execute()
    CodeHand.create(thing="job", ref=numbered.job.id, field="customer", person=ana)
    for listing, job in (("jobs", ""), ("vendors", ""), ("phases", numbered.job.number), ("complete phases", numbered.job.number)):
        spectrum_lists.keep(company, listing, spectrum_lists.keys.job(job), [], 1, complete=False, reason="")
    clock.tick(minutes=20)  # a process that has just started does not judge yet whether work stands still


@pytest.fixture
def people(ana, ben, eve):
    """Who decides, who only looks and has asked to decide, and who administers."""
    PrivilegeRequest.create(person=ben)
    return {"ana": ana, "ben": ben, "eve": eve}


def asked(client, view, before):
    client.get(f"/change-orders?view={view}")
    db_memory.verify_all(on=False)
    before()
    with count_queries() as sent:
        answer = client.get(f"/change-orders?view={view}")
    db_memory.verify_all(on=True)
    assert answer.status_code == 200
    return sent


def nothing():
    """Since the page was shown."""


def elsewhere():
    """What no list shows."""
    User.update(last_active_at=User.created_at).execute()


def around():
    """What every page shows."""
    heartbeats.beat("keeper")


def every_row():
    ChangeOrder.update(title=ChangeOrder.title + ".").execute()


@pytest.mark.parametrize("before", [nothing, elsewhere, around, every_row], ids=lambda before: before.__name__)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("who", ["ana", "ben", "eve"])
def test_a_list_asks_at_most_eight_times(client, app, one_of_each, people, who, view, before):
    sign_in(client, people[who])

    sent = asked(client, view, before)

    assert len(sent) <= MOST, "\n".join(sent)


@pytest.mark.parametrize("view", VIEWS)
def test_a_process_that_knows_nothing_asks_at_most_eight_times(client, app, one_of_each, people, view):
    sign_in(client, people["ana"])

    def forget():
        every_row()
        db_memory._memory.results.clear()
        app.extensions[memory.ROWS].results.clear()

    sent = asked(client, view, forget)

    assert len(sent) <= MOST, "\n".join(sent)


@pytest.mark.parametrize("view", VIEWS)
def test_ten_times_the_rows_ask_no_more(client, one_of_each, people, make_change_order, clock, view):
    CodeHand.delete().execute()  # else nothing more could be accepted
    sign_in(client, people["ana"])
    few = asked(client, view, every_row)
    for state in STATES:
        for _ in range(9):
            make_change_order(state)
    clock.tick(minutes=20)
    sign_in(client, people["ana"])

    many = asked(client, view, every_row)

    assert len(many) <= len(few), "\n".join(many)


def test_an_empty_list_asks_at_most_eight_times(client, ana, make_change_order):
    make_change_order("exported")
    sign_in(client, ana)

    sent = asked(client, "ready", every_row)

    assert len(sent) <= MOST, "\n".join(sent)


def test_what_no_list_shows_does_not_work_out_a_page_again(client, ana, one_of_each, app):
    sign_in(client, ana)
    shown = client.get("/change-orders").text
    kept = [result for key, result in db_memory._memory.results.items() if key[0] == "page"]
    elsewhere()

    assert client.get("/change-orders").text == shown

    again = [result for key, result in db_memory._memory.results.items() if key[0] == "page"]
    assert [one.since for one in again] == [one.since for one in kept]
    assert [one.stamp for one in again] != [one.stamp for one in kept]
