"""The list a person works from: the page of a change order and a decision without JavaScript lead back to it."""

import pytest

from portal.domain.change_orders import Status, load
from portal.domain.people import Membership
from portal.domain.review import lists
from tests.cast import seen
from tests.conftest import HTMX, path_of, sign_in
from tests.pages import page_of

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")


@pytest.fixture(autouse=True)
def two_on_a_page(monkeypatch):
    monkeypatch.setattr(lists.page.steps, "__defaults__", ("", 2))


@pytest.fixture
def four(make_change_order, clock):
    """Four that wait, oldest first."""
    made = []
    for _ in range(4):
        made.append(make_change_order())
        clock.tick(minutes=1)
    return made


def pressed(client, page, button):
    """The button's form with its hidden fields, sent as a browser without JavaScript does."""
    form = page.find(id=button).find_parent("form")
    data = {field["name"]: field["value"] for field in form.find_all("input") if field.get("type") == "hidden"}
    send = client.get if form["method"] == "get" else client.post
    return send(form["action"], **({"query_string": data} if form["method"] == "get" else {"data": data}))


def second_page(client):
    return page_of(client.get("/change-orders?view=ready")).find(rel="next")["href"]


def back_of(page):
    (link,) = page.select("header.heading .summary a")
    return link


@pytest.mark.parametrize(("view", "name"), [("ready", "Ready to Export"), ("all", "All")])
def test_the_page_of_a_change_order_leads_back_to_the_row_of_its_list(client, ana, four, view, name):
    sign_in(client, ana)
    following = page_of(client.get(f"/change-orders?view={view}")).find(rel="next")["href"]
    row = page_of(client.get(following)).select_one("tbody tr[id]")

    back = back_of(page_of(client.get(row.select_one("th a")["href"])))

    assert back["href"] == f"{following}#{row['id']}"
    assert back.get_text() == name


@pytest.mark.parametrize("list_of", ["job", "commitment"])
def test_it_leads_back_to_job_and_commitment(client, ana, four, job, commitment, list_of):
    here = f"/jobs/{job.id}" if list_of == "job" else f"/commitments/{commitment.id}"
    row = page_of(sign_in(client, ana).get(here)).select_one("tbody tr[id]")

    back = back_of(page_of(client.get(row.select_one("th a")["href"])))

    assert back["href"] == f"{here}#{row['id']}"


def test_without_javascript_a_decision_leads_back_to_the_page_at_the_row_behind(client, ana, four):
    sign_in(client, ana)
    here = second_page(client)

    form = page_of(pressed(client, page_of(client.get(here)), f"accept-{four[2].id}"))
    answer = pressed(client, form, f"export-{four[2].id}")

    assert answer.status_code == 303
    assert load(four[2].id).state is Status.QUEUED
    assert answer.location == f"{here}#change-order-{four[3].id}"


def test_a_row_that_stays_in_its_list_is_gone_back_to_itself(client, ana, four):
    sign_in(client, ana)

    form = page_of(pressed(client, page_of(client.get("/change-orders?view=all")), f"accept-{four[3].id}"))
    answer = pressed(client, form, f"export-{four[3].id}")

    assert answer.location == f"/change-orders?view=all#change-order-{four[3].id}"


def test_cancel_without_javascript_leads_back_to_the_same_page(client, ana, four):
    sign_in(client, ana)
    here = second_page(client)

    form = page_of(pressed(client, page_of(client.get(here)), f"reject-{four[3].id}"))

    cancel = form.find(id=f"cancel-{four[3].id}")
    asked = "&".join(f"{field['name']}={field['value']}" for field in cancel.find_all("input"))
    assert cancel["action"] == f"/change-orders#change-order-{four[3].id}"
    assert f"/change-orders?{asked}" == here


