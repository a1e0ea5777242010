"""The kept totals: whatever moves a change order, they say what counting all of them would say."""

from decimal import Decimal

import pytest
from click.testing import CliRunner

from portal import db
from portal.cli import main
from portal.demo import samples
from portal.domain import status_totals
from portal.domain.change_orders import ALLOWED, ChangeOrder, Status, load
from portal.domain.events import Event
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch
from portal.domain.projects import sending
from portal.domain.recovery import recount
from portal.domain.review import decisions, lists
from portal.domain.status_totals import StatusTotal
from tests.cast import signed
from tests.races import at_once

pytestmark = pytest.mark.databases_differ("sums, and who waits for whom")

MOVES = [(start, target) for start, targets in ALLOWED.items() for target in sorted(targets)]


def counted():
    """Count and sum of each status, from the change orders themselves; what is with its project as it was sent."""
    found = {}
    for one in ChangeOrder.select().where(ChangeOrder.sent_at.is_null(False)):
        count, total = found.get(one.status, (0, Decimal(0)))
        found[one.status] = count + 1, total + (one.sent_amount if one.is_editable else one.amount)
    return found


def kept():
    return {status: (total.count, total.total) for status, total in status_totals.read().items() if total.count}


@pytest.mark.parametrize(("start", "target"), MOVES, ids=[f"{start} to {target}" for start, target in MOVES])
def test_the_totals_follow_every_move(make_change_order, start, target):
    make_change_order("ready")
    moved = make_change_order(start)

    with db.transaction():
        moved.move(target, moved.version)

    assert kept() == counted()
    assert not recount.differences()


def test_what_comes_back_counts_as_it_was_sent_until_it_is_sent_again(make_change_order, dee, ana):
    returned = make_change_order("rejected")
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "Less", "", [sending.LineDraft("16-2000", "SUB", Decimal(9))]))
    assert lists.totals()["returned"].total == Decimal(4250)

    sending.send(returned.id, dee, load(returned.id).version)

    assert lists.totals()["ready"].total == Decimal(9)
    assert not recount.differences()


def test_recall_retrieve_and_void_are_counted(make_change_order, dee, ana):
    for status in ("ready", "ready", "rejected", "draft"):
        make_change_order(status)
    first, second, third, fourth = (load(one.id) for one in ChangeOrder.select().order_by(ChangeOrder.id))

    decisions.recall(first.id, ana, signed(first.id, ana, first.version).version)
    sending.retrieve(second.id, dee, second.version)
    sending.void(third.id, dee, third.version)
    sending.void(fourth.id, dee, fourth.version)

    assert kept() == counted()
    assert not recount.differences()


def test_an_import_that_sends_is_counted(database):
    samples.load()

    assert lists.totals()["ready"].count > 10
    assert kept() == counted()
    assert not recount.differences()


def test_a_move_that_fails_counts_nothing(make_change_order):
    ready = make_change_order("ready")

    with pytest.raises(ZeroDivisionError), db.transaction():
        ready.move(Status.REJECTED, ready.version)
        raise ZeroDivisionError

    assert not recount.differences()


def test_folding_changes_no_total(make_change_order, monkeypatch):
    for status in ("ready", "exported", "rejected", "failed"):
        make_change_order(status)
    before, rows = status_totals.read(), StatusTotal.select().count()
    monkeypatch.setattr(status_totals, "FOLDED_FROM", 3)

    status_totals.fold()

    assert status_totals.read() == before
    assert StatusTotal.select().count() == len(before) < rows


def test_folding_is_left_until_it_pays(make_change_order):
    make_change_order("ready")
    rows = StatusTotal.select().count()

    status_totals.fold()

    assert StatusTotal.select().count() == rows


def test_moves_and_folds_at_the_same_time_lose_nothing(make_change_order, monkeypatch, ana):
    monkeypatch.setattr(status_totals, "FOLDED_FROM", 1)
    waiting = [make_change_order("ready") for _ in range(6)]

    def reject(one):
        return lambda: decisions.reject(one.id, ana, one.version, "Wrong")

    at_once(*(reject(one) for one in waiting), *[status_totals.fold] * 3)

    assert kept() == counted() == {"rejected": (6, Decimal(6 * 4250))}


def test_the_night_finds_and_corrects_a_total_that_is_off(make_change_order, company):
    make_change_order("ready")
    StatusTotal.create(company=company, status="ready", change_orders=2, amount=Decimal("10.50"))
    assert [one.text for one in recount.differences()] == ["The kept total of ready is off by 2 change orders and 10.50."]
    recount.plan()
    dispatch = Dispatch.get(Dispatch.task == "recount")

    recount.step(dispatch, Lane.take(company.lane, recount.ONE_CALL))

    assert not recount.differences()
    assert Event.select().order_by(Event.seq.desc()).first().action == "totals corrected"
    assert Dispatch.get_by_id(dispatch.id).finished_at


def test_a_night_that_finds_all_well_says_nothing(make_change_order, company):
    make_change_order("ready")
    recount.plan()
    events = Event.select().count()

    recount.step(Dispatch.get(Dispatch.task == "recount"), Lane.take(company.lane, recount.ONE_CALL))

    assert Event.select().count() == events


def test_portal_check_says_what_is_off(make_change_order, company, settings, monkeypatch):
    make_change_order("ready")
    StatusTotal.create(company=company, status="ready", change_orders=1, amount=Decimal("2.00"))
    monkeypatch.setenv("DATABASE_URL", settings.DATABASE_URL)
    monkeypatch.setenv("PORTAL_DATA", str(settings.PORTAL_DATA))

    answer = CliRunner().invoke(main, ["check"])

    assert "The kept total of ready is off by 1 change orders and 2.00. The recount of the coming night corrects it." in answer.output


def test_a_worker_that_lost_its_lane_while_it_counted_corrects_nothing(make_change_order, company, monkeypatch):
    make_change_order("ready")
    StatusTotal.create(company=company, status="ready", change_orders=3, amount=Decimal(0))
    recount.plan()
    dispatch, claim, count = Dispatch.get(Dispatch.task == "recount"), Lane.take(company.lane, recount.ONE_CALL), recount.differences

    def frozen():
        Lane.update(claim=Lane.claim + 1).where(Lane.name == company.lane).execute()  # another worker took it meanwhile
        return count()

    monkeypatch.setattr(recount, "differences", frozen)
    with pytest.raises(Lost):
        recount.step(dispatch, claim)

    assert [one.count for one in count()] == [3]
