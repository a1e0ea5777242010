"""Accept and Reject as the domain knows them: guarded, whole, told once."""

import json
import multiprocessing
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from portal import db
from portal.db import writes
from portal.domain import events, outbox, people
from portal.domain.accounts import rights
from portal.domain.change_orders import ChangeOrder, Overtaken, Status, load
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Export
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted, User
from portal.domain.projects import sending
from portal.domain.review import decisions
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from tests.cast import signed

pytestmark = pytest.mark.databases_differ("locks and races")


@pytest.fixture
def ready(make_change_order):
    return load(make_change_order(lines=[("16-2000", "SUB", "4250.00"), ("16-2100", "SUB", "-250.00")]).id)


def everything():
    return {model: model.select().count() for model in (Export, Dispatch, SpectrumNumber, events.Event)} | {
        "state": sorted((row.id, row.status, row.version) for row in ChangeOrder.select())
    }


def test_accept_queues_freezes_reserves_promises_and_tells_in_one_step(ready, ana):
    signed(ready.id, by=ana, version=ready.version)

    now, export = load(ready.id), Export.get()
    assert (now.state, now.version, now.decided_by, now.export) == (Status.QUEUED, ready.version + 1, ana, export.id)
    assert [number.number for number in SpectrumNumber.select()] == [export.number]
    assert [(d.key, d.lane) for d in Dispatch.select()] == [(f"export:{export.id}", now.company.lane)]
    assert events.history("change_order", ready.id)[-1].action == "accepted"


def test_the_frozen_lines_add_up_to_the_total_to_the_cent(ready, ana):
    signed(ready.id, by=ana, version=ready.version)

    assert sum(Decimal(line["Change_Request_Amount"]) for _, line in Export.get().lines) == ready.amount


def test_the_export_waits_for_the_company_s_delay(ready, ana, company, clock):
    company.export_delay = 45
    company.save()

    signed(ready.id, by=ana, version=ready.version)

    assert (Dispatch.get().due_at - clock.now()).total_seconds() == 45