def test_the_place_outlives_a_refusal(client, ana, four):
    here = "/change-orders?view=all"
    data = seen(four[0], reason=" ", place=here)

    page = page_of(sign_in(client, ana).post(f"/change-orders/{four[0].id}/rejection", data=data), 422)

    assert back_of(page)["href"] == f"{here}#change-order-{four[0].id}"
    assert here in [field["value"] for field in page.find_all("input", {"name": "place"})]


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.test/",
        "//evil.test/change-orders",
        "/settings/company",
        "/login",
        "javascript:alert(1)",
        "/change-orders\\evil",
        "x",
        "",
    ],
)
def test_nothing_but_a_list_of_ours_is_led_back_to(client, ana, change_order, place):
    sign_in(client, ana)
    page = page_of(client.get(f"/change-orders/{change_order.id}", query_string={"place": place}))
    data = seen(change_order, reason="Wrong phase", place=place)

    answer = client.post(f"/change-orders/{change_order.id}/rejection", data=data)

    assert back_of(page)["href"] == "/change-orders?view=ready"
    assert answer.location == f"/change-orders?view=ready#change-order-{change_order.id}"


def test_a_row_that_asks_how_it_stands_keeps_the_place(client, ana, make_change_order):
    queued = make_change_order("queued")

    row = page_of(sign_in(client, ana).get(f"/change-orders/{queued.id}/row?place=/change-orders?view%3Dprogress", headers=HTMX)).tr

    assert row["hx-get"] == f"/change-orders/{queued.id}/row?place=/change-orders?view%3Dprogress"
    assert path_of(row.select_one("th a")["href"]).startswith(f"/change-orders/{queued.id}")


def list_before(page):
    """The first link of the edit page's heading; the second one leads to the details."""
    return page.select("header.heading .summary a")[0]


@pytest.fixture
def draft_of_dees(make_change_order, dee):
    """A draft of the job's, in lists of its members."""
    return make_change_order("draft", number="031")


@pytest.mark.parametrize("list_of", ["mine", "job", "commitment"])
def test_the_edit_page_leads_back_to_the_list_it_came_from_however_often_it_is_saved(client, dee, draft_of_dees, job, commitment, list_of):
    here = {"mine": "/jobs", "job": f"/jobs/{job.id}", "commitment": f"/commitments/{commitment.id}"}[list_of]
    row = page_of(sign_in(client, dee).get(here)).select_one("tbody tr[id]")
    page = page_of(client.get(row.select_one("th a")["href"]))
    assert list_before(page)["href"] == f"{here}#{row['id']}"

    form = page.select_one("form.edit")
    data = {one["name"]: one.get("value", "") for one in form.select("input[name]")} | {"description": "More"}
    saved = client.post(form["action"], data=data)

    assert list_before(page_of(client.get(saved.location)))["href"] == f"{here}#{row['id']}"
    assert list_before(page_of(client.post(form["action"], data=data), 409))["href"] == f"{here}#{row['id']}"


def test_the_edit_page_leads_back_through_the_page_of_the_change_order(client, ana, job, make_change_order):
    Membership.create(user=ana, job=job)
    sent_back = make_change_order("rejected")
    row = page_of(sign_in(client, ana).get("/change-orders?view=returned")).select_one("tbody tr[id]")
    shown = page_of(client.get(row.select_one("th a")["href"]))

    page = page_of(client.get(shown.find("a", string="Correct and re-send")["href"]))

    assert list_before(page)["href"] == f"/change-orders?view=returned#change-order-{sent_back.id}"
    assert list_before(page).get_text() == "Sent back"


@pytest.mark.parametrize("way", ["sending", "void"])
def test_what_is_sent_or_voided_on_the_edit_page_leads_back_too(client, dee, draft_of_dees, job, way):
    sign_in(client, dee)
    here = f"/jobs/{job.id}"

    answer = client.post(f"/change-orders/{draft_of_dees.id}/{way}", data={"version": draft_of_dees.version, "place": here})

    assert (answer.status_code, answer.location) == (303, f"{here}#change-order-{draft_of_dees.id}")


def test_the_edit_page_of_who_came_from_no_list_leads_to_their_own(client, dee, draft_of_dees):
    page = page_of(sign_in(client, dee).get(f"/change-orders/{draft_of_dees.id}/edit?place=https://evil.test/"))

    assert (list_before(page)["href"], list_before(page).get_text()) == ("/jobs", "Your change orders")
