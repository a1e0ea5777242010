"""What a list is narrowed to: by an address that can be shared, without JavaScript, in every view."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from portal.domain import change_orders
from portal.domain.change_orders import ChangeOrder
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import Membership, User
from portal.domain.projects import sending
from portal.domain.review import lists, paging
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import main_words, page_of

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")

STATES = {"ready": "ready", "progress": "queued", "failed": "failed", "exported": "exported", "returned": "rejected", "all": "exported"}


@pytest.fixture
def harbor(company):
    """A commitment of another vendor on another job."""
    job = Job.create(company=company, number="30-200", name="Säntis Tower", customer="HARBOR")
    vendor = Vendor.create(company=company, name="Nuñez Steel", code="NUNEZ")
    return Commitment.create(job=job, vendor=vendor, number="PO-0777", subcontract="PO-0777", title="Steel")


@pytest.fixture
def member(harbor, dee):
    Membership.create(user=dee, job=harbor.job)


@pytest.fixture
def both(member, make_change_order, harbor):
    """One of the usual commitment, and one of the other's."""
    return make_change_order(number="001"), make_change_order(number="002", title="Weld “Träger” plates", commitment=harbor)


def shown(client, **query):
    """The ids that the list shows, in their order."""
    return ids_of(page_of(client.get("/change-orders", query_string=query)))


@pytest.mark.parametrize(
    "query",
    [
        {"q": "002"},
        {"q": "trager"},
        {"q": "TRÄGER  weld"},
        {"q": "nunez"},
        {"q": "Nun\u0303ez"},
        {"q": "santis plates"},
        {"q": "30–200"},
        {"q": "po777"},
        {"q": "po-0777"},
        {"q": "\u200bPO-0777"},
        {"job": "30-200"},
        {"job": "tower santis"},
        {"vendor": "nunez"},
        {"vendor": "Nuñez Steel"},
        {"vendor": "steel nunez"},
    ],
    ids=str,
)
def test_it_is_found_however_it_is_spelled(client, ana, both, query):
    sign_in(client, ana)

    assert shown(client, **query) == [both[1].id]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "no such thing", "weld tower nothing"])
def test_what_is_nowhere_finds_nothing(client, ana, both, text):
    answer = sign_in(client, ana).get("/change-orders", query_string={"q": text})

    assert "No change order matches these filters." in main_words(answer)
    assert page_of(answer).select_one(".empty a")["href"] == "/change-orders?view=ready"


def test_the_number_of_a_job_means_that_job_alone(client, ana, both, company, harbor):
    Job.update(number="24-11", key="24-11").where(Job.id == harbor.job.id).execute()
    sign_in(client, ana)

    assert shown(client, job="24-11") == [both[1].id]
    assert len(shown(client, job="24-1")) == 2


def test_a_spectrum_number_is_searched_and_chosen(client, ana, make_change_order):
    exported, other = make_change_order("exported"), make_change_order("exported")
    sign_in(client, ana)

    assert shown(client, view="exported", q="s014-001") == [exported.id]
    assert shown(client, view="all", number="s014–002") == [other.id]
    assert shown(client, view="all", number="S014") == []


@pytest.mark.parametrize("view", STATES)
def test_every_view_can_be_narrowed(client, ana, both, make_change_order, view):
    made = make_change_order(STATES[view], title="Unlike the others")
    make_change_order(STATES[view])
    sign_in(client, ana)

    assert shown(client, view=view, q="unlike") == [made.id]


def test_people_are_chosen_by_name_and_address(client, ana, both, make_user):
    lee = make_user("Lee Smith")
    ChangeOrder.update(sent_by=lee, decided_by=lee, decided_at=both[0].sent_at, status="rejected").where(
        ChangeOrder.id == both[0].id
    ).execute()
    sign_in(client, ana)

    assert shown(client, view="all", sender="lee") == shown(client, view="all", sender=lee.email) == [both[0].id]
    assert shown(client, view="all", decider="smith") == [both[0].id]
    assert shown(client, view="all", decider="sørensen") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"min": "4,250.00"}, "high even"),
        ({"min": "4250.01"}, "high"),
        ({"max": "$4,250"}, "credit even"),
        ({"max": "(0.01)"}, "credit"),
        ({"min": "−500", "max": "-500"}, "credit"),
    ],
    ids=str,
)
def test_amounts_are_bounds_that_count_themselves(client, ana, make_change_order, query, found):
    made = {
        name: make_change_order(title=name, lines=[("16-2000", "SUB", amount)])
        for name, amount in (("high", "9000.00"), ("credit", "-500.00"), ("even", "4250.00"))
    }
    sign_in(client, ana)

    assert {name for name, one in made.items() if one.id in shown(client, **query)} == set(found.split())


