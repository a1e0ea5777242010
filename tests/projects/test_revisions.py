"""After a rejection and a re-send the approver sees what changed, line by line."""

from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from portal.domain.change_orders import load
from portal.domain.projects import revisions, sending
from portal.domain.projects.revisions import Difference
from portal.domain.review import decisions, lists, views
from tests.cast import signed
from tests.conftest import HTMX, count_queries, sign_in

pytestmark = pytest.mark.databases_differ("constraints and triggers")

LINE = {"phase_code": "16-2000", "cost_type": "SUB", "bid_item": "", "description": "", "quantity": None, "unit": "", "amount": "10.00"}
HEAD = {"number": "001", "title": "Duct bank", "description": "", "amount": "10.00"}


def snapshot(*lines, **head):
    return HEAD | head | {"lines": [LINE | line for line in lines or ({},)]}


def differences(before, after):
    return [(one.about, one.was, one.now) for one in revisions.compare(before, after)]


@pytest.fixture
def resend(dee):
    """Corrects a returned change order to these lines, and sends it again."""

    def resend(change_order, *lines, title="Relocate duct bank"):
        change_order = load(change_order.id)
        written = [sending.LineDraft(phase, cost_type, Decimal(amount)) for phase, cost_type, amount in lines]
        sending.edit(change_order.id, dee, change_order.version, sending.Draft(change_order.number, title, "", written))
        return sending.send(change_order.id, dee, load(change_order.id).version)

    return resend


def test_nothing_differs_between_equal_snapshots():
    assert differences(snapshot(), snapshot()) == []


def test_words_and_total_are_told_as_they_were_and_are():
    before, after = snapshot(), snapshot(title="Duct bank, north", description="RFI 12", amount="-5.50")

    assert differences(before, after) == [
        ("Title", "Duct bank", "Duct bank, north"),
        ("Description", "", "RFI 12"),
        ("Total", "$10.00", "−$5.50"),
    ]


@pytest.mark.parametrize(
    ("changed", "about", "was", "now"),
    [
        ({"phase_code": "16-3000"}, "Line 1, cost code", "16-2000", "16-3000"),
        ({"cost_type": "M"}, "Line 1, cost type", "SUB", "M"),
        ({"bid_item": "B1"}, "Line 1, bid item", "", "B1"),
        ({"description": "Duct"}, "Line 1, description", "", "Duct"),
        ({"quantity": "12.5"}, "Line 1, quantity", "", "12.5"),
        ({"unit": "LF"}, "Line 1, unit", "", "LF"),
        ({"amount": "1250.00"}, "Line 1, amount", "$10.00", "$1,250.00"),
    ],
)
def test_every_column_of_a_line_is_compared(changed, about, was, now):
    assert differences(snapshot({}), snapshot(changed)) == [(about, was, now)]


def test_a_line_put_in_before_others_is_the_only_difference():
    first, second = {"phase_code": "A"}, {"phase_code": "B"}

    assert differences(snapshot(first, second), snapshot({"phase_code": "NEW"}, first, second)) == [("Line 1", None, "NEW, SUB, $10.00")]


def test_a_line_taken_out_is_told_by_its_old_number():
    lines = [{"phase_code": name} for name in "ABC"]

    assert differences(snapshot(*lines), snapshot(lines[0], lines[2])) == [("Line 2", "B, SUB, $10.00", None)]


def test_a_line_that_moved_and_changed_is_told_with_both_numbers():
    before = snapshot({"phase_code": "A"}, {"phase_code": "B"})
    after = snapshot({"phase_code": "B", "amount": "11.00"}, {"phase_code": "A"})

    assert differences(before, after) == [("Line 1 (was line 2), amount", "$10.00", "$11.00")]


def test_a_line_with_another_code_and_amount_is_the_one_in_its_place():
    after = snapshot({"phase_code": "B", "cost_type": "M", "amount": "3.00"})

    assert [about for about, _, _ in differences(snapshot(), after)] == ["Line 1, cost code", "Line 1, cost type", "Line 1, amount"]


def test_five_hundred_lines_are_compared_at_once():
    before, after = (snapshot(*({"phase_code": f"{n}", "amount": f"{n + more}.00"} for n in range(500))) for more in (0, 1))

    assert len(differences(before, after)) == 500


