"""The Ready list: what waits, for whom, how much, and what the checks say about it."""

from decimal import Decimal

import pytest

from portal.db import memory
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job, Kind, Vendor
from portal.domain.people import Membership, User
from portal.domain.projects import sending
from portal.domain.review import lists, paging, views
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import page_of, words

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

READY = "/change-orders?view=ready"


def rows(page):
    return page.select("tbody tr[id^=change-order-]")


def test_the_heading_and_the_columns_are_those_of_the_trade(client, ana, change_order):
    page = page_of(sign_in(client, ana).get(READY))

    assert page.h1.get_text() == "Change Orders - Ready to be Exported to Spectrum"
    headers = [words(header) for header in page.select("thead th")]
    assert headers == ["CCO", "Project", "Commitment", "Vendor", "Amount", "Sent", "Checks", "Decide"]


def test_a_row_says_what_it_is_about(client, ana, change_order):
    page = page_of(sign_in(client, ana).get(READY))

    (row,) = rows(page)
    assert row.th["scope"] == "row"
    assert words(row.th) == "001 Relocate duct bank"
    row.select_one(".checks .standing").decompose()  # told in lists of several states only
    cells = {cell["data-label"]: words(cell) for cell in row.find_all("td")}
    assert cells["Project"] == "24-117 Harbor Tower"
    assert cells["Commitment"] == "SC-014 SC"
    assert cells["Vendor"] == "Volt Electric Co VOLTCO"
    assert cells["Amount"] == "$4,250.00"
    assert cells["Sent"] == "Dee Sørensen now"
    assert cells["Checks"] == "First change order of the vendor"
    assert cells["Decide"] == "Accept Reject ⋯ Ask the sender Hold"


def test_the_header_line_counts_adds_up_and_tells_the_oldest(client, ana, make_change_order, clock):
    make_change_order(lines=[("16-2000", "SUB", "100.10")])
    clock.tick(hours=76)
    make_change_order(lines=[("16-2000", "SUB", "-40.05")])

    page = page_of(sign_in(client, ana).get(READY))

    assert words(page.select_one("#totals")) == "2 change orders waiting · $60.05 · oldest 3 d 4 h"
    assert words(page.select_one("#count-ready")) == "2"
    assert page.title.get_text() == "Ready to Export (2) – CCO Portal"


def test_one_change_order_is_told_in_the_singular(client, ana, change_order):
    page = page_of(sign_in(client, ana).get(READY))

    assert words(page.select_one("#totals")) == "1 change order waiting · $4,250.00 · oldest now"


def test_the_oldest_comes_first(client, ana, make_change_order, clock):
    first = make_change_order(title="Older")
    clock.tick(hours=1)
    second = make_change_order(title="Newer")

    page = page_of(sign_in(client, ana).get(READY))

    assert [row["id"] for row in rows(page)] == [f"change-order-{first.id}", f"change-order-{second.id}"]


@pytest.mark.parametrize("status", ["draft", "queued", "exporting", "exported", "failed", "unknown", "rejected", "retrieved"])
def test_only_what_waits_for_a_decision_is_listed(client, ana, make_change_order, status):
    make_change_order(status)

    page = page_of(sign_in(client, ana).get(READY))

    assert not rows(page)


def test_a_change_order_that_came_back_carries_its_revision(client, ana, dee, make_change_order):
    rejected = make_change_order("rejected")
    sending.send(rejected.id, by=dee, version=rejected.version)

    page = page_of(sign_in(client, ana).get(READY))

    assert words(rows(page)[0].th).startswith("001 Relocate duct bank rev 2 ")


def test_a_purchase_order_has_its_badge(client, ana, make_change_order, job, vendor):
    order = Commitment.create(job=job, vendor=vendor, number="PO-7", kind=Kind.PURCHASE_ORDER, as_subcontract=True, subcontract="PO-7")
    make_change_order(commitment=order)

    page = page_of(sign_in(client, ana).get(READY))

    assert page.select_one("abbr[title='Purchase order']").get_text() == "PO"


def test_a_credit_has_a_true_minus_sign_and_says_so(client, ana, make_change_order):
    make_change_order(lines=[("16-2000", "SUB", "-1500.00")])

    page = page_of(sign_in(client, ana).get(READY))

    assert words(page.select_one("td.amount")) == "−$1,500.00 credit"


def test_findings_are_counted_and_listed_before_the_decision(client, ana, make_change_order):
    make_change_order(title="Piñon grill", lines=[("16-2000", "SUB", "-10.00")])

    page = page_of(sign_in(client, ana).get(READY))

    checks = page.select_one("td.checks details")
    assert words(checks.summary).startswith("2 findings")
    assert "The total is a credit." in words(checks)
    assert "the title will read “Pinon grill”" in words(checks)


def test_a_vendor_that_lost_its_code_is_flagged(client, ana, change_order, vendor):
    Vendor.update(code="").where(Vendor.id == vendor.id).execute()

    page = page_of(sign_in(client, ana).get(READY))

    assert "no Spectrum code" in words(rows(page)[0])
    assert "Vendor Volt Electric Co has no Spectrum vendor code." in words(page.select_one("td.checks"))


