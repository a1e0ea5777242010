"""The nightly comparison with Spectrum: what it finds is told once, and nothing moves."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal.background import tasks
from portal.domain import events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status, load
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import reconcile
from portal.spectrum.records import Stored, StoredLine, Unanswered
from tests.conftest import HTMX, sign_in
from tests.pages import soup, words
from tests.recovery.test_resolution_pages import path


@pytest.fixture
def exported(clock, make_change_order):
    return make_change_order("exported")


def ours(change_order, copies=1):
    """What Spectrum would hold of the change order, so many times."""
    lines = [StoredLine.sent(elements) for _, elements in Export.get_by_id(change_order.export).lines]
    return Stored("CR", "", tuple(lines) * copies)


def compare(read):
    """The worker's turn on tonight's comparison; answers how often it read."""
    asked = []

    def reading(elements):
        asked.append(elements)
        answer = read(elements)
        if isinstance(answer, Exception):
            raise answer
        return answer

    dispatch = Dispatch.select().where(Dispatch.task == Task.COMPARE).order_by(Dispatch.id.desc()).get()
    claim = Lane.take(dispatch.lane, tasks.LEASE)
    reconcile.step(dispatch, claim, reading if read else None)
    Lane.release(dispatch.lane, claim)
    return len(asked)


@pytest.fixture
def night(clock, company):
    """Go to the coming night, on which a comparison is promised."""

    def go():
        reconcile.plan()
        clock.set(Dispatch.select().where(Dispatch.task == Task.COMPARE).order_by(Dispatch.id.desc()).get().due_at)

    return go


def told(change_order):
    return [event.action for event in events.history(SUBJECT, change_order.id) if event.action in ("differs", "agrees again")]


def test_keepers_plan_one_comparison_a_night_at_three_local_time(clock, company):
    for _ in range(5):
        reconcile.plan()
    due = Dispatch.get(Dispatch.task == Task.COMPARE).due_at
    clock.set(due + timedelta(seconds=1))
    reconcile.plan()

    assert due.astimezone(reconcile.schedule.ZoneInfo(company.time_zone)).hour == 3
    assert Dispatch.select().where(Dispatch.task == Task.COMPARE).count() == 2


def test_what_agrees_is_not_told(exported, night):
    night()

    assert compare(lambda _: ours(exported)) == 1

    assert told(exported) == []
    assert load(exported.id).differs == ""
    assert Dispatch.get(Dispatch.task == Task.COMPARE).finished_at


def test_a_doubled_line_is_told_once_and_the_state_stays(exported, night):
    for _ in range(2):
        night()
        compare(lambda _: ours(exported, copies=2))

    assert told(exported) == ["differs"]
    assert load(exported.id).state is Status.EXPORTED
    assert load(exported.id).version == exported.version
    assert "Spectrum holds something else under" in load(exported.id).differs


def test_what_was_removed_by_hand_is_told_and_so_is_its_return(exported, night):
    night()
    compare(lambda _: None)
    assert "Spectrum holds nothing under" in load(exported.id).differs
    night()

    compare(lambda _: ours(exported))

    assert told(exported) == ["differs", "agrees again"]
    assert load(exported.id).differs == ""


def test_spectrum_that_cannot_be_read_is_asked_again_later(exported, night, clock):
    night()

    compare(lambda _: Unanswered("Spectrum's tables could not be read.", cause="infolink"))

    assert Dispatch.get(Dispatch.task == Task.COMPARE).due_at > clock.now()
    assert told(exported) == []


def test_without_a_read_back_there_is_nothing_to_compare(exported, night):
    night()

    compare(None)

    assert Dispatch.get(Dispatch.task == Task.COMPARE).error == "Reading back is off."


def test_only_what_the_portal_exported_of_late_is_compared(make_change_order, night, clock):
    by_hand, old = make_change_order("exported", number="010"), make_change_order("exported", number="011")
    make_change_order("queued", number="012")
    ChangeOrder.update(manual=True).where(ChangeOrder.id == by_hand.id).execute()
    ChangeOrder.update(decided_at=clock.now() - reconcile.LOOKED_BACK).where(ChangeOrder.id == old.id).execute()
    night()

    assert compare(lambda _: None) == 0


def test_many_are_compared_in_turns_so_that_exports_go_in_between(make_change_order, night, monkeypatch, clock):
    monkeypatch.setattr(reconcile, "SLICE", 2)
    for number in range(5):
        make_change_order("exported", number=f"{number:03}")
    night()

    turns = [compare(lambda _: None) for _ in range(4)]

    assert turns == [2, 2, 1, 0]
    assert outbox.next_due(Dispatch.get(Dispatch.task == Task.COMPARE).lane, set()) is None


def test_the_row_says_what_differs(client, ana, exported, night):
    night()
    compare(lambda _: Stored("CR", "", (StoredLine("162000", "SUB", Decimal("8500.00")),)))

    row = soup(sign_in(client, ana).get(path(exported, "row"), headers=HTMX)).tr

    assert "Spectrum holds something else under" in words(row)
    assert "In Spectrum: 162000 SUB 8,500.00." in words(row)
    assert exports.stored(Export.get()) == [1]
