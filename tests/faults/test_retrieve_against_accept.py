"""The sender takes back what the approver accepts at the same moment, many times in two processes: exactly one of them wins."""

import multiprocessing

import pytest

from portal import db
from portal.domain import events
from portal.domain.change_orders import Overtaken, Status, load
from portal.domain.exporting.exports import Export
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from portal.domain.projects import sending
from tests.cast import signed

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

DOES = {"accepted": signed, "retrieved": sending.retrieve}


def insist(what, id, by, version):
    """Try again when told that the database was too busy to record anything: SQLite does not queue processes."""
    while True:
        try:
            return DOES[what](id, by=by, version=version)
        except db.Busy:
            continue


def race(url, what, person, seen, barrier, queue):
    db.init(url)
    won = []
    with db.connected():
        by = User.get_by_id(person)
        for id, version in seen:
            barrier.wait(60)
            try:
                insist(what, id, by, version)
                won.append(id)
            except Overtaken:
                continue
    queue.put((what, won))


@pytest.mark.timeout(300)
def test_of_retrieve_and_accept_at_the_same_moment_exactly_one_wins_every_time(make_change_order, ana, dee, database_url, length):
    """F06"""
    orders = [make_change_order(number=f"{n:03}") for n in range(1, length(200, 40) + 1)]
    seen = [(order.id, order.version) for order in orders]
    db.database.close()
    context = multiprocessing.get_context("forkserver")
    barrier, queue = context.Barrier(2), context.Queue()
    racers = [
        context.Process(target=race, args=(database_url, what, person.id, seen, barrier, queue))
        for what, person in (("accepted", ana), ("retrieved", dee))
    ]

    for racer in racers:
        racer.start()
    won = dict(queue.get(timeout=250) for _ in racers)
    for racer in racers:
        racer.join()

    db.database.connect()
    assert sorted(won["accepted"] + won["retrieved"]) == [id for id, _ in seen]
    for what, status in (("accepted", Status.QUEUED), ("retrieved", Status.RETRIEVED)):
        assert {load(id).state for id in won[what]} <= {status}
        told = events.Event.select().where(events.Event.action == what)
        assert sorted(event.ref for event in told) == sorted(won[what])
    assert Export.select().count() == Dispatch.select().where(Dispatch.finished_at.is_null()).count() == len(won["accepted"])
