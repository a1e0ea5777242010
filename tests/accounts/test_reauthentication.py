"""Rights and settings change only by the hand of somebody who has proved lately who they are."""

import flask
import pytest
from bs4 import BeautifulSoup

from portal.domain import companies, events, people
from portal.domain.accounts import sessions
from portal.domain.accounts.sessions import Session
from portal.domain.people import Level
from portal.web.access import ENDPOINTS, WITHOUT_PROOF, Who, needs_proof
from portal.web.sign_in.reauthentication import may_be_carried
from tests.conftest import HTMX, PASSWORD, sign_in
from tests.web.test_access import address, rules

BACK = {"Referer": "http://localhost/settings/people"}
UNCHANGED = "Your change is not saved yet: make it again."


@pytest.fixture
def stale(client, eve, clock):
    """Eve signed in 16 minutes ago."""
    sign_in(client, eve)
    clock.tick(minutes=16)
    return client


def confirm(client, password=PASSWORD, **more):
    return client.post("/confirm", data={"password": password} | more)


def hidden(answer):
    """The fields that the page carries, but for the guard against forged forms."""
    fields = BeautifulSoup(answer.text, "html.parser").select("main input[type=hidden]")
    return {field["name"]: field["value"] for field in fields if field["name"] != "csrf_token"}


def test_within_15_minutes_nobody_is_asked(client, eve, ben, clock):
    sign_in(client, eve)
    clock.tick(minutes=14, seconds=59)

    client.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"})

    assert people.by_id(ben.id).level == Level.STANDARD


def test_after_that_nothing_changes_before_the_password_was_given_again(stale, ben):
    answer = stale.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=BACK)

    assert answer.status_code == 401
    assert people.by_id(ben.id).level == Level.READ_ONLY
    asked = BeautifulSoup(answer.text, "html.parser").find("main")
    assert "Your change is made once you confirm with your password" in " ".join(asked.get_text(" ").split())
    assert asked.find("a", string="Back without a change")["href"] == "/settings/people"


@pytest.mark.parametrize("headers", [BACK, HTMX | {"HX-Current-URL": "http://localhost/settings/people"}], ids=["page", "htmx"])
def test_what_was_pressed_is_done_once_the_password_was_given(stale, ben, headers):
    asked = hidden(stale.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=headers))
    assert asked == {"level": "Standard", "pressed": f"/settings/people/{ben.id}/level", "next": "/settings/people"}

    answer = confirm(stale, **asked)

    assert (answer.status_code, answer.location) == (307, f"/settings/people/{ben.id}/level")
    assert people.by_id(ben.id).level == Level.READ_ONLY
    assert stale.post(answer.location, data=asked | {"password": PASSWORD}).status_code == 303
    assert people.by_id(ben.id).level == Level.STANDARD


def test_a_wrong_password_keeps_what_was_pressed(stale, ben):
    asked = hidden(stale.post(f"/settings/people/{ben.id}/level", data={"level": "Standard"}, headers=BACK))

    answer = confirm(stale, "wrong", **asked)

    assert answer.status_code == 422
    assert hidden(answer) == asked
    assert PASSWORD not in answer.text


def test_every_field_of_the_press_is_carried_as_it_was_typed(stale):
    days = {"section": "summary", "summary_hour": '"><b>\r\n7', "summary_days": ["1", "3"], "version": "4"}

    page = BeautifulSoup(stale.post("/settings/company", data=days).text, "html.parser")

    carried = [(field["name"], field["value"]) for field in page.select("main input[type=hidden]")]
    assert [one for one in carried if one[0] == "summary_days"] == [("summary_days", "1"), ("summary_days", "3")]
    assert ("summary_hour", '"><b>\r\n7') in carried
    assert ("version", "4") in carried


def test_a_form_with_secrets_is_not_carried(stale):
    answer = stale.post("/settings/connection", data={"client_secret": "s3cret"}, headers=BACK)

    assert (answer.status_code, answer.location) == (303, "/confirm?next=/settings/people")
    asked = stale.get(answer.location).text
    assert "to make the change again" in " ".join(asked.split())
    confirm(stale, next="/settings/people")
    assert UNCHANGED in stale.get("/settings/people").text


