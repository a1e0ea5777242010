"""While a project corrects what came back, accounting reads it as it was sent; its project reads the working copy."""

from datetime import date
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.people import Membership
from portal.domain.projects import sending
from portal.domain.projects.sending import Draft, LineDraft
from portal.domain.review import decisions, lists
from tests.conftest import HTMX, count_queries, sign_in
from tests.projects.test_correct_and_resend import editing, typed

SENT, NOW = "Relocate duct bank", "Relocate two duct banks"
LINES = [LineDraft("16-3000", "M", Decimal("10.00"), "Pipes", Decimal("2.5"), "LF"), LineDraft("16-2000", "SUB", Decimal("-1.25"))]


@pytest.fixture
def correct(dee):
    """Corrects what came back, without sending it; answers it."""

    def correct(change_order, number="001", title=NOW):
        sending.edit(change_order.id, dee, load(change_order.id).version, Draft(number, title, "North", LINES, dated=date(2026, 11, 30)))
        return load(change_order.id)

    return correct


@pytest.fixture(params=["rejected", "retrieved"])
def returned(request, make_change_order, correct):
    """One that came back, and that its project is correcting."""
    return correct(make_change_order(request.param, number="001"))


def page_of(client, person, change_order):
    browser = sign_in(client.application.test_client(), person)
    main = BeautifulSoup(browser.get(f"/change-orders/{change_order.id}").text, "html.parser").main
    return " ".join(main.get_text(" ").split())


def test_finance_reads_what_was_sent_and_which_revision_that_is(client, ben, returned):
    page = page_of(client, ben, returned)

    assert SENT in page
    assert "$4,250.00" in page
    assert "16-2000" in page
    assert "This is revision 1, as it was sent to accounting." in page
    assert "as sent, rev 1" in page
    for working in (NOW, "North", "$8.75", "16-3000", "Pipes", "11/30/2026"):
        assert working not in page


def test_its_project_reads_the_working_copy_and_what_accounting_sees(client, dee, returned):
    page = page_of(client, dee, returned)

    assert NOW in page
    assert "$8.75" in page
    assert "Accounting still sees revision 1, as it was sent." in page
    assert "as sent, rev" not in page


def test_a_member_with_a_level_and_the_writer_who_left_the_job_read_the_working_copy(client, ben, dee, returned):
    Membership.create(user=ben, job=returned.job)
    assert NOW in page_of(client, ben, returned)

    Membership.delete().where(Membership.user == dee).execute()
    assert NOW in page_of(client, dee, returned)


def test_an_administrator_who_is_no_member_reads_what_was_sent(client, eve, returned):
    assert NOW not in page_of(client, eve, returned)


@pytest.mark.parametrize(
    "address", ["/change-orders?view=returned", "/change-orders?view=all", "/change-orders/{0.id}/row", "/jobs/{0.job.id}"]
)
def test_every_list_shows_finance_what_was_sent(client, ben, returned, address):
    text = sign_in(client, ben).get(address.format(returned), headers=HTMX if address.endswith("row") else {}).text

    assert SENT in text
    assert NOW not in text
    assert "as sent, rev 1" in text


def test_the_total_of_what_was_sent_back_is_that_of_what_was_sent(returned):
    assert lists.totals()["returned"].total == Decimal("4250.00")


def test_of_several_revisions_the_last_one_counts(client, ben, ana, dee, returned, correct):
    again = sending.send(returned.id, dee, returned.version)
    decisions.reject(again.id, by=ana, version=again.version, reason="Not yet")
    correct(again, title="Third wording")

    page = page_of(client, ben, returned)

    assert NOW in page
    assert "This is revision 2, as it was sent to accounting." in page
    assert "Third wording" not in page
    assert lists.totals()["returned"].total == Decimal("8.75")


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
@pytest.mark.parametrize("address", ["/change-orders?view=returned", "/change-orders/{0.id}", "/jobs/{0.job.id}"])
def test_what_the_project_has_not_changed_is_not_marked(client, ben, make_change_order, status, address):
    made = make_change_order(status, number="001")

    text = sign_in(client, ben).get(address.format(made)).text

    assert made.title in text
    assert "as sent" not in text
    assert "is correcting it" not in text


def test_what_came_back_as_it_was_last_sent_is_not_marked(client, ben, dee, returned):
    sending.send(returned.id, dee, returned.version)
    sending.retrieve(returned.id, dee, load(returned.id).version)

    assert "as sent" not in page_of(client, ben, returned)


def test_sent_again_everybody_reads_the_same(client, ben, dee, returned):
    sending.send(returned.id, dee, returned.version)

    page = page_of(client, ben, returned)

    assert NOW in page
    assert "as sent, rev" not in page


def test_reading_it_so_changes_nothing(client, ben, dee, returned):
    before = ChangeOrder.select().dicts().get()

    page_of(client, ben, returned)

    assert ChangeOrder.select().dicts().get() == before
    sign_in(client, dee).post(editing(returned), data=typed(returned, {"amount": "7.00"}, title="Kept"))
    assert (load(returned.id).title, load(returned.id).amount) == ("Kept", Decimal("7.00"))


def test_what_never_came_back_is_read_as_it_is(client, ben, make_change_order):
    for status in ("ready", "queued", "exported", "failed"):
        assert "as sent, rev" not in page_of(client, ben, make_change_order(status))


def test_the_queries_of_a_list_do_not_grow_with_what_came_back(client, ben, make_change_order, correct):
    browser = sign_in(client, ben)
    correct(make_change_order("rejected", number="001"))
    browser.get("/change-orders?view=returned")
    with count_queries() as few:
        browser.get("/change-orders?view=returned")
    for number in ("002", "003", "004"):
        correct(make_change_order("rejected", number=number), number=number)

    with count_queries() as many:
        assert browser.get("/change-orders?view=returned").text.count("as sent, rev 1") == 4

    assert len(many) == len(few)