def test_what_its_project_corrects_is_found_as_it_was_sent(client, ana, dee, make_change_order):
    returned = make_change_order("rejected")
    line = sending.LineDraft("16-2000", "SUB", Decimal("7.00"))
    sending.edit(returned.id, dee, returned.version, sending.Draft("001", "A secret of the project", "", [line]))
    sign_in(client, ana)

    assert shown(client, view="returned", q="secret") == []
    assert shown(client, view="returned", q="relocate") == [returned.id]
    assert shown(client, view="returned", min="4250", max="4250") == [returned.id]

    sending.send(returned.id, dee, change_orders.load(returned.id).version)

    assert shown(client, q="secret", max="7") == [returned.id]


def test_an_age_is_counted_in_days_of_the_company(client, ana, make_change_order, clock):
    old = make_change_order()
    sign_in(client, ana)
    assert shown(client, age="0") == []
    clock.tick(hours=25)
    sign_in(client, ana)
    young = make_change_order()

    assert shown(client, age="0") == [old.id]
    assert shown(client, age="2") == []
    assert shown(client) == [old.id, young.id]


def test_an_age_goes_on_while_nothing_is_written(client, ana, change_order, clock):
    sign_in(client, ana)
    clock.set(clock.moment.replace(hour=12, minute=0))
    ChangeOrder.update(sent_at=clock.moment).execute()
    User.update(last_active_at=clock.moment + timedelta(days=1)).execute()
    assert shown(client, age="0") == []

    clock.tick(hours=23)
    sign_in(client, ana)

    assert shown(client, age="0") == [change_order.id]


def test_my_decisions_are_those_of_today_or_of_this_week(client, ana, lee, make_change_order, clock):
    clock.set(datetime.fromisoformat("2026-11-24T18:00:00+00:00"))  # a Tuesday
    decided = {"today": "2026-11-24T06:00", "week": "2026-11-23T06:00", "before": "2026-11-23T05:59"}  # UTC; midnight is at 6
    made = {name: make_change_order("rejected") for name in (*decided, "lee")}
    for name, moment in decided.items():
        at = datetime.fromisoformat(f"{moment}:00+00:00")
        ChangeOrder.update(decided_by=ana, decided_at=at).where(ChangeOrder.id == made[name].id).execute()
    ChangeOrder.update(decided_by=lee, decided_at=clock.moment).where(ChangeOrder.id == made["lee"].id).execute()
    links = {
        link.get_text(): link["href"]
        for link in page_of(sign_in(client, ana).get("/change-orders?view=ready")).select(".mine a[href*=decided]")
    }

    found = {label: set(ids_of(page_of(client.get(address)))) for label, address in links.items()}

    assert found == {"today": {made["today"].id}, "this week": {made["today"].id, made["week"].id}}


def test_days_count_from_midnight_of_the_company(client, ana, make_change_order):
    made = make_change_order()
    ChangeOrder.update(sent_at=made.sent_at.replace(year=2026, month=11, day=24, hour=5, minute=59)).execute()  # 11:59 pm of the 23rd
    sign_in(client, ana)

    assert shown(client, view="all", since="2026-11-23", until="2026-11-23") == [made.id]
    assert shown(client, view="all", since="2026-11-24") == shown(client, view="all", until="2026-11-22") == []


def test_the_checks_part_what_is_clean_from_the_rest(client, ana, make_change_order, clock):
    clean, flagged, held, asked = (make_change_order() for _ in range(4))
    ChangeOrder.update(looks="", checks="clean").execute()
    ChangeOrder.update(looks="credit").where(ChangeOrder.id == flagged.id).execute()
    ChangeOrder.update(held_until=date(2099, 1, 1)).where(ChangeOrder.id == held.id).execute()
    ChangeOrder.update(asked_at=clock.moment).where(ChangeOrder.id == asked.id).execute()
    sign_in(client, ana)

    assert shown(client, checks="clean") == [clean.id]
    assert set(shown(client, checks="flagged")) == {flagged.id, held.id, asked.id}
    assert shown(client, held="yes") == [held.id]
    assert set(shown(client, held="no")) == {clean.id, flagged.id, asked.id}