def test_who_only_looks_sees_why_there_are_no_buttons(client, ben, change_order):
    page = page_of(sign_in(client, ben).get(READY))

    assert "You have view-only access. To accept or reject, ask for Can Push to Accounting." in words(page.main)
    assert "Decide" not in [words(header) for header in page.select("thead th")]
    assert not page.main.select("tbody button")


def test_the_privilege_below_standard_is_told_to_be_inactive(client, make_user, change_order):
    pat = make_user("Pat Quinn", level="Read Only", can_push=True)

    page = page_of(sign_in(client, pat).get(READY))

    assert "inactive. It needs at least Standard." in words(page.main)
    assert not page.main.select("tbody button")


def test_who_sent_it_sees_that_another_has_to_decide(client, ana, make_change_order, job):
    own = make_change_order("draft")
    Membership.create(user=ana, job=job)
    sending.send(own.id, by=ana, version=own.version)

    page = page_of(sign_in(client, ana).get(READY))

    assert "another approver has to decide it (four eyes)" in words(rows(page)[0])
    assert not rows(page)[0].find_all("button")


def test_nobody_without_a_level_sees_the_lists(client, dee, change_order):
    answer = sign_in(client, dee).get(READY)

    assert answer.status_code == 403
    assert "Read Only" in answer.text


def test_an_empty_list_of_a_new_portal_says_how_change_orders_arrive(client, ana):
    page = page_of(sign_in(client, ana).get(READY))

    assert "No change orders have arrived yet." in words(page.main)
    assert words(page.select_one("#totals")) == "No change orders"


def test_an_empty_list_says_what_was_exported_last(client, ana, make_change_order):
    make_change_order("exported")

    page = page_of(sign_in(client, ana).get(READY))

    assert "Nothing is waiting. The last change order was exported at" in words(page.main)
    assert "by Ana Ortiz." in words(page.main)
    assert page.main.find("a", string="Exported change orders")


def test_the_pages_together_hold_every_row_once_in_order(client, ana, make_change_order, clock, monkeypatch):
    made = []
    for _ in range(5):
        made.append(make_change_order().id)
        clock.tick(minutes=0 if len(made) % 2 else 1)  # some were sent at the same moment
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))
    sign_in(client, ana)

    seen, address = [], READY
    while address:
        page = page_of(client.get(address))
        seen += [int(row["id"].removeprefix("change-order-")) for row in rows(page)]
        following = page.find("a", string="Next page")
        address = following and following["href"]

    assert seen == made


def test_a_page_that_has_emptied_leads_to_the_first(client, ana, change_order):
    page = page_of(sign_in(client, ana).get(f"{READY}&after={paging.cursor(views.BY_KEY['ready'], change_order)}"))

    assert "There is nothing on this page any more." in words(page.main)
    assert page.main.find("a", string="First page")["href"] == READY


def test_the_fragment_is_the_row_of_the_page(client, ana, make_change_order, clock):
    for status in ("ready", "queued", "exported", "failed", "rejected"):
        made = make_change_order(status, title="Piñon grill")
        sign_in(client, ana)

        view = "/change-orders?view=all" if status != "ready" else READY
        fragment = client.get(f"/change-orders/{made.id}/row", query_string={"place": view}, headers=HTMX).text
        page = client.get(view).text

        row, partial, _ = fragment.partition("<hx-partial")
        assert row.rstrip(" ") in page
        assert bool(partial) is (status not in ("ready", "queued")), "the counts come along when the row is at rest"


def test_fifty_rows_take_as_many_queries_as_two(client, ana, make_change_order, clock):
    clock.tick(minutes=20)  # a process that has just started does not judge yet whether work stands still
    sign_in(client, ana)
    many(make_change_order, 2)
    with count_queries() as two:
        assert len(rows(page_of(client.get(READY)))) == 2
    many(make_change_order, 48)

    with count_queries() as fifty:
        assert len(rows(page_of(client.get(READY)))) == 50

    assert len(fifty) == len(two), "\n".join(fifty)
    assert len(fifty) <= 8, "\n".join(fifty)


def test_a_page_that_no_one_changed_takes_the_session_and_a_look_whether_someone_wrote(client, ana, change_order):
    sign_in(client, ana)
    client.get(READY)
    memory.verify_all(on=False)

    with count_queries() as sent:
        client.get(READY)

    memory.verify_all(on=True)
    assert len(sent) <= 2, "\n".join(sent)


def many(make_change_order, count):
    """Change orders over jobs, vendors and commitments of their own, with several lines and findings each."""
    for _ in range(count):
        n = Job.select().count()
        first = Job.select().order_by(Job.id).get()
        job = Job.create(company=first.company, number=f"J{n}", name=f"Job {n}", customer="NORTHSIDE")
        Membership.create(user=User.get(User.name == "Dee Sørensen"), job=job)
        vendor = Vendor.create(company=first.company, name=f"Vendor {n}", code=f"V{n}")
        commitment = Commitment.create(job=job, vendor=vendor, number=f"SC-{n:03}", subcontract=f"SC-{n:03}")
        lines = [(f"16-20{i:02}", "SUB", Decimal(-i)) for i in range(1, 4)]
        make_change_order(lines=lines, number="001", title=f"Piñon {n}", commitment=commitment)
    assert ChangeOrder.select().count() <= 50
