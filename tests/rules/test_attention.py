"""Why a change order needs a look: kept on the row, and judged again when what it follows from changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal.domain import waiting
from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Commitment, Vendor
from portal.domain.companies import Company, current
from portal.domain.projects import sending
from portal.domain.review import decisions, holds, questions
from portal.domain.rules import attention, recheck
from portal.domain.rules.attention import Reason
from portal.domain.settings import company_settings
from tests.cast import signed
from tests.conftest import count_queries, sign_in

pytestmark = pytest.mark.databases_differ("sums and text searched in SQL")
LOOK = {"look_rules": " ".join(Reason), "look_limit": "50000", "growth_limit": "10"}


@pytest.fixture
def known(make_change_order):
    """The vendor is known: a change order of it was accepted, for another amount."""
    return make_change_order("exported", lines=[("16-2000", "SUB", "1.00")], title="Temporary power")


def looks(change_order):
    return attention.reasons(load(change_order.id))


def listed():
    return {row.id for row in ChangeOrder.select().where(ChangeOrder.status == "ready", attention.condition(current()))}


def test_a_plain_one_of_a_known_vendor_is_clean(known, change_order):
    assert looks(change_order) == []
    assert listed() == set()


@pytest.mark.parametrize(
    ("amount", "reasons"),
    [
        ("-10.00", [Reason.FINDING, Reason.CREDIT]),  # a credit is a finding too
        ("50000.00", []),
        ("50000.01", [Reason.LARGE]),
        ("-50000.01", [Reason.FINDING, Reason.CREDIT, Reason.LARGE]),
    ],
)
def test_credits_and_large_amounts_need_a_look(known, make_change_order, amount, reasons):
    made = make_change_order(lines=[("16-2000", "SUB", amount)])

    assert looks(made) == reasons
    assert (made.id in listed()) == bool(reasons)


def test_growth_past_the_limit_comes_and_goes_with_what_is_accepted_beside_it(known, make_change_order, ana, commitment):
    Commitment.update(original_amount=Decimal("50000.00")).where(Commitment.id == commitment.id).execute()
    first = make_change_order(lines=[("16-2000", "SUB", "3000.00")], title="Trench")
    second = make_change_order(lines=[("16-2000", "SUB", "2500.00")], title="Conduit")
    assert (looks(first), looks(second)) == ([], [])

    accepted = signed(first.id, by=ana, version=first.version)
    assert looks(second) == [Reason.GROWN]

    decisions.recall(first.id, ana, accepted.version)
    assert looks(second) == []


def test_both_of_a_possible_duplicate_need_a_look_until_one_is_gone(known, make_change_order, dee):
    first, second = make_change_order(), make_change_order()
    assert (looks(first), looks(second)) == ([Reason.DUPLICATE], [Reason.DUPLICATE])

    sending.retrieve(second.id, dee, load(second.id).version)

    assert looks(first) == []


def test_what_came_back_after_a_rejection_needs_a_look(known, make_change_order, dee):
    made = make_change_order("rejected")
    sending.send(made.id, dee, load(made.id).version)

    assert looks(made) == [Reason.CORRECTED]


def test_the_first_change_order_of_a_vendor_needs_a_look_until_one_is_accepted(make_change_order, job, ana, vendor):
    elsewhere = Commitment.create(job=job, vendor=vendor, number="SC-015", title="Conduit", subcontract="SC-015")
    first, other = make_change_order(), make_change_order(commitment=elsewhere)
    assert (looks(first), looks(other)) == ([Reason.FIRST], [Reason.FIRST])

    accepted = signed(first.id, by=ana, version=first.version)
    assert looks(other) == []

    decisions.recall(first.id, ana, accepted.version)
    assert looks(first) == [Reason.FIRST]


def test_another_vendor_is_no_help(known, make_change_order, job):
    new = Vendor.create(company=job.company, name="Acme", code="ACME")
    made = make_change_order(commitment=Commitment.create(job=job, vendor=new, number="SC-9", title="Roof", subcontract="SC-9"))

    assert looks(made) == [Reason.FIRST]


def test_an_answer_and_the_end_of_a_hold_put_it_on_top(known, change_order, ana, dee, clock):
    clock.set(datetime.fromisoformat("2026-11-23T12:00:00-06:00").astimezone(UTC))
    until = waiting.today(change_order.company) + timedelta(days=1)
    holds.hold(change_order.id, ana, change_order.version, until, "The owner signs first.")
    questions.ask(change_order.id, ana, load(change_order.id).version, "What is in it?")
    assert (looks(change_order), listed()) == ([], set())

    questions.answer(change_order.id, dee, questions.latest(change_order).seq, "Two fittings.")
    assert (looks(change_order), listed()) == ([Reason.ANSWERED], {change_order.id})

    clock.tick(days=1)
    assert looks(change_order) == [Reason.ANSWERED, Reason.HELD]
    clock.tick(days=2)
    assert Reason.HELD in looks(change_order)


@pytest.mark.parametrize("reason", [Reason.DUPLICATE, Reason.FIRST])
def test_a_rule_that_is_switched_off_puts_nothing_on_top(make_change_order, eve, reason):
    made = [make_change_order(), make_change_order()]
    assert reason in looks(made[0])

    company_settings.change("look", LOOK | {"look_rules": " ".join(one for one in Reason if one != reason)}, eve)

    assert reason not in looks(made[0])


def test_another_limit_judges_again_what_waits(known, make_change_order, eve):
    made = make_change_order()

    company_settings.change("look", LOOK | {"look_limit": "4000.00"}, eve)
    assert looks(made) == [Reason.LARGE]
    company_settings.change("look", LOOK | {"look_limit": ""}, eve)
    assert looks(made) == []


def test_from_its_first_moment_in_the_list_it_is_never_taken_for_clean(make_change_order, monkeypatch):
    monkeypatch.setattr(recheck, "again", lambda *_: None)  # as if the process had died after the commit

    assert looks(make_change_order()) == [Reason.FIRST]


def test_the_kept_reasons_are_what_judging_all_again_would_say(make_change_order, known, ana, dee, commitment):
    Commitment.update(original_amount=Decimal("20000.00")).where(Commitment.id == commitment.id).execute()
    made = [make_change_order(title=title) for title in ("Trench", "Conduit", "Trench again", "Panel", "Feeder")]
    signed(made[0].id, by=ana, version=made[0].version)
    decisions.reject(made[1].id, ana, made[1].version, "Wrong phase.")
    sending.retrieve(made[2].id, dee, made[2].version)
    sending.send(made[1].id, dee, load(made[1].id).version)
    before = {row.id: row.looks for row in ChangeOrder.select().where(ChangeOrder.status == "ready")}

    recheck.again()

    assert before == {row.id: row.looks for row in ChangeOrder.select().where(ChangeOrder.status == "ready")}


def test_judging_takes_as_many_queries_for_many_as_for_one(make_change_order):
    made = [load(make_change_order(title=title).id) for title in ("Trench", "Conduit", "Panel")]
    counts = []

    for rows in (made[:1], made):
        with count_queries() as queries:
            attention.judge(rows, dict.fromkeys((row.id for row in rows), "clean"))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 6


def test_reading_the_reasons_asks_the_database_nothing(change_order):
    row = load(change_order.id)

    with count_queries() as queries:
        attention.reasons(row)

    assert queries == []


def test_the_page_names_the_reasons(client, ana, make_change_order):
    made = make_change_order()

    assert "Needs a look: First change order of the vendor." in sign_in(client, ana).get(f"/change-orders/{made.id}").text


def test_the_company_page_keeps_which_rules_are_on(client, eve, company):
    sign_in(client, eve).post(
        "/settings/company", data={"section": "look", "look_rules": ["credit", "first"], "look_limit": "1000", "growth_limit": ""}
    )

    now = Company.get()
    assert (now.look_rules, now.look_limit, now.growth_limit) == ("credit first", Decimal("1000.00"), None)


def test_a_verdict_that_came_while_another_one_was_made_stays(make_change_order):
    ready = make_change_order()
    ChangeOrder.update(looks="large").where(ChangeOrder.id == ready.id).execute()

    recheck.again(turn=lambda: ChangeOrder.update(looks="large duplicate").where(ChangeOrder.id == ready.id).execute())

    assert load(ready.id).looks == "large duplicate"