@pytest.mark.parametrize("step", ["reserve", "freeze", "promise", "record"])
def test_an_accept_that_breaks_half_way_leaves_nothing(ready, ana, monkeypatch, step):
    before = everything()
    owner = {"reserve": spectrum_numbers, "freeze": exports, "promise": outbox, "record": events}[step]
    monkeypatch.setattr(owner, step, lambda *_, **__: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        signed(ready.id, by=ana, version=ready.version)

    assert everything() == before


def test_the_same_person_s_repeat_of_the_same_decision_changes_nothing(ready, ana):
    signed(ready.id, by=ana, version=ready.version)
    before = everything()

    signed(ready.id, by=ana, version=ready.version)

    assert everything() == before


def test_the_second_of_two_approvers_is_overtaken(ready, ana, lee):
    decisions.reject(ready.id, by=lee, version=ready.version, reason="Wrong phase code")

    with pytest.raises(Overtaken) as caught:
        signed(ready.id, by=ana, version=ready.version)

    assert caught.value.change_order.state is Status.REJECTED
    assert Export.select().count() == 0


def test_an_old_version_is_overtaken_even_while_it_is_ready(ready, ana):
    with pytest.raises(Overtaken):
        signed(ready.id, by=ana, version=ready.version - 1)


@pytest.mark.parametrize("field", ["can_push", "level", "active"])
def test_rights_are_read_in_the_transaction_of_the_decision(ready, ana, field):
    User.update(**{field: {"can_push": False, "level": people.Level.READ_ONLY, "active": False}[field]}).where(User.id == ana.id).execute()
    before = everything()

    with pytest.raises(NotPermitted):
        signed(ready.id, by=ana, version=ready.version)
    with pytest.raises(NotPermitted):
        decisions.reject(ready.id, by=ana, version=ready.version, reason="No")

    assert everything() == before


@pytest.mark.parametrize("lost", ["privilege", "account"])
def test_rights_that_are_taken_away_during_a_decision_are_gone_after_it_in_the_trail_too(ready, ana, monkeypatch, lost):
    take_away = {"privilege": rights.set_privilege, "account": rights.set_active}[lost]

    def administrator():
        with db.connected():
            writes.write_with_retry(lambda: take_away(ana.id, False))

    taking, chosen = threading.Thread(target=administrator), spectrum_numbers.chosen

    def meanwhile(*given):
        taking.start()
        taking.join(0.5)  # it has to wait for us; if it did not, it would be done by now
        return chosen(*given)

    monkeypatch.setattr(spectrum_numbers, "chosen", meanwhile)

    signed(ready.id, by=ana, version=ready.version)
    taking.join()

    last = [event.action for event in events.Event.select().order_by(events.Event.seq)][-2:]
    assert last == ["accepted", {"privilege": "privilege removed", "account": "account closed"}[lost]]


@pytest.mark.parametrize("who", ["ben", "dee", "eve", "sam"])
def test_nobody_without_the_privilege_decides(ready, who, request):
    with pytest.raises(NotPermitted):
        signed(ready.id, by=request.getfixturevalue(who), version=ready.version)


def test_four_eyes_the_sender_does_not_decide(ready, dee, company):
    User.update(level=people.Level.STANDARD, can_push=True).where(User.id == dee.id).execute()

    with pytest.raises(NotPermitted, match="four eyes"):
        signed(ready.id, by=dee, version=ready.version)

    company.four_eyes = False
    company.save()
    assert signed(ready.id, by=dee, version=ready.version).state is Status.QUEUED


def test_four_eyes_an_editor_of_the_revision_does_not_decide(make_change_order, ana, lee, dee):
    change_order = make_change_order(status="draft")
    people.Membership.create(user=ana, job=change_order.job)
    draft = sending.Draft("003", "Edited", "", [sending.LineDraft("16-2000", "SUB", Decimal("5.00"))])
    sending.edit(change_order.id, by=ana, version=change_order.version, draft=draft)
    sending.send(change_order.id, by=dee, version=change_order.version + 1)

    with pytest.raises(NotPermitted, match="four eyes"):
        signed(change_order.id, by=ana, version=change_order.version + 2)

    assert signed(change_order.id, by=lee, version=change_order.version + 2).state is Status.QUEUED


def test_a_blocking_finding_refuses_the_accept_and_records_nothing(ready, ana, company):
    company.cr_status = ""
    company.save()
    before = everything()

    with pytest.raises(Blocked) as caught:
        signed(ready.id, by=ana, version=ready.version)

    assert [finding.rule for finding in caught.value.findings] == [20]
    assert everything() == before


def test_custom_words_go_to_spectrum_and_leave_the_change_order_alone(ready, ana, company):
    company.custom_title = True
    company.save()

    signed(ready.id, by=ana, version=ready.version, title="Spectrum title", description="Spectrum words")

    _, line = Export.get().lines[0]
    assert line["CR_Description"] == f"{ready.number}: Spectrum title - Spectrum words"
    assert line["Sub_Description"] == "Spectrum title"
    assert load(ready.id).title == ready.title


def test_an_accounting_date_goes_to_spectrum_in_place_of_today(ready, ana, company):
    company.accounting_dates = True
    company.save()

    signed(ready.id, by=ana, version=ready.version, accounting_date=date(2026, 10, 31))

    ((_, elements),) = Export.get(change_order=ready).lines[:1]
    assert elements["Origination_Date"] == "10/31/2026"


def test_an_accounting_date_outside_the_open_period_is_refused(ready, ana, company):
    company.accounting_dates, company.period_from = True, date(2026, 11, 1)
    company.save()

    with pytest.raises(Blocked, match="is not in the open period"):
        signed(ready.id, by=ana, version=ready.version, accounting_date=date(2026, 10, 31))

    assert load(ready.id).state is Status.READY


@pytest.mark.parametrize(("approves", "approved"), [(True, "05/18/2026"), (False, "")])
def test_the_day_of_acceptance_is_the_approved_date_where_the_status_approves(ready, ana, company, clock, approves, approved):
    clock.set(datetime(2026, 5, 19, 2, 0, tzinfo=UTC))  # still the 18th where the company keeps its books
    company.cr_approves, company.cost_reimbursable = approves, "Y" if approves else "N"
    company.save()

    signed(ready.id, by=ana, version=ready.version)

    _, line = Export.get().lines[0]
    assert line["Approved_Date"] == approved
    assert line["Origination_Date"] == "05/18/2026"


def test_an_approver_may_choose_another_number(ready, ana):
    signed(ready.id, by=ana, version=ready.version, number="abc-1")

    assert Export.get().number == "ABC-1"


def test_a_taken_number_gives_way_to_a_running_one(make_change_order, ana):
    first, second = make_change_order(number="003"), make_change_order(number="1003")

    signed(first.id, by=ana, version=first.version)
    signed(second.id, by=ana, version=second.version)

    assert [export.number for export in Export.select().order_by(Export.id)] == ["S014-003", "S0000001"]


def test_reject_keeps_the_reason_and_promises_one_mail_per_person(ready, ana, dee, eve):
    ChangeOrder.update(created_by=eve).where(ChangeOrder.id == ready.id).execute()

    decisions.reject(ready.id, by=ana, version=ready.version, reason="  Wrong cost type on line 2 ")

    assert load(ready.id).state is Status.REJECTED
    assert events.history("change_order", ready.id)[-1].facts["reason"] == "Wrong cost type on line 2"
    assert {d.key for d in Dispatch.select()} == {f"rejected:{ready.id}:1:{person.id}" for person in (dee, eve)}


def test_sender_and_creator_in_one_person_get_one_mail(ready, ana, dee):
    decisions.reject(ready.id, by=ana, version=ready.version, reason="No")

    assert [d.key for d in Dispatch.select()] == [f"rejected:{ready.id}:1:{dee.id}"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "bell \x07"])
