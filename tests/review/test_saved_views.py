"""Filters that people keep by a name, and that administrators share."""

import pytest

from portal.domain.review import saved_views
from portal.domain.review.saved_views import SavedView
from tests.conftest import sign_in
from tests.pages import main_words, page_of

QUERY = "view=all&q=duct&sort=amount"


def saved(client):
    """Name and address of each that the page lists."""
    return {link.get_text(): link["href"] for link in page_of(client.get("/saved-views")).select("tbody th a")}


def test_a_filtered_list_is_saved_and_opened_again(client, ana, change_order):
    sign_in(client, ana)
    link = page_of(client.get(f"/change-orders?{QUERY}")).find("a", string="Save this view")
    form = page_of(client.get(link["href"])).select_one("main form")

    answer = client.post(form["action"], data={"query": form.select_one("[name=query]")["value"], "name": " Ducts  by amount "})

    assert (answer.status_code, answer.location) == (303, "/saved-views")
    assert saved(client) == {"Ducts by amount": f"/change-orders?{QUERY}"}
    assert client.get(f"/change-orders?{QUERY}").status_code == 200


def test_the_same_name_takes_the_new_filter(client, ana):
    sign_in(client, ana)
    for query in (QUERY, "view=ready&held=yes"):
        client.post("/saved-views", data={"query": query, "name": "Mine"})

    assert saved(client) == {"Mine": "/change-orders?view=ready&held=yes"}


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\0b"])
def test_a_view_without_a_name_is_asked_for_one(client, ana, name):
    answer = sign_in(client, ana).post("/saved-views", data={"query": QUERY, "name": name})

    assert answer.status_code == 422
    assert "Give the view a name of at most 60 characters." in main_words(answer)
    assert page_of(answer, 422).select_one("[name=query]")["value"] == QUERY
    assert SavedView.select().count() == 0


def test_fields_that_no_list_has_are_left_out_however_many_there_are(client, ana):
    query = "&".join([QUERY, *(f"field{number}=x" for number in range(60))])

    shown = sign_in(client, ana).get("/saved-views", query_string={"query": query})
    client.post("/saved-views", data={"query": query, "name": "Ducts"})

    assert page_of(shown).select_one("[name=query]")["value"] == QUERY
    assert saved(client) == {"Ducts": f"/change-orders?{QUERY}"}


@pytest.mark.parametrize("query", ["view=nope", "view=all&min=x", "view=all&sort=x"])
def test_nothing_but_a_list_is_saved(client, ana, query):
    assert sign_in(client, ana).post("/saved-views", data={"query": query, "name": "x"}).status_code == 404
    assert SavedView.select().count() == 0


def test_what_is_no_part_of_a_list_is_left_out(client, ana):
    sign_in(client, ana).post("/saved-views", data={"query": "next=https://evil.test&view=ready&q=a%26b&after=1-1", "name": "x"})

    assert saved(client) == {"x": "/change-orders?view=ready&q=a%26b"}


def test_only_so_many_are_kept(client, ana, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    sign_in(client, ana).post("/saved-views", data={"query": QUERY, "name": "first"})

    assert client.post("/saved-views", data={"query": QUERY, "name": "second"}).status_code == 422
    assert client.post("/saved-views", data={"query": "view=ready", "name": "first"}).status_code == 303
    assert saved(client) == {"first": "/change-orders?view=ready"}


def test_a_view_is_its_owner_s_until_an_administrator_shares_theirs(client, app, ana, ada):
    sign_in(client, ana).post("/saved-views", data={"query": QUERY, "name": "Ana's"})
    admin = sign_in(app.test_client(), ada)
    admin.post("/saved-views", data={"query": QUERY, "name": "All ducts"})
    own, others = saved_views.seen_by(ada)[0], saved_views.seen_by(ana)[0]
    assert list(saved(client)) == ["Ana's"]

    refused = [
        client.post(f"/saved-views/{others.id}/sharing", data={"shared": "yes"}).status_code,
        admin.post(f"/saved-views/{others.id}/sharing", data={"shared": "yes"}).status_code,
        admin.post(f"/saved-views/{others.id}/removal").status_code,
        admin.post("/saved-views/999/removal").status_code,
    ]
    admin.post(f"/saved-views/{own.id}/sharing", data={"shared": "yes"})

    assert refused == [403, 403, 403, 404]
    assert list(saved(client)) == ["All ducts", "Ana's"]
    assert client.post(f"/saved-views/{own.id}/removal").status_code == 403
    admin.post(f"/saved-views/{own.id}/sharing", data={"shared": "no"})
    assert list(saved(client)) == ["Ana's"]
    client.post(f"/saved-views/{others.id}/removal")
    assert saved(client) == {}
