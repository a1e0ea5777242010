"""What the interface does with requests that are not as they should be: each is refused in one form, and nothing is recorded."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from portal.api import bearer
from portal.api.bearer import Pace
from portal.db import Busy
from portal.domain import events
from portal.domain.accounts import api_tokens, idempotency
from portal.domain.accounts.idempotency import KeptAnswer
from portal.domain.change_orders import ChangeOrder
from portal.domain.projects import sending
from portal.web.access import ENDPOINTS, SCOPES, Who
from tests.api.conftest import System
from tests.conftest import count_queries, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

PATH = "/jobs/24-117/commitments/SC-014/change-orders/003"


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    return answer.json


def raw(system, data, content_type="application/json", path=PATH, **headers):
    sent = {"Authorization": f"Bearer {system.text}"} | headers
    return system.client.put(f"/api/v1{path}", data=data, content_type=content_type, headers=sent)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "cco_x", "Token cco_x"])
def test_without_a_token_nothing_is_answered(app, company, header):
    answer = app.test_client().get("/api/v1/change-orders", headers={"Authorization": header} if header is not None else {})

    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="CCO portal"'


@pytest.mark.parametrize("text", ["cco_wrong", "cco_" + "a" * 43, "ä", "x" * 5000])
def test_a_token_that_does_not_work_is_told_so(system, text):
    answer = System(system.client.application, text).get("/change-orders")

    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')


def test_a_revoked_token_is_refused_at_its_next_use(system, ada):
    assert system.get("/change-orders").status_code == 200
    api_tokens.revoke(api_tokens.everything()[0].id, ada)

    is_problem(system.get("/change-orders"), 401)


def test_a_cookie_opens_nothing_and_a_token_opens_no_page(system, eve):
    browser = sign_in(system.client.application.test_client(), eve)

    is_problem(browser.get("/api/v1/change-orders"), 401)
    assert system.client.get("/settings/people", headers={"Authorization": f"Bearer {system.text}"}).status_code == 303


def test_no_cookie_is_ever_set_and_no_csrf_token_asked_for(system, change):
    system.client.application.config["WTF_CSRF_ENABLED"] = True

    answer = system.put("003", change)

    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_addresses_of_the_interface_are_opened_by_tokens():
    by_token = {endpoint for endpoint, who in ENDPOINTS.items() if who in SCOPES}

    assert by_token == {endpoint for endpoint in ENDPOINTS if endpoint.startswith("api.")}


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["send"]])
def test_a_token_does_what_its_scopes_say_and_nothing_else(make_system, change, change_order, dee, scopes):
    system = make_system(dee, *scopes)
    one = {"id": change_order.id, "version": change_order.version}
    tried = {
        "read": [system.get("/change-orders"), system.get(f"/change-orders/{one['id']}"), system.get(PATH)],
        "write": [system.put("003", change)],
        "send": [system.retrieve(one), system.send(one)],
    }

    for scope, given in tried.items():
        for answer in given:
            if scope in scopes:
                assert answer.status_code not in (401, 403)
            else:
                assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]
                is_problem(answer, 403)
    assert system.get("/openapi.json").status_code == 200


def test_an_address_nobody_gave_access_to_is_closed_to_tokens_too(system):
    app = system.client.application
    app.add_url_rule("/api/v1/forgotten", "api.forgotten", lambda: "secrets")

    answer = system.get("/forgotten")

    assert "secrets" not in answer.text
    assert answer.status_code == 303


@pytest.mark.parametrize(("method", "path"), [("GET", "/nope"), ("GET", "/change-orders/0"), ("GET", "/change-orders/٣"), ("GET", "/")])
def test_what_is_not_there_is_a_problem_too(system, method, path):
    is_problem(system.open(method, path), 404)


def test_a_method_an_address_does_not_have_is_a_problem_too(system):
    answer = system.open("DELETE", PATH)

    is_problem(answer, 405)
    assert {"GET", "PUT"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
)
def test_only_json_is_read(system, content_type):
    is_problem(raw(system, b"{}", content_type), 415)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"title": NaN, "lines": []}',
        b'{"title": "a", "title": "b", "lines": []}',
        b"[" * 100_000,
        b'{"version": ' + b"9" * 5000 + b"}",
        b'\xef\xbb\xbf{"lines": []}',
    ],
)
def test_what_is_no_json_is_refused(system, data):
    is_problem(raw(system, data), 400)


def test_a_body_of_more_than_1_mb_is_refused(system, change):
    is_problem(raw(system, json.dumps(change | {"description": "x" * 1_000_000})), 413)
    is_problem(raw(system, b"{" + b" " * 999_990 + b"}"), 422)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"title": 5}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "a\u0000b"}, "/title"),
        ({"title": "two\nlines"}, "/title"),
        ({"title": "\ud800"}, "/title"),
        ({"description": "bell\u0007"}, "/description"),
        ({"status": "ready"}, "/status"),
        ({"id": 5}, "/id"),
        ({"a/b~c": 5}, "/a~1b~0c"),
        ({"\ud800": 5}, ""),
        ({"amount": "{0.__class__}"}, "/amount"),
        ({"version": 0}, "/version"),
        ({"version": "1"}, "/version"),
        ({"version": 2**31}, "/version"),
        ({"version": True}, "/version"),
        ({"amount": 5}, "/amount"),
        ({"amount": "1e3"}, "/amount"),
        ({"amount": ""}, "/amount"),
        ({"lines": None}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": [None]}, "/lines/0"),
        ({"lines": [{}] * 501}, "/lines"),
        ({"lines": [{}, {"amount": 4250.0}]}, "/lines/1/amount"),
        ({"lines": [{"amount": "1.005"}]}, "/lines/0/amount"),
        ({"lines": [{"amount": " 1"}]}, "/lines/0/amount"),
        ({"lines": [{"amount": "1\n"}]}, "/lines/0/amount"),
        ({"lines": [{"amount": "٣"}]}, "/lines/0/amount"),
        ({"lines": [{"amount": "NaN"}]}, "/lines/0/amount"),
        ({"lines": [{"amount": "12345678901"}]}, "/lines/0/amount"),
        ({"lines": [{"quantity": "1e3"}]}, "/lines/0/quantity"),
        ({"lines": [{"quantity": 3}]}, "/lines/0/quantity"),
        ({"lines": [{"phase_code": "9" * 31}]}, "/lines/0/phase_code"),
        ({"lines": [{"cost_code": "x"}]}, "/lines/0/cost_code"),
    ],
)
def test_what_has_not_the_form_is_told_by_its_place(system, change, changes, pointer):
    found = is_problem(raw(system, json.dumps(change | changes)), 422)

    assert [error["pointer"] for error in found["errors"]] == [pointer]
    assert found["errors"][0]["detail"].endswith(".")
    assert not ChangeOrder.select().exists()


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"x"'])
def test_a_body_that_is_no_object_is_told_so(system, body):
    found = is_problem(raw(system, body), 422)

    assert found["errors"][0]["detail"] == "has to be an object."


def test_a_thousand_faults_are_told_in_a_short_answer(system):
    answer = raw(system, json.dumps({f"{'x' * 300}{n}": 1 for n in range(1000)}))

    assert len(is_problem(answer, 422)["errors"]) == 100
    assert len(answer.data) < 50_000


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=pending", "status"),
        ("status=ready&status=done", "status"),
        ("after=0", "after"),
        ("after=1e3", "after"),
        ("after=9999999999999999999", "after"),
        ("after=-1", "after"),
        ("job=12345678901", "job"),
        ("number=%00", "number"),
        ("sort=__class__", "sort"),
    ],
)
def test_a_parameter_that_cannot_be_followed_is_named(system, query, parameter):
    found = is_problem(system.get(f"/change-orders?{query}"), 422)

    assert [error["parameter"] for error in found["errors"]] == [parameter]


def test_a_list_comes_page_by_page_each_change_order_once(system, make_change_order):
    made = [make_change_order("draft").id for _ in range(5)]

    seen, after, pages = [], "", 0
    while after is not None:
        page = system.get(f"/change-orders?limit=2&after={after}").json
        seen += [one["id"] for one in page["change_orders"]]
        after, pages = page["next"], pages + 1
        if pages == 1:
            late = make_change_order("draft").id

    assert seen == [*made, late]
    assert pages == 3


def test_a_list_is_narrowed_down(system, make_change_order):
    draft, ready, back = make_change_order("draft"), make_change_order("ready"), make_change_order("rejected")

    def ids(query):
        return [one["id"] for one in system.get(f"/change-orders?{query}").json["change_orders"]]

    assert ids("status=ready&status=rejected") == [ready.id, back.id]
    assert ids(f"number={draft.number}") == [draft.id]
    assert ids("job=24-117&commitment=SC-014") == [draft.id, ready.id, back.id]
    assert ids("job=24-118") == ids("commitment=%25") == ids("number=0_1") == []


def test_a_list_asks_the_database_no_more_for_many_rows(system, make_change_order):
    def queries():
        with count_queries() as sent:
            system.get("/change-orders?limit=100")
        return len(sent)

    make_change_order()
    system.get("/change-orders")
    few = queries()
    for _ in range(5):
        make_change_order()

    assert queries() == few


def test_a_key_makes_a_repeat_harmless_and_answers_it_the_same(system, change):
    first = system.put("003", change, Idempotency_Key="a-1")
    system.put("003", change | {"title": "Meanwhile"})

    again = system.put("003", change, Idempotency_Key="a-1")

    assert (again.status_code, again.json, again.location) == (201, first.json, first.location)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert system.get(PATH).json["title"] == "Meanwhile"


def test_a_send_that_is_repeated_under_its_key_is_answered_as_it_was(system, change):
    one = system.put("003", change).json
    first = system.send(one, Idempotency_Key="s-1")

    again = system.send(one, Idempotency_Key="s-1")

    assert (again.status_code, again.json) == (200, first.json)
    assert [event.action for event in events.history("change_order", one["id"])] == ["created", "sent"]
    assert system.send(one).json == first.json
    assert len(events.history("change_order", one["id"])) == 2


def test_a_key_is_for_one_request_only(system, change):
    one = system.put("003", change, Idempotency_Key="a-1").json

    for answer in (
        system.put("003", change | {"title": "Other"}, Idempotency_Key="a-1"),
        system.put("004", change, Idempotency_Key="a-1"),
        system.send(one, Idempotency_Key="a-1"),
    ):
        assert is_problem(answer, 422)["type"] == "urn:cco-portal:problem:idempotency-key-reused"
    assert [event.action for event in events.history("change_order", one["id"])] == ["created"]


def test_another_token_has_keys_of_its_own(system, make_system, dee, change):
    system.put("003", change, Idempotency_Key="a-1")

    assert make_system(dee, name="Other").put("004", change, Idempotency_Key="a-1").status_code == 201


def test_a_key_is_free_again_after_a_day(clock, system, change):
    system.put("003", change, Idempotency_Key="a-1")
    clock.tick(hours=23, minutes=59)
    assert system.put("004", change, Idempotency_Key="a-1").status_code == 422

    clock.tick(minutes=2)

    assert system.put("004", change, Idempotency_Key="a-1").status_code == 201
    assert KeptAnswer.select().count() == 1


def test_a_refusal_leaves_the_key_free(system, change):
    one = system.put("003", change | {"title": ""}).json
    assert system.send(one, Idempotency_Key="s-1").status_code == 422
    one = system.put("003", change).json

    assert system.send(one, Idempotency_Key="s-1").status_code == 200


@pytest.mark.parametrize("key", ["", "two words", "ä", "x" * 256])
def test_what_is_no_key_is_refused(system, change, key):
    is_problem(system.put("003", change, Idempotency_Key=key.encode("utf-8").decode("latin-1")), 400)
    assert not ChangeOrder.select().exists()


def test_one_key_used_by_many_at_once_changes_one_thing_once(app, system, change, database):
    def deliver(_):
        return System(app, system.text).put("003", change, Idempotency_Key="a-1")

    with ThreadPoolExecutor(8) as many:
        given = list(many.map(deliver, range(16)))

    assert {answer.status_code for answer in given} == {201}
    assert len({answer.text for answer in given}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in given) == 1
    assert len(events.history("change_order", given[0].json["id"])) == 1


def test_one_number_delivered_by_many_at_once_is_made_once(app, system, change, database):
    with ThreadPoolExecutor(8) as many:
        given = list(many.map(lambda n: System(app, system.text).put("003", change | {"title": f"Title {n}"}), range(16)))

    assert sorted(answer.status_code for answer in given) == [200] * 15 + [201]
    assert ChangeOrder.select().count() == 1


def test_change_and_kept_answer_are_written_together_or_not_at_all(system, change, monkeypatch):
    def busy(*_, **__):
        raise Busy("The database is busy. Nothing was recorded; try again.")

    monkeypatch.setattr(idempotency.KeptAnswer, "update", busy)

    is_problem(system.put("003", change, Idempotency_Key="a-1"), 503)
    assert not ChangeOrder.select().exists()
    assert not KeptAnswer.select().exists()


def test_too_many_requests_are_put_off(clock, make_app, make_system, dee, company):
    limited = System(make_app(API_PER_MINUTE=5), make_system(dee).text)
    assert [limited.get("/change-orders").status_code for _ in range(5)] == [200] * 5

    answer = limited.get("/change-orders")

    is_problem(answer, 429)
    assert answer.headers["Retry-After"] == "12"
    clock.tick(seconds=12)
    assert limited.get("/change-orders").status_code == 200
    assert limited.get("/change-orders").status_code == 429


def test_each_token_has_a_pace_of_its_own(clock):
    pace = Pace(2)
    assert [pace.wait(1) for _ in range(3)] == [0, 0, 30]

    assert pace.wait(2) == 0
    clock.tick(hours=1)
    assert [pace.wait(1) for _ in range(3)] == [0, 0, 30]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_changes_no_pace(clock, hours):
    pace = Pace(2)
    assert [pace.wait(1) for _ in range(3)] == [0, 0, 30]

    clock.set(clock.now() + timedelta(hours=hours))

    assert pace.wait(1) == 30


def guess(app, text="cco_wrong", address="192.0.2.7"):
    sent = {"headers": {"Authorization": f"Bearer {text}"}, "environ_base": {"REMOTE_ADDR": address}}
    return app.test_client().get("/api/v1/change-orders", **sent)


def test_who_tries_one_wrong_token_after_the_other_has_to_wait(clock, make_app, company):
    app = make_app(API_PER_MINUTE=100)
    for number in range(20):
        is_problem(guess(app, f"cco_{number}"), 401)

    answer = guess(app)

    assert is_problem(answer, 429)["type"] == "urn:cco-portal:problem:too-many-wrong-tokens"
    assert answer.headers["Retry-After"] == "4"
    assert guess(app, address="192.0.2.8").status_code == 401
    clock.tick(seconds=4)
    assert [guess(app).status_code for _ in range(2)] == [401, 429]


def test_a_token_that_works_is_let_in_from_the_address_of_somebody_who_guesses(clock, make_app, system):
    app = make_app(API_PER_MINUTE=10)
    while guess(app).status_code == 401:
        continue

    assert guess(app, system.text).status_code == 200
    assert guess(app).status_code == 429


def test_a_refused_token_leaves_a_line_in_the_log_and_never_itself(clock, app, system, ada, caplog):
    guess(app, "cco_" + "a" * 43)
    api_tokens.revoke(api_tokens.everything()[0].id, ada)
    guess(app, system.text)

    told = [record.getMessage() for record in caplog.records if "access token refused" in record.getMessage()]
    assert told == [
        "access token refused: address=192.0.2.7 token=unknown",
        "access token refused: address=192.0.2.7 token='Procore sync' (revoked)",
    ]
    assert "aaa" not in caplog.text
    assert system.text not in caplog.text


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
        ("192.0.2.7, 10.0.0.1", "unknown"),
    ],
)
def test_addresses_of_one_subscriber_count_as_one(address, counted):
    assert bearer.network(address) == counted


def test_who_has_not_asked_for_a_while_is_forgotten(clock, monkeypatch):
    monkeypatch.setattr(bearer, "MANY", 3)
    pace = Pace(60)
    for who in range(3):
        pace.wait(who)
    clock.tick(minutes=1)

    pace.wait("new")

    assert set(pace.empty_until) == {"new"}


def test_a_fault_of_ours_is_a_problem_with_a_reference(system, change, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    system.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(sending, "snapshot", broken)

    found = is_problem(system.put("003", change), 500)

    assert "Reference: " in found["detail"]
    assert "Zero" not in found["detail"]


def test_the_use_of_a_token_is_noted(clock, system):
    system.get("/change-orders")

    assert api_tokens.everything()[0].used_at == clock.moment
    assert ENDPOINTS["api.index"] is Who.READS
    assert timedelta(minutes=1) == api_tokens.NOTE_EVERY


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("24-117/commitments/SC-014/change-orders/1234567890123", "number"),
        ("24-117/commitments/SC-014/change-orders/0%E2%80%8B1", "number"),
        ("24-117/commitments/SC-014/change-orders/%EF%BF%BD", "number"),
        ("24-11712345/commitments/SC-014/change-orders/1", "job"),
        ("%00/commitments/SC-014/change-orders/1", "job"),
        ("24-117/commitments/9999999999999999999999999999999/change-orders/1", "commitment"),
    ],
)
def test_a_number_that_can_be_none_is_told_by_its_parameter(system, change, address, parameter):
    for answer in (system.get(f"/jobs/{address}"), system.open("PUT", f"/jobs/{address}", change)):
        assert answer.status_code == 422
        assert [error["parameter"] for error in answer.json["errors"]] == [parameter]
    assert not ChangeOrder.select().exists()


def test_an_address_that_is_no_text_is_refused_and_never_read_as_another_number(system, change):
    raw = "/api/v1/jobs/24-117/commitments/SC-014/change-orders/\xff"
    headers = {"Authorization": f"Bearer {system.text}"}

    answer = system.client.put("/api/v1/x", json=change, headers=headers, environ_overrides={"PATH_INFO": raw})
    asked = system.client.get("/api/v1/change-orders", headers=headers, environ_overrides={"QUERY_STRING": "number=%FF"})

    assert answer.status_code == asked.status_code == 422
    assert "The address is not in UTF-8." in [error["detail"] for error in answer.json["errors"] + asked.json["errors"]]
    assert not ChangeOrder.select().exists()
