"""Nobody gets at what is another job's: no object by its address, no draft by whatever road."""

import re

import pytest

from portal.domain.accounts import api_tokens
from portal.web.access import ENDPOINTS, Who
from tests.attacks.conftest import DESCRIPTION, DRAFT
from tests.attacks.crawling import Crawl
from tests.attacks.judging import state
from tests.conftest import HTMX, sign_in

KINDS = {"jobs.commitment": "commitments", "jobs.new": "commitments", "jobs.create": "commitments"}  # else what the endpoint begins with
ROADS = [
    "/change-orders?view=all",
    "/change-orders/{id}",
    "/change-orders/{id}/row",
    "/change-orders/{id}/row?cancelled=acceptance",
    "/change-orders/{id}/acceptance",
    "/change-orders/{id}/preview",
    "/change-orders/{id}/rejection",
    "/change-orders/{id}/resolution?answer=present",
    "/change-orders/{id}/manual-entry",
    "/change-orders/{id}/unlinking",
    "/change-orders/{id}/edit",
    "/jobs/{job}",
    "/commitments/{commitment}",
    "/settings/audit?number=001",
    "/settings/audit.csv?number=001",
    "/settings/audit.csv",
    "/imports",
]
WAYS = ["findings", "sending", "edit", "acceptance", "preview", "rejection", "recall", "retry", "review", "void", "retrieval", "look-up"]

FORM = {"reason": "x", "note": "x", "number": "S014-001", "answer": "present", "title": "x", "description": "x"}


def addresses(app, town, blueprints):
    """Every address of one object of Dee's job, with the methods it takes."""
    ids = {"jobs": [town.orders["ready"].job.id], "commitments": [town.orders["ready"].commitment.id], "imports": [1, 2, 3]}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in blueprints and "<key:id>" in rule.rule:
            kind = KINDS.get(rule.endpoint, rule.endpoint.partition(".")[0])
            for id in ids.get(kind, [order.id for order in town.orders.values()]):
                for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                    yield method, rule.rule.replace("<key:id>", str(id)), id


def told_of(town):
    """What a page that shows something of Dee's job would say."""
    return [order.title for order in town.orders.values()] + ["Harbor Tower", "Volt Electric", "Duct bank", "good.csv", "bad.csv"]


@pytest.mark.parametrize("who", ["tom", "ivy"])
def test_who_has_neither_level_nor_membership_reaches_no_object_of_a_job_by_its_address(app, town, who):
    client = sign_in(app.test_client(), town.people[who])
    before, versions, tried = state(), {order.id: order.version for order in town.orders.values()}, 0

    for headers in ({}, HTMX):
        for method, address, id in addresses(app, town, {"change_orders", "deciding", "resolving", "projects", "jobs", "imports"}):
            data = FORM | {"version": versions.get(id, 1)} if method == "POST" else None
            answer = client.open(address, method=method, data=data, headers=headers)
            tried += 1
            led_to_a_refusal = answer.status_code == 303 and client.get(answer.location).status_code in (403, 404)
            assert answer.status_code in (400, 403, 404, 409) or led_to_a_refusal, f"{method} {address}: {answer.status_code}"
            assert not [words for words in told_of(town) if words in answer.text], f"{method} {address} tells of it"

    assert tried > 400
    assert state() == before


@pytest.fixture
def at_browser(app, clock, request):
    """Somebody of this name, signed in; no time passes."""
    return lambda name: sign_in(app.test_client(), request.getfixturevalue(name))


@pytest.mark.parametrize("who", ["ivy", "ben", "ana", "sam", "dee"])
def test_what_an_administrator_sees_and_does_is_refused_to_everybody_else_whatever_the_object(app, at_browser, change_order, eve, who):
    client = at_browser(who)
    before = state()

    for rule in app.url_map.iter_rules():
        if ENDPOINTS[rule.endpoint] is Who.ADMINISTERS:
            address = re.sub(r"<(?:\w+:)?\w+>", "1", rule.rule)
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                data = {"level": "Admin", "can_push": "on", "job": "24-117"} if method == "POST" else None
                answer = client.open(address, method=method, data=data)
                assert answer.status_code == 403, f"{method} {address}: {answer.status_code}"

    assert state() == before


def test_a_draft_is_told_to_members_of_its_job_and_to_nobody_else_on_any_page_that_links_lead_to(app, town):
    for who, person in town.people.items():
        crawl = Crawl(sign_in(app.test_client(), person))
        telling = [address for address, answer in crawl.answers.items() if says_it(answer)]
        assert bool(telling) == (who == "tom"), f"{who}: {telling}"
        assert len(crawl.answers) >= 5


def says_it(answer):
    return DRAFT.encode() in answer.data or DESCRIPTION.encode() in answer.data


@pytest.mark.parametrize("road", ROADS)
def test_an_administrator_who_approves_learns_nothing_of_a_foreign_draft_by_this_road(at_browser, toms_draft, road):
    client = at_browser("ada")
    address = road.format(id=toms_draft.id, job=toms_draft.job.id, commitment=toms_draft.commitment.id)

    for headers in ({}, HTMX):
        answer = client.get(address, headers=headers)
        assert answer.status_code in (200, 403, 409)
        assert not says_it(answer)


@pytest.mark.parametrize("way", WAYS)
def test_nobody_outside_its_job_does_anything_to_a_draft(at_browser, toms_draft, way):
    for who in ("ana", "ben", "sam", "ivy"):
        client = at_browser(who)
        before = state()
        for headers in ({}, HTMX):
            answer = client.post(f"/change-orders/{toms_draft.id}/{way}", data=FORM | {"version": toms_draft.version}, headers=headers)
            assert answer.status_code in (400, 403, 409)
            assert not says_it(answer)
        assert state() == before


@pytest.mark.parametrize("who", ["ana", "ben", "ivy", "ada"])
def test_no_token_tells_a_draft_to_whom_no_page_does(app, toms_draft, ada, who, request):
    text = api_tokens.make("A curious system", request.getfixturevalue(who).id, {"read", "write", "send"}, None, ada)[1]
    client, headers = app.test_client(), {"Authorization": f"Bearer {text}"}
    named, by_id = "/api/v1/jobs/25-001/commitments/PO-001/change-orders/001", f"/api/v1/change-orders/{toms_draft.id}"

    answers = [
        client.get("/api/v1/change-orders", headers=headers),
        client.get("/api/v1/change-orders?job=25-001", headers=headers),
        client.get("/api/v1/change-orders?status=draft", headers=headers),
        client.get(by_id, headers=headers),
        client.get(named, headers=headers),
        client.put(named, headers=headers, json={"title": "Mine now", "lines": [], "version": toms_draft.version}),
        client.post(f"{by_id}/sending", headers=headers, json={"version": toms_draft.version}),
        client.post(f"{by_id}/retrieval", headers=headers, json={"version": toms_draft.version}),
    ]

    assert not [answer.text for answer in answers if says_it(answer)]
    assert {answer.status_code for answer in answers[3:]} <= {403, 404, 409, 422}
    assert type(toms_draft).get_by_id(toms_draft.id).title == DRAFT