def test_a_status_is_chosen_among_all(client, ana, make_change_order):
    made = {status: make_change_order(status) for status in ("ready", "queued", "exported", "rejected")}
    sign_in(client, ana)

    assert shown(client, view="all", status="rejected") == [made["rejected"].id]
    assert shown(client, view="ready", status="rejected") == [made["ready"].id]  # a field of All alone


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"min": "twelve"}, "“twelve” is not an amount."),
        ({"min": "10", "max": "9"}, "The highest amount is below the lowest."),
        ({"age": "-1"}, "“-1” is not a number of days."),
        ({"age": "१"}, "is not a number of days."),
        ({"checks": "odd"}, "Checks: choose from the list."),
        ({"status": "draft"}, "Status: choose from the list."),
        ({"since": "yesterday"}, "“yesterday” is not a date."),
        ({"since": "2026-11-24", "until": "2026-11-23"}, "The last day is before the first day."),
        ({"q": "a\0b"}, "Search: type one line of plain text."),
        ({"q": "x" * 101}, "Search: type at most 100 characters."),
        ({"q": "a b c d e f g"}, "Search: type at most 6 words."),
    ],
    ids=str,
)
def test_what_is_no_filter_is_told_and_stays_in_its_field(client, ana, change_order, query, said):
    answer = sign_in(client, ana).get("/change-orders", query_string={"view": "all", "q": "duct"} | query)

    page = page_of(answer, 422)
    assert said in main_words(answer)
    assert [one.get("value") for one in page.select("#q")] == [query.get("q", "duct").strip()]
    assert not page.select("tbody")
    wrong = [one["href"].removeprefix("#") for one in page.select("#problems a")]
    assert [one["id"] for one in page.select("form.narrows [aria-invalid]")] == wrong


def test_the_heading_counts_what_the_filter_lets_through(client, ana, both, monkeypatch):
    sign_in(client, ana)

    answer = client.get("/change-orders?q=träger")
    assert main_words(answer).startswith("Change Orders - Ready to be Exported to Spectrum 1 change order waiting · $4,250.00 · oldest now")
    assert page_of(answer).title.string.startswith("Ready to Export (1)")

    monkeypatch.setattr(lists, "MOST_COUNTED", 1)
    page = page_of(client.get("/change-orders?q=0"))
    assert page.select_one("#totals").get_text(" ", strip=True) == "More than 1 change orders · Count all"
    counted = page_of(client.get(page.select_one("#totals a")["href"]))
    assert counted.select_one("#totals").get_text(" ", strip=True).startswith("2 change orders waiting · $8,500.00")


def test_a_decision_on_a_filtered_page_counts_the_rest_of_the_filter(client, ana, both):
    sign_in(client, ana)
    place = "/change-orders?view=ready&q=0"

    answer = client.post(
        f"/change-orders/{both[0].id}/rejection", data={"version": both[0].version, "reason": "No", "place": place}, headers=HTMX
    )

    filtered = next(one for one in page_of(answer).select("hx-partial") if "filtered" in one["hx-target"])
    assert filtered.get_text(" ", strip=True).startswith("1 change order waiting · $4,250.00")


def test_place_and_filter_outlive_a_decision_and_the_page_of_a_change_order(client, ana, both):
    sign_in(client, ana)
    here = "/change-orders?view=ready&q=duct&held=no"

    row = page_of(client.get(here)).select_one("tbody tr[id]")
    back = page_of(client.get(row.select_one("th a")["href"])).select_one("header.heading .summary a")
    answer = client.post(f"/change-orders/{both[0].id}/rejection", data={"version": both[0].version, "reason": "No", "place": here})

    assert back["href"] == f"{here}#change-order-{both[0].id}"
    assert answer.location.startswith(here)


def test_signing_in_leads_back_to_the_filter(client, ana, both):
    answer = client.get("/change-orders?view=ready&q=tr%C3%A4ger")
    led = client.post(answer.location, data={"email": ana.email, "password": "a long password for tests"})

    assert led.location.endswith("/change-orders?view=ready&q=tr%C3%A4ger")


def test_the_sections_stay_with_a_filter_and_bulk_accept_takes_what_is_shown(client, ana, both, make_change_order):
    ChangeOrder.update(looks="").where(ChangeOrder.id == both[1].id).execute()
    also = make_change_order(number="003", title="Duct of clean air")
    ChangeOrder.update(looks="").where(ChangeOrder.id == also.id).execute()
    sign_in(client, ana)

    page = page_of(client.get("/change-orders?view=ready&q=duct"))
    sheet = page_of(client.get(page.select_one("#accept-clean")["href"]))

    assert [one.get_text() for one in page.select("tr.part")] == ["Needs a look (1)", "Clean (1)"]
    assert page.select_one("#accept-clean").get_text() == "Accept 1 clean"
    assert "Duct of clean air" in sheet.text
    assert "Träger" not in sheet.text
    assert {one["href"] for one in sheet.select("main a[href^='/change-orders?']")} == {"/change-orders?view=ready&q=duct"}


def ids_of(page):
    return [int(row["id"].removeprefix("change-order-")) for row in page.select("tbody tr[id]")]


