"""The context of a decision: the contract before and after, possible duplicates, the last decisions for the vendor."""

from datetime import timedelta
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Commitment, Vendor
from portal.domain.companies import Company
from portal.domain.projects import sending
from portal.domain.review import context, decisions
from portal.domain.rules import contracts, possible_duplicates
from tests.cast import signed
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import words

pytestmark = pytest.mark.databases_differ("sums, and what is sorted by an expression")
TWO = [("16-2000", "SUB", "1000.00"), ("16-3000", "M", "250.00")]


@pytest.fixture
def worth(commitment):
    """The commitment's original value as wanted."""

    def make(amount):
        Commitment.update(original_amount=Decimal(amount)).where(Commitment.id == commitment.id).execute()

    make("100000.00")
    return make


def contract_of(change_order):
    return contracts.of([load(change_order.id)])[change_order.id]


def duplicates_of(change_order):
    return [other.id for other in possible_duplicates.of([load(change_order.id)])[change_order.id]]


def sent(change_order, **ago):
    at = load(change_order.id).sent_at - timedelta(**ago)
    ChangeOrder.update(sent_at=at).where(ChangeOrder.id == change_order.id).execute()


def shown(answer):
    assert answer.status_code == 200, answer.text
    return words(BeautifulSoup(answer.text, "html.parser").select_one(".context"))


@pytest.mark.parametrize("status", ["queued", "exporting", "exported", "failed", "unknown"])
def test_what_accounting_accepted_counts_as_approved(make_change_order, worth, status):
    make_change_order(status)

    contract = contract_of(make_change_order(lines=TWO))

    assert (contract.approved, contract.amount, contract.after) == (Decimal("4250.00"), Decimal("1250.00"), Decimal("105500.00"))
    assert contract.growth == Decimal("5.5")


@pytest.mark.parametrize("status", ["draft", "ready", "rejected", "retrieved", "void"])
def test_what_waits_or_came_back_does_not_count_as_approved(make_change_order, worth, status):
    make_change_order(status)

    assert contract_of(make_change_order(lines=TWO)).approved == 0


def test_a_change_order_does_not_count_twice(make_change_order, worth):
    accepted = make_change_order("exported")

    assert contract_of(accepted).after == Decimal("104250.00")


@pytest.mark.parametrize(
    ("original", "limit", "is_over"), [("42500.00", 10, False), ("42499.99", 10, True), ("1.00", None, False), ("0.00", 10, False)]
)
def test_a_contract_is_over_the_limit_only_past_it(make_change_order, worth, company, original, limit, is_over):
    worth(original)
    Company.update(growth_limit=limit).execute()

    assert contract_of(make_change_order()).is_over is is_over


def test_without_an_original_value_nothing_is_said_of_growth(make_change_order):
    contract = contract_of(make_change_order())

    assert (contract.original, contract.after, contract.growth, contract.is_over) == (None, None, None, False)


def test_equal_lines_are_a_possible_duplicate_in_any_order_and_spelling(make_change_order):
    first = make_change_order(lines=TWO, title="Relocate duct bank")
    again = make_change_order(lines=[("163000", "m", "250.00"), ("16-2000", "SUB", "1000.00")], title="Something else entirely")

    assert duplicates_of(again) == [first.id]
    assert duplicates_of(first) == [again.id]


@pytest.mark.parametrize(
    ("title", "alike"),
    [("Relocate DUCT bank, grid C4", True), ("Relocate duct bank", True), ("Relocate the drain at grid C4", False), ("Bank", False)],
)
def test_an_equal_total_is_one_under_a_title_that_shares_most_words(make_change_order, title, alike):
    first = make_change_order(lines=TWO, title="Relocate duct bank C4")
    other = make_change_order(lines=[("16-2000", "SUB", "1250.00")], title=title)

    assert duplicates_of(other) == ([first.id] if alike else [])


