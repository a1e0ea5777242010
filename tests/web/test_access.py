"""Nobody gets at anything by default: one table says who may ask for what, and forms of other sites are refused."""

import json
import re

import pytest
from flask import abort

import config
from portal import create_app, logs
from portal.db import Busy
from portal.domain.people import NotPermitted
from portal.version import VERSION
from portal.web.access import ENDPOINTS, SCOPES, Who
from tests.conftest import HTMX, path_of, sign_in

PEOPLE = {Who.PUBLIC: ["nobody", "dee", "ben", "ana", "eve"], Who.SIGNED_IN: ["dee", "ben", "ana", "eve"]}
PEOPLE |= {Who.LOOKS: ["ben", "ana", "eve"], Who.SUPPORTS: ["ana", "eve"], Who.ADMINISTERS: ["eve"]}
PEOPLE |= {who: [] for who in (*SCOPES, Who.SCRAPES)}  # a token opens these, and no sign-in
REFUSALS = ("You need level Read Only", "You need level Standard", "Only administrators")


def address(rule):
    """An address of the rule, with ids that nothing has."""
    return re.sub(r"<\w+:\w+>", "4711", re.sub(r"<path:\w+>", "portal.css", rule.rule))


def rules(app):
    return [(rule, method) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}]


def test_every_route_is_in_the_table(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} <= set(ENDPOINTS)


def test_the_table_has_no_row_without_a_route(app):
    assert set(ENDPOINTS) <= {rule.endpoint for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("who", ["nobody", "dee", "ben", "ana", "eve"])
def test_every_route_answers_whom_the_table_lets_through_and_nobody_else(app, client, who, request):
    if who != "nobody":
        sign_in(client, request.getfixturevalue(who))

    for rule, method in rules(app):
        if rule.endpoint == "sessions.end":
            continue  # would sign the person out
        answer = client.open(address(rule), method=method)

        let_in = who in PEOPLE[ENDPOINTS[rule.endpoint]]
        led_to_sign_in = answer.status_code == 303 and answer.location.startswith("/login")
        refused = answer.status_code == 403 and any(words in answer.text for words in REFUSALS)
        without_token = answer.status_code == 401 and "Bearer" in answer.headers["WWW-Authenticate"]
        assert (led_to_sign_in or refused or without_token) == (not let_in), f"{who}: {method} {rule.rule} answered {answer.status_code}"


def test_a_route_that_somebody_forgot_in_the_table_is_closed(app, client, eve):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secrets")
    sign_in(client, eve)

    answer = client.get("/forgotten")

    assert answer.status_code == 403
    assert "secrets" not in answer.text


def test_a_route_that_somebody_forgot_is_closed_for_nobody_in_particular_too(app, client):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secrets")

    assert client.get("/forgotten").location == "/login"


def test_a_refusal_says_why_and_who_can_help(client, dee, eve):
    sign_in(client, dee)

    answer = client.get("/change-orders")

    assert answer.status_code == 403
    assert "You need level Read Only or higher to see this. Ask an administrator: Eve Laurent." in answer.text


def test_the_same_refusal_comes_to_htmx_as_an_alert(client, dee):
    sign_in(client, dee)

    answer = client.get("/change-orders", headers=HTMX)

    assert answer.status_code == 403
    assert answer.headers["HX-Retarget"] == "#alert"
    assert "<html" not in answer.text
    assert "You need level Read Only" in answer.text


def test_rights_that_were_taken_away_are_gone_at_the_next_click(client, eve):
    sign_in(client, eve)
    eve.level = "Read Only"
    eve.save()

    assert client.get("/settings/people").status_code == 403


@pytest.mark.parametrize(("who", "start"), [("ben", "/change-orders?view=ready"), ("ana", "/change-orders?view=ready"), ("dee", "/jobs")])
def test_the_start_page_is_where_the_person_works(client, who, start, request):
    sign_in(client, request.getfixturevalue(who))

    assert client.get("/").location == start


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
    ],
)
def test_a_form_of_another_site_is_refused(client, ana, headers):
    answer = client.post("/login", data={"email": ana.email, "password": "whatever"}, headers=headers)

    assert answer.status_code == 403
    assert "This form did not come from the portal." in answer.text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {"Origin": "https://localhost"}])
def test_a_form_of_ours_is_not(client, headers):
    assert client.post("/login", data={}, headers=headers).status_code == 422


def test_a_form_without_its_token_is_refused_in_plain_words(csrf_client):
    answer = csrf_client.post("/login", data={"email": "x", "password": "y"})

    assert answer.status_code == 400
    assert "press Back, reload the page, and send it again" in answer.text