def test_no_form_that_is_carried_has_a_field_for_a_secret(app, client, eve):
    sign_in(client, eve)

    for page in ("/settings/people", "/settings/company", "/settings/tokens", "/settings/mail"):
        for one in BeautifulSoup(client.get(page).text, "html.parser").select("form:has(input[type=password])"):
            with app.test_request_context():
                assert not may_be_carried(one["action"]), one["action"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/logout",
        "/confirm",
        "/profile",
        "/settings/connection",
        "/change-orders/1/acceptance",
        "/\\x",
    ],
)
def test_a_press_is_carried_to_nothing_but_our_own_changes_of_rights_and_settings(stale, elsewhere):
    answer = confirm(stale, pressed=elsewhere)

    assert (answer.status_code, answer.location) == (303, "/")


def test_a_forged_press_is_refused_and_never_asked_about(app, stale, ben):
    app.config["WTF_CSRF_ENABLED"] = True

    answer = stale.post(f"/settings/people/{ben.id}/level", data={"level": "Admin"})

    assert answer.status_code == 400
    assert "Confirm that it is you" not in answer.text


@pytest.mark.parametrize("password", ["", "wrong", f"{PASSWORD} ", "x" * 100_000, "\x00"])
def test_another_password_confirms_nothing(stale, ben, password):
    answer = confirm(stale, password, next="/settings/people")

    assert answer.status_code == 422
    assert "That is not your password." in answer.text
    assert 'name="next" value="/settings/people"' in answer.text
    assert not Session.get().is_proved


def test_the_password_is_one_s_own(stale, eve, ana):
    ana.password = people.hasher.hash("another password of hers")
    ana.save()

    assert confirm(stale, "another password of hers", email=ana.email).status_code == 422


def test_looking_needs_no_proof(stale):
    for page in ("/settings/people", "/settings/company", "/settings/tokens", "/settings/audit"):
        assert stale.get(page).status_code == 200


def test_every_change_by_an_administrator_asks_but_those_that_change_neither_rights_nor_settings(app, stale):
    asked, not_asked = set(), set()
    for rule, method in rules(app):
        if ENDPOINTS[rule.endpoint] is Who.ADMINISTERS and method == "POST":
            answer = stale.post(address(rule), headers=HTMX)
            (asked if answer.status_code == 401 else not_asked).add(rule.endpoint)

    assert not_asked == WITHOUT_PROOF
    assert {"settings.level", "settings.privilege", "settings.save", "settings.connect", "settings.resume", "members.join"} <= asked
    assert {"members.leave", "tokens.make", "tokens.revoke", "resending.send", "resending.record"} <= asked


def test_what_is_only_looked_at_is_no_change():
    assert not needs_proof("settings.company", "GET")
    assert not needs_proof("settings.company", "HEAD")
    assert needs_proof("settings.save", "POST")


def test_who_has_no_admin_level_is_told_that_and_not_asked(client, ana, clock):
    sign_in(client, ana)
    clock.tick(minutes=16)

    assert client.post("/settings/company").status_code == 403


def test_the_proof_gives_the_session_a_new_token_and_the_old_one_opens_nothing(stale):
    old = stale.get_cookie("portal-8000").value
    with stale:
        stale.get("/jobs")
        before, csrf = flask.session["_user_id"], flask.session.get("csrf_token")
        confirm(stale)
        assert flask.session["_user_id"] != before
        assert flask.session.get("csrf_token") == csrf  # forms that are open in other tabs can still be sent

    assert sessions.find(before) is None
    assert Session.select().count() == 1
    stale.set_cookie("portal-8000", old)
    assert stale.get("/jobs").location == "/login?next=/jobs"


def test_the_proof_does_not_prolong_the_session(client, eve, clock):
    sign_in(client, eve)
    for _ in range(24):
        clock.tick(minutes=25)
        confirm(client)

    assert client.get("/jobs").status_code == 303


def test_who_has_just_given_proof_is_led_on(client, eve):
    sign_in(client, eve)

    assert client.get("/confirm?next=/settings/company").location == "/settings/company"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/logout", "/confirm", "/login", "/\\evil.example"])
def test_the_proof_leads_nowhere_else(stale, elsewhere):
    assert confirm(stale, next=elsewhere).location == "/"


def test_a_proof_is_no_event_and_changes_nothing_else(stale, eve):
    confirm(stale)

    assert events.history("user", eve.id) == []
    assert companies.current().name == "Harbor Builders"
