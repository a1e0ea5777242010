"""Whatever is sent to a change order's addresses: a refusal with a sentence, nothing recorded, and never a fault of ours."""

from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.companies import Company
from portal.domain.events import Event
from portal.domain.outbox import Dispatch
from portal.web.access import ENDPOINTS
from tests.cast import seen
from tests.conftest import HTMX, sign_in

pytestmark = pytest.mark.databases_differ("types and bad text")

IDS = [
    "0",
    "-1",
    "1.0",
    "01",
    "+1",
    "1 ",
    "%31%00",
    "1e3",
    "9" * 400,
    "9" * 19,
    "١٢",
    "１",
    "null",
    "true",
    "'",
    "1;DROP TABLE user",
    "..",
    "999999",
]
PLACES = ["", "/row", "/acceptance", "/preview", "/rejection", "/edit"]
VERSIONS = ["", "0", "-1", "1.0", "x", "null", "9" * 400, "١", "1 OR 1=1", "\x00"]
TEXTS = {
    "control characters": "a\x00b\x1bc",
    "a million characters": "x" * 900_000,
    "markup": "<script>alert(1)</script>",
    "a template": "{{1234*1000}}{% for x in y %}",
    "a quote": "'; DELETE FROM event; --",
    "right to left": "\u202egnp.exe",
    "a lone surrogate": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe",
    "emoji": "🏗️" * 20,
    "only blanks": " \u00a0\u2003",
}
READABLE = (
    "markup",
    "a template",
    "a quote",
    "right to left",
    "a lone surrogate",
    "no UTF-8",
)  # the last two arrive as %ED%A0%80 and %FF%FE
ADDRESSES = {
    "/change-orders": {"GET"},
    "/change-orders/1": {"GET"},
    "/change-orders/1/row": {"GET"},
    "/change-orders/1/acceptance": {"GET", "POST"},
    "/change-orders/1/preview": {"GET", "POST"},
    "/change-orders/1/rejection": {"GET", "POST"},
    "/change-orders/1/edit": {"GET", "POST"},
    "/change-orders/1/findings": {"POST"},
    "/change-orders/1/distinctions": {"POST"},
    "/change-orders/1/sending": {"POST"},
    "/jobs": {"GET"},
}
OURS = ("change_orders.", "deciding.", "projects.")


def encoded(**fields):
    """A form as bytes, so that it may hold what no text can."""
    return {"data": urlencode(fields), "content_type": "application/x-www-form-urlencoded"}


def state():
    """Everything that a refused request must leave as it was."""
    orders = list(
        ChangeOrder.select(ChangeOrder.id, ChangeOrder.status, ChangeOrder.version, ChangeOrder.title).order_by(ChangeOrder.id).tuples()
    )
    return orders, Event.select().where(Event.subject == "change_order").count(), Dispatch.select().count()


def sentence(answer):
    """The words a person reads, whatever form the answer has."""
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def refused(answer, *codes):
    assert answer.status_code in codes, f"{answer.status_code}: {answer.text[:300]}"
    assert len(sentence(answer).split()) > 5
    assert "Traceback" not in answer.text


@pytest.fixture
def ready(client, ana, change_order):
    """A change order that waits, with an approver at the browser."""
    sign_in(client, ana)
    return change_order


@pytest.mark.parametrize("id", IDS)
def test_an_id_that_is_none_is_no_page(client, ready, id):
    before = state()

    for place in PLACES:
        refused(client.get(f"/change-orders/{id}{place}"), 404)
    for place in ("acceptance", "rejection", "edit", "sending"):
        refused(client.post(f"/change-orders/{id}/{place}", data={"version": "1", "reason": "x"}), 404)
        refused(client.post(f"/change-orders/{id}/{place}", data={"version": "1", "reason": "x"}, headers=HTMX), 404)

    assert state() == before


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_address_takes_its_own_methods_only(client, ready, address, method):
    before = state()

    answer = client.open(address, method=method)

    if method in ADDRESSES[address]:
        assert answer.status_code != 405
    else:
        refused(answer, 405)
        assert state() == before