@pytest.mark.parametrize("token", ["", "x", "null", "é", "a.b.c"])
def test_a_form_with_a_bad_token_is_refused(csrf_client, token):
    csrf_client.get("/login")

    assert csrf_client.post("/login", data={"email": "x", "password": "y", "csrf_token": token}).status_code == 400


def test_every_form_of_a_page_carries_the_token(csrf_client, eve):
    page = csrf_client.get("/login").text
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    csrf_client.post("/login", data={"email": eve.email, "password": "a long password for tests", "csrf_token": token})

    for path in ("/settings/people", "/settings/company"):
        page = csrf_client.get(path).text
        assert page.count('method="post"') == page.count('name="csrf_token"') > 0


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "/nope", 404), ("GET", "/%00", 404), ("PUT", "/login", 405), ("GET", "/logout", 405)]
)
def test_what_is_not_there_is_told_in_a_sentence(client, ana, method, path, code):
    sign_in(client, ana)

    answer = client.open(path, method=method)

    assert answer.status_code == code
    assert "<h1" in answer.text
    assert "werkzeug" not in answer.text.lower()


def test_a_request_that_is_too_large_is_told_so(client):
    answer = client.post("/login", data={"email": "x" * 1_000_001})

    assert answer.status_code == 413
    assert "at most 1 MB" in answer.text


@pytest.fixture
def failing(app, client, ana):
    """Answers with the page on which this error comes up."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    sign_in(client, ana)

    def ask(error, **headers):
        def view():
            if isinstance(error, int):
                abort(error)
            raise error

        app.view_functions["frame.home"] = view
        return client.get("/", headers=headers)

    return ask


def test_a_fault_of_ours_gives_a_reference_that_the_log_has_too_and_no_trace(failing, capsys):
    logs.configure("json")

    answer = failing(ZeroDivisionError("the secret"))

    assert answer.status_code == 500
    (reference,) = re.findall(r"<code>([0-9a-f]{12})</code>", answer.text)
    fault = next(line for line in map(json.loads, capsys.readouterr().err.splitlines()) if line["event"].startswith("fault: method=GET"))
    assert fault["request"] == reference
    assert "ZeroDivisionError" in fault["exception"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_fault_comes_to_htmx_as_an_alert(failing):
    answer = failing(ZeroDivisionError(), **HTMX)

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (500, "#alert")
    assert answer.text.startswith('<p class="alert">')


def test_a_busy_database_says_that_nothing_was_recorded(failing):
    answer = failing(Busy())

    assert answer.status_code == 503
    assert "Nothing was recorded; try again" in answer.text


def test_what_the_domain_does_not_permit_is_a_403_in_its_words(failing):
    answer = failing(NotPermitted("Not on Sundays."))

    assert (answer.status_code, "Not on Sundays." in answer.text) == (403, True)


def test_a_refusal_without_words_of_its_own_gets_general_ones(failing):
    assert "You may not do this" in failing(403).text


def test_whether_it_lives_is_told_without_a_database(client, database):
    database.close()
    database.init("/nowhere/portal.db")

    assert client.get("/healthz").text == "ok\n"
    assert client.get("/version").text == f"{VERSION}\n"


def test_ready_means_that_the_database_answers(app, client, database):
    assert client.get("/readyz").status_code == 200

    database.close()
    database.init("/nowhere/portal.db")
    assert client.get("/readyz").status_code == 503


def test_the_version_is_the_latest_of_the_change_log(client, pytestconfig):
    headings = re.findall(r"^## ([0-9.]+) ", (pytestconfig.rootpath / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert client.get("/version").text == f"{headings[0]}\n" == f"{VERSION}\n"


def test_without_a_secret_key_there_is_no_application(settings):
    with pytest.raises(config.ConfigError, match="SECRET_KEY: is not set"):
        create_app(settings.model_copy(update={"SECRET_KEY": ""}))


def test_two_copies_on_one_machine_have_two_cookies(make_app, company):
    first, second = (make_app(PORTAL_PORT=port, PORTAL_URL=f"http://127.0.0.1:{port}").test_client().get("/login") for port in (8000, 8001))

    assert first.headers["Set-Cookie"].partition("=")[0] == "portal-8000"
    assert second.headers["Set-Cookie"].partition("=")[0] == "portal-8001"


def test_a_page_asked_for_before_signing_in_is_where_one_ends_up(client, ana):
    answer = client.get("/change-orders?view=failed")

    assert path_of(answer.location) == "/login?next=/change-orders?view%3Dfailed"