@pytest.mark.parametrize("view", ["ready", "all"])
@pytest.mark.parametrize("sort", paging.SORTS)
def test_a_list_is_sorted_page_by_page(client, ana, member, harbor, make_change_order, monkeypatch, clock, sort, view):
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))
    made = []
    for n, amount in enumerate(("5.00", "-1.00", "9.00", "5.00", "0.01")):
        place = {"commitment": harbor} if n % 2 else {}
        made.append(make_change_order(number=f"{n:03}", lines=[("16-2000", "SUB", amount)], **place).id)
        clock.tick(minutes=1)
    sign_in(client, ana)

    found, address = [], f"/change-orders?view={view}&sort={sort}&q=duct&sections=off"
    while address:
        page = page_of(client.get(address))
        found += ids_of(page)
        address = (page.find(rel="next") or {}).get("href")

    orders = {
        "oldest": [0, 1, 2, 3, 4],
        "newest": [4, 3, 2, 1, 0],
        "amount": [2, 3, 0, 4, 1],
        "vendor": [1, 3, 0, 2, 4],
        "commitment": [1, 3, 0, 2, 4],
    }
    assert found == [made[n] for n in orders[sort]]


def test_the_heads_of_columns_sort_and_say_so(client, ana, both):
    sign_in(client, ana)
    page = page_of(client.get("/change-orders?view=ready&q=0"))
    heads = {link.get_text(): link["href"] for link in page.select("thead a")}
    assert [(one.get_text(strip=True), one["aria-sort"]) for one in page.select("[aria-sort]")] == [("Sent", "ascending")]

    sorted_by = {label: page_of(client.get(address)).select("[aria-sort]") for label, address in heads.items()}

    assert heads["Amount"] == "/change-orders?view=ready&q=0&sort=amount"
    assert {label: [(one.get_text(strip=True), one["aria-sort"]) for one in found] for label, found in sorted_by.items()} == {
        "Commitment": [("Commitment", "ascending")],
        "Vendor": [("Vendor", "ascending")],
        "Amount": [("Amount", "descending")],
        "Sent": [("Sent", "descending")],
    }


def test_sorting_keeps_the_sections_unless_they_are_turned_off(client, ana, both):
    ChangeOrder.update(looks="").where(ChangeOrder.id == both[1].id).execute()
    sign_in(client, ana)

    apart = page_of(client.get("/change-orders?view=ready&sort=amount"))
    together = page_of(client.get("/change-orders?view=ready&sort=vendor&sections=off"))

    assert [one.get_text() for one in apart.select("tr.part")] == ["Needs a look (1)", "Clean (1)"]
    assert not together.select("tr.part")
    assert ids_of(together) == [both[1].id, both[0].id]


@pytest.mark.parametrize("after", ["0", "99", "x", "1-2", "9" * 19, "²"])
def test_a_page_behind_nothing_is_not_found(client, ana, both, after):
    answer = sign_in(client, ana).get("/change-orders", query_string={"sort": "amount", "after": after})

    assert answer.status_code == 404


def test_a_sorted_list_is_led_back_to_behind_what_was_decided(client, ana, make_change_order):
    made = [make_change_order(lines=[("16-2000", "SUB", amount)]) for amount in ("1.00", "3.00", "2.00")]
    here = "/change-orders?view=ready&sort=amount"

    data = {"version": made[1].version, "reason": "No", "place": here}
    answer = sign_in(client, ana).post(f"/change-orders/{made[1].id}/rejection", data=data)

    assert answer.location == f"{here}#change-order-{made[2].id}"


def test_fields_left_empty_are_no_part_of_the_address(client, ana, both):
    answer = sign_in(client, ana).get("/change-orders?view=ready&q=duct&job=&min=&checks=")

    assert (answer.status_code, answer.location) == (303, "/change-orders?view=ready&q=duct")


def test_paging_keeps_the_filter(client, ana, make_change_order, monkeypatch, clock):
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))
    made = []
    for n in range(5):
        made.append(make_change_order(title=("Odd", "Even")[n % 2]).id)
        clock.tick(minutes=1)
    sign_in(client, ana)

    first = page_of(client.get("/change-orders?view=all&q=odd"))
    second = page_of(client.get(first.find(rel="next")["href"]))

    assert ids_of(first) + ids_of(second) == [made[4], made[2], made[0]]
    assert second.find("a", string="First page")["href"] == "/change-orders?view=all&q=odd"


def test_a_page_without_a_filter_asks_no_more_than_before(client, ana, both):
    sign_in(client, ana)
    client.get("/change-orders?view=ready")
    ChangeOrder.update(description="so that it is worked out again").execute()

    with count_queries() as sent:
        client.get("/change-orders?view=ready")

    assert not [sql for sql in sent if "search_text LIKE" in sql]