def test_another_total_or_another_commitment_is_no_duplicate(make_change_order, job, vendor):
    make_change_order(lines=TWO)
    elsewhere = Commitment.create(job=job, vendor=vendor, number="SC-015", title="Conduit", subcontract="SC-015")

    assert duplicates_of(make_change_order()) == []
    assert duplicates_of(make_change_order(lines=TWO, commitment=elsewhere)) == []


@pytest.mark.parametrize(("days", "found"), [(90, True), (91, False)])
def test_a_duplicate_was_sent_within_ninety_days(make_change_order, clock, days, found):
    first, again = make_change_order(), make_change_order()
    sent(first, days=days)

    assert duplicates_of(again) == ([first.id] if found else [])


@pytest.mark.parametrize("status", ["draft", "rejected", "retrieved", "void"])
def test_what_its_project_has_or_gave_up_is_no_duplicate(make_change_order, status):
    make_change_order(status)

    assert duplicates_of(make_change_order()) == []


def test_the_last_three_decisions_for_the_vendor_are_told_newest_first(make_change_order, ana, job, vendor):
    made = [make_change_order(lines=[("16-2000", "SUB", f"{amount}.00")]) for amount in (1, 2, 3, 4)]
    elsewhere = Commitment.create(
        job=job, vendor=Vendor.create(company=job.company, name="Acme", code="ACME"), number="SC-9", subcontract="SC-9"
    )
    signed(make_change_order(commitment=elsewhere).id, by=ana, version=2)
    for one in made[:3]:
        signed(one.id, by=ana, version=one.version)
    decisions.reject(made[3].id, ana, made[3].version, "Wrong phase.")

    lately = context.of(load(make_change_order(lines=TWO).id), ana).lately

    assert [(one.about.id, one.event.action) for one in lately] == [
        (made[3].id, "rejected"),
        (made[2].id, "accepted"),
        (made[1].id, "accepted"),
    ]


def test_a_decision_about_what_was_sent_back_shows_it_as_it_was_sent(make_change_order, ana, dee):
    returned = make_change_order()
    decisions.reject(returned.id, ana, returned.version, "Wrong phase.")
    words_now = sending.Draft("777", "Not sent yet", "", [sending.LineDraft("16-2000", "SUB", Decimal("9.99"))])
    sending.edit(returned.id, dee, load(returned.id).version, words_now)

    [decision] = context.of(load(make_change_order().id), ana).lately

    assert (decision.about.number, decision.about.amount) == (returned.number, returned.amount)


def test_the_context_takes_eight_queries_however_much_there_is(make_change_order, ana, worth):
    made = load([make_change_order("exported"), make_change_order(), make_change_order(), make_change_order()][-1].id)

    with count_queries() as queries:
        context.of(made, ana)

    assert len(queries) <= 8


def test_form_and_page_show_contract_duplicate_and_decisions(client, ana, make_change_order, worth, company):
    accepted, waiting = make_change_order("exported"), make_change_order()
    Company.update(growth_limit=8).execute()
    sign_in(client, ana)

    for said in (
        shown(client.get(f"/change-orders/{waiting.id}/acceptance", headers=HTMX)),
        shown(client.get(f"/change-orders/{waiting.id}")),
    ):
        assert "Contract original $100,000.00 Approved so far $4,250.00 This change order $4,250.00 Contract after $108,500.00" in said
        assert "Growth +8.5%" in said
        assert "The contract grows past 8% of its original value." in said
        assert f"Possible duplicate: CCO {accepted.number}: Relocate duct bank of the same commitment, Exported" in said
        assert f"CCO {accepted.number} of SC-014 , $4,250.00 : Ana Ortiz accepted it as S014-001" in said


def test_who_has_no_level_sees_no_decisions_about_other_jobs(client, dee, make_change_order):
    make_change_order("exported")
    waiting = make_change_order()

    page = sign_in(client, dee).get(f"/change-orders/{waiting.id}").text

    assert "Last decisions" not in page


def test_without_a_vendor_or_a_decision_the_page_says_so(client, ana, make_change_order):
    assert "No decision for this vendor yet." in shown(sign_in(client, ana).get(f"/change-orders/{make_change_order().id}"))