def test_a_reason_has_1_to_1000_plain_characters(ready, ana, reason):
    with pytest.raises(Blocked) as refused:
        decisions.reject(ready.id, by=ana, version=ready.version, reason=reason)

    assert {finding.field for finding in refused.value.findings} == {"reason"}  # beside the box into which it was typed
    assert all("reason" in finding.text for finding in refused.value.findings)

    assert load(ready.id).state is Status.READY


def test_a_number_stays_with_its_change_order_through_reject_and_resend(ready, ana, dee):
    signed(ready.id, by=ana, version=ready.version, number="MINE-1")
    ChangeOrder.update(status=Status.REJECTED, export=None).where(ChangeOrder.id == ready.id).execute()

    again = sending.send(ready.id, by=dee, version=ready.version + 1)

    assert spectrum_numbers.propose(load(again.id)) == "MINE-1"


def test_the_chain_of_events_verifies_and_a_forged_one_does_not(ready, ana):
    signed(ready.id, by=ana, version=ready.version)
    chain = list(events.Event.select().order_by(events.Event.seq))

    assert all(event.hash == event.seal() for event in chain)
    assert [event.seq for event in chain] == list(range(1, len(chain) + 1))
    assert [event.previous for event in chain[1:]] == [event.hash for event in chain[:-1]]
    chain[-1].data = json.dumps({"number": "FORGED"})
    assert chain[-1].hash != chain[-1].seal()


APPROVERS = 16


@pytest.mark.timeout(300)
def test_16_approvers_over_the_same_change_orders_make_one_decision_each(make_change_order, make_user, database_url, length):
    count = length(100, 24)
    orders = [make_change_order(number=f"{n:03}") for n in range(1, count + 1)]
    approvers = [make_user(f"Approver {n}", level=people.Level.STANDARD, can_push=True) for n in range(APPROVERS)]
    db.database.close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # once, not 16 times
    barrier = context.Barrier(APPROVERS)
    queue = context.Queue()
    seen = [(order.id, order.version) for order in orders]
    racers = [context.Process(target=_race, args=(database_url, person.id, seen, barrier, queue)) for person in approvers]

    for racer in racers:
        racer.start()
    won = [queue.get(timeout=250) for _ in racers]
    for racer in racers:
        racer.join()

    db.database.connect()
    assert sum(wins for wins, _ in won) == count
    assert sum(losses for _, losses in won) == count * (APPROVERS - 1)
    assert Export.select().count() == Dispatch.select().count() == SpectrumNumber.select().count() == count
    assert events.Event.select().where(events.Event.action == "accepted").count() == count


def insist(id, by, version):
    """Accept, and try again when told that the database was too busy to record anything: SQLite does not queue processes."""
    while True:
        try:
            return signed(id, by=by, version=version)
        except db.Busy:
            continue


def _race(url, person, seen, barrier, queue):
    db.init(url)
    wins = losses = 0
    with db.connected():
        by = User.get_by_id(person)
        barrier.wait()
        for id, version in seen:
            try:
                insist(id, by, version)
                wins += 1
            except Overtaken:
                losses += 1
    queue.put((wins, losses))
