"""A list asks now and then how many wait: the counts and its title keep up, and an answer that would say the same is none."""

import pytest

from portal.domain.accounts.sessions import Session
from tests.conftest import HTMX, count_queries, sign_in
from tests.pages import page_of

SUMMARY = "/live/summary"


def counts(answer):
    partials = page_of(answer).find_all("hx-partial")
    return {one["hx-target"]: one.text for one in partials}


def test_a_list_asks_for_the_counts_and_goes_on_asking(client, ana, change_order):
    page = page_of(sign_in(client, ana).get("/change-orders"))
    asking = page.find(id="summary")

    answer = client.get(asking["hx-get"], headers=HTMX)

    assert asking["hx-get"] == SUMMARY
    assert page_of(answer).find(id="summary") == asking
    assert asking["hx-trigger"] == "load delay:15s"


def test_the_counts_are_those_of_now(client, ana, make_change_order):
    sign_in(client, ana)
    make_change_order("ready")
    make_change_order("exported")

    told = counts(client.get(SUMMARY, headers=HTMX))

    assert (told["#count-ready"], told["#count-exported"], told["#count-all"]) == ("1", "1", "2")
    assert told["#title-ready"] == "Ready to Export (1) – CCO Portal"


def test_a_page_that_shows_them_gets_no_content(client, ana, make_change_order):
    sign_in(client, ana)
    make_change_order("ready")
    tag = client.get(SUMMARY, headers=HTMX).headers["ETag"]

    same = client.get(SUMMARY, headers=HTMX | {"If-None-Match": tag})
    make_change_order("ready")
    other = client.get(SUMMARY, headers=HTMX | {"If-None-Match": tag})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    assert (other.status_code, counts(other)["#count-ready"]) == (200, "2")
    assert {answer.headers["Cache-Control"] for answer in (same, other)} == {"private, no-cache"}


def test_it_asks_the_database_for_the_session_and_once_more(client, ana, make_change_order):
    sign_in(client, ana)
    make_change_order("ready")
    tag = client.get(SUMMARY, headers=HTMX).headers["ETag"]

    for headers in (HTMX, HTMX | {"If-None-Match": tag}):
        with count_queries() as sent:
            client.get(SUMMARY, headers=headers)

        assert len(sent) == 2, "\n".join(sent)


def test_it_is_no_sign_of_a_person(client, ana, clock):
    sign_in(client, ana)
    before = Session.get().seen_at
    clock.tick(minutes=5)

    client.get(SUMMARY, headers=HTMX)

    assert Session.get().seen_at == before


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_to_someone_without_a_session_it_says_nothing(client, headers):
    answer = client.get(SUMMARY, headers=headers)

    assert answer.status_code in (303, 401)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_without_htmx_it_leads_to_the_list(client, ana):
    assert sign_in(client, ana).get(SUMMARY).location == "/"