def test_what_was_never_sent_back_has_no_comparison(change_order):
    assert revisions.since_rejection([change_order]) == {}


def test_a_retrieved_one_that_comes_again_has_no_comparison(make_change_order, resend):
    sent = resend(make_change_order("retrieved"), ("16-2000", "SUB", "1.00"))

    assert revisions.since_rejection([sent]) == {}


def test_while_it_is_being_corrected_there_is_none_yet(make_change_order, resend, ana):
    sent = resend(make_change_order("rejected"), ("16-2000", "SUB", "1.00"))
    decisions.reject(sent.id, ana, sent.version, "Still wrong")

    assert revisions.since_rejection([load(sent.id)]) == {}


def test_the_newest_rejection_counts(make_change_order, resend, ana):
    first = resend(make_change_order("rejected"), ("16-2000", "M", "4250.00"))
    decisions.reject(first.id, ana, first.version, "Wrong amount")
    sent = resend(first, ("16-2000", "M", "4000.00"))

    (comparison,) = revisions.since_rejection([sent]).values()

    assert (comparison.returned, comparison.sent) == (2, 3)
    assert comparison.differences == [
        Difference("Total", "$4,250.00", "$4,000.00"),
        Difference("Line 1, amount", "$4,250.00", "$4,000.00"),
    ]


def test_a_retrieval_in_between_changes_nothing_of_what_is_compared(make_change_order, resend, dee):
    second = resend(make_change_order("rejected"), ("16-2000", "M", "4250.00"))
    sending.retrieve(second.id, dee, second.version)
    third = resend(second, ("16-2000", "L", "4250.00"))

    (comparison,) = revisions.since_rejection([third]).values()

    assert (comparison.returned, comparison.sent) == (1, 3)
    assert comparison.differences == [Difference("Line 1, cost type", "SUB", "L")]


def test_the_list_needs_no_more_queries_for_more_of_them(make_change_order, resend, ana):
    def sizes(count):
        for _ in range(count):
            resend(make_change_order("rejected"), ("16-2000", "M", "1.00"))
        with count_queries() as sent:
            lists.page(views.BY_KEY["ready"], ana)
        return len(sent)

    assert sizes(1) == sizes(3)


def test_row_and_page_show_it_to_the_approver(client, ana, make_change_order, resend):
    sent = resend(make_change_order("rejected"), ("16-2000", "M", "4250.00"))
    sign_in(client, ana)

    for path in ("/change-orders?view=ready", f"/change-orders/{sent.id}/row", f"/change-orders/{sent.id}"):
        page = BeautifulSoup(client.get(path, headers=HTMX if path.endswith("row") else {}).text, "html.parser")
        details = page.select_one(f"#change-order-{sent.id} details.since")
        assert " ".join(details.summary.get_text(" ").split()) == "1 change since rev 1 of CCO 001 of SC-014 was sent back"
        assert [cell.get_text(strip=True) for cell in details.table.tbody.find_all(["th", "td"])] == ["Line 1, cost type", "SUB", "M"]
    assert page.select_one(".differences del").get_text() == "SUB"
    assert page.select_one(".differences ins").get_text() == "M"


def test_what_came_back_unchanged_says_so(client, ana, dee, make_change_order):
    returned = make_change_order("rejected")
    sent = sending.send(returned.id, dee, returned.version)

    page = sign_in(client, ana).get(f"/change-orders/{sent.id}").text

    assert "It came back as it was: nothing changed since revision 1 was sent back." in page


def test_the_page_keeps_it_after_the_decision_and_the_row_does_not(client, ana, make_change_order, resend):
    sent = resend(make_change_order("rejected"), ("16-2000", "M", "4250.00"))
    signed(sent.id, ana, sent.version)

    page = BeautifulSoup(sign_in(client, ana).get(f"/change-orders/{sent.id}").text, "html.parser")

    assert page.select_one(".differences")
    assert not page.select_one("details.since")


def test_a_title_with_markup_is_shown_as_text(client, ana, make_change_order, resend):
    sent = resend(make_change_order("rejected"), ("16-2000", "SUB", "4250.00"), title="<b>bold</b>")

    page = BeautifulSoup(sign_in(client, ana).get(f"/change-orders/{sent.id}").text, "html.parser")

    assert page.select_one(".differences ins").get_text() == "<b>bold</b>"
    assert page.select_one(".differences ins b") is None