def test_every_address_of_ours_is_in_this_file(app):
    rules = {rule.rule.replace("<key:id>", "1") for rule in app.url_map.iter_rules() if rule.endpoint.startswith(OURS)}

    assert rules == set(ADDRESSES)
    assert {name for name in ENDPOINTS if name.startswith(OURS)} == {
        r.endpoint for r in app.url_map.iter_rules() if r.endpoint.startswith(OURS)
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", ["acceptance", "rejection"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_version_that_was_never_shown_decides_nothing(client, ready, version, place, headers):
    before = state()

    answer = client.post(f"/change-orders/{ready.id}/{place}", data=seen(ready, reason="x") | {"version": version}, headers=headers)

    refused(answer, 400, 409)
    assert state() == before


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("place", ["edit", "sending"])
def test_a_version_that_was_never_shown_saves_and_sends_nothing(client, dee, make_change_order, version, place):
    draft = make_change_order("draft")
    sign_in(client, dee)
    before = state()

    answer = client.post(f"/change-orders/{draft.id}/{place}", data={"version": version, "title": "x", "number": "001"})

    refused(answer, 400, 409)
    assert state() == before


@pytest.mark.parametrize("place", ["edit", "sending"])
def test_a_version_that_is_missing_from_a_form_with_other_faults_is_told_first(client, dee, make_change_order, place):
    draft = make_change_order("draft")
    sign_in(client, dee)
    before = state()

    answer = client.post(f"/change-orders/{draft.id}/{place}", data={"date": "0", "title": "x", "number": "001"})

    refused(answer, 400)
    assert state() == before


@pytest.mark.parametrize("place", ["acceptance", "rejection"])
def test_a_version_that_is_missing_or_there_twice_decides_nothing(client, ready, place):
    before = state()

    refused(client.post(f"/change-orders/{ready.id}/{place}", data={"reason": "x"}), 400)
    refused(client.post(f"/change-orders/{ready.id}/{place}", data={"version": [str(ready.version)] * 2, "reason": "x"}), 400)
    refused(client.post(f"/change-orders/{ready.id}/{place}", data=b"\x00\xff", headers={"Content-Type": "application/json"}), 400)

    assert state() == before


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "only blanks"])
def test_a_spectrum_number_that_is_none_decides_nothing(client, ready, name):
    before = state()

    answer = client.post(f"/change-orders/{ready.id}/acceptance", headers=HTMX, **encoded(**seen(ready, number=TEXTS[name])))

    refused(answer, 422)
    assert state() == before


def test_a_blank_spectrum_number_takes_the_proposed_one(client, ready):
    answer = client.post(f"/change-orders/{ready.id}/acceptance", data=seen(ready, number=" \u00a0"), headers=HTMX)

    assert answer.status_code == 200
    assert "S014-001" in answer.text


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("name", [name for name in TEXTS if name not in (*READABLE, "only blanks")])
def test_custom_words_that_spectrum_cannot_store_decide_nothing(client, ready, field, name):
    Company.update(custom_title=True).execute()
    before = state()
    typed = seen(ready, title="Fine", description="") | {field: TEXTS[name]}

    answer = client.post(f"/change-orders/{ready.id}/acceptance", headers=HTMX, **encoded(**typed))

    refused(answer, 422)
    assert state() == before


@pytest.mark.parametrize("name", ["control characters", "a million characters", "only blanks"])
def test_a_reason_that_is_none_decides_nothing(client, ready, name):
    before = state()

    answer = client.post(f"/change-orders/{ready.id}/rejection", headers=HTMX, **encoded(version=ready.version, reason=TEXTS[name]))

    refused(answer, 422)
    assert state() == before


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in ("control characters", "a million characters", "only blanks")])
def test_an_odd_reason_is_kept_and_shown_as_text(client, ready, name):
    answer = client.post(f"/change-orders/{ready.id}/rejection", headers=HTMX, **encoded(version=ready.version, reason=TEXTS[name]))

    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "1234000" not in answer.text
    assert client.get("/change-orders?view=returned").status_code == 200
    assert client.get(f"/change-orders/{ready.id}").status_code == 200


@pytest.mark.parametrize(
    "field", ["number", "title", "description", "phase_code", "cost_type", "quantity", "unit", "amount", "line_description", "bid_item"]
)
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_typed_into_the_senders_form_is_a_fault_of_ours(client, dee, make_change_order, field, name):
    draft = make_change_order("draft")
    line = dict.fromkeys(("phase_code", "cost_type", "line_description", "quantity", "unit", "amount", "bid_item"), "")
    form = {"version": draft.version, "number": "001", "title": "x", "description": ""} | line | {field: TEXTS[name]}
    sign_in(client, dee)

    answer = client.post(f"/change-orders/{draft.id}/edit", **encoded(**form))

    assert answer.status_code in (303, 422)
    assert load(draft.id).version == draft.version + (answer.status_code == 303)
    again = client.get(f"/change-orders/{draft.id}/edit")
    assert again.status_code == 200
    assert "<script>alert" not in again.text


def test_a_form_larger_than_a_megabyte_is_refused(client, ready):
    before = state()

    answer = client.post(f"/change-orders/{ready.id}/rejection", data={"version": ready.version, "reason": "x" * 1_100_000})

    refused(answer, 413)
    assert state() == before


@pytest.mark.parametrize(
    "after", ["x", "-", "1", "1-", "-1", "1-1-1", "9" * 400 + "-1", "١-١", "1-1;", "\x00", "1.5-2", "99999999999999999-1" + "0" * 20]
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_page_address_that_is_none_of_ours_is_no_page(client, ready, after, headers):
    refused(client.get("/change-orders", query_string={"view": "ready", "after": after}, headers=headers), 404)


@pytest.mark.parametrize("view", ["", "READY", "draft", "ready'", "\x00", "x" * 5000, "1"])
def test_a_view_that_is_none_is_no_page(client, ready, view):
    refused(client.get("/change-orders", query_string={"view": view}), 404)


def test_a_page_far_in_the_future_is_merely_empty(client, ready):
    answer = client.get("/change-orders", query_string={"view": "ready", "after": f"{10**17 - 1}-{10**18 - 1}"})

    assert answer.status_code == 200


def test_an_unknown_parameter_changes_nothing(client, ready):
    assert client.get("/change-orders?view=ready&order=;--&view=x").status_code == 200
    assert client.get(f"/change-orders/{ready.id}/row?cancelled=../../x", headers=HTMX).status_code == 200
