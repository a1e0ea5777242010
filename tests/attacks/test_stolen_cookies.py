"""A copied cookie is worth as much as the session at the server, a copied form token as much as the session it was made for."""

import json
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.sessions import SecureCookieSessionInterface

from portal.db import transaction
from portal.domain.accounts import rights, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.events import Event
from tests.conftest import HTMX, PASSWORD, sign_in

NAME = "portal-8000"
FAR = {"wants_summary": "on", "wants_failures": "on"}


@pytest.fixture
def victim(app, client, ana):
    return sign_in(client, ana)


def copied(app, browser, name=NAME):
    """Another browser with the cookie of this one."""
    return with_cookie(app, browser.get_cookie(name).value)


def with_cookie(app, value):
    thief = app.test_client()
    thief.set_cookie(NAME, value)
    return thief


def is_let_in(thief):
    return thief.get("/profile").status_code == 200


def gets_nothing(thief):
    """Neither a page nor a part of one, and nothing it sends is recorded."""
    before = Event.select().count()
    page, part = thief.get("/change-orders?view=ready"), thief.get("/change-orders?view=ready", headers=HTMX)
    sent, sent_part = thief.post("/profile", data=FAR), thief.post("/profile", data=FAR, headers=HTMX)
    return (
        (page.status_code, sent.status_code, part.status_code, sent_part.status_code) == (303, 303, 401, 401)
        and page.location.startswith("/login")
        and sent.location.startswith("/login")
        and part.text == sent_part.text == ""
        and Event.select().count() == before
    )


def test_a_copied_cookie_opens_the_portal_while_its_session_lives(app, victim):
    assert is_let_in(copied(app, victim))  # without this the tests below would show nothing


def test_a_stolen_cookie_is_worthless_after_sign_out(app, victim):
    thief = copied(app, victim)

    victim.post("/logout")

    assert gets_nothing(thief)


def test_a_stolen_cookie_is_worthless_after_the_account_was_closed_and_stays_so_when_it_is_opened_again(app, victim, ana):
    thief = copied(app, victim)

    rights.set_active(ana.id, False)
    assert gets_nothing(thief)

    rights.set_active(ana.id, True)
    assert gets_nothing(thief)


@pytest.mark.parametrize("why", [EndReason.PASSWORD, EndReason.ELSEWHERE, EndReason.ADMINISTRATOR])
def test_a_stolen_cookie_is_worthless_after_all_sessions_were_ended_as_a_new_password_does(app, victim, ana, why):
    thief = copied(app, victim)

    with transaction():
        sessions.end_all(ana, why)

    assert gets_nothing(thief)


def test_a_stolen_cookie_is_worthless_when_nobody_used_it_for_half_an_hour(app, victim, clock):
    thief = copied(app, victim)

    clock.tick(minutes=31)

    assert gets_nothing(thief)


def test_a_thief_who_stays_busy_is_out_after_ten_hours(app, victim, clock):
    thief, ends = copied(app, victim), clock.now() + timedelta(hours=10)
    while clock.now() + timedelta(minutes=20) < ends:
        clock.tick(minutes=20)
        assert is_let_in(thief)

    clock.tick(minutes=20)

    assert gets_nothing(thief)


def test_signing_in_anew_ends_the_session_that_the_browser_had(app, victim, ana):
    thief = copied(app, victim)

    sign_in(victim, ana)

    assert gets_nothing(thief)
    assert is_let_in(victim)


def test_a_cookie_planted_before_signing_in_is_no_way_in_afterwards(app, client, ana):
    client.get("/login")
    planted = copied(app, client)

    sign_in(client, ana)

    assert gets_nothing(planted)


def test_a_level_taken_away_counts_for_sessions_that_are_open(app, client, eve, ada):
    sign_in(client, eve)
    assert client.get("/settings/people").status_code == 200

    rights.set_level(eve.id, "Read Only", by=ada)

    assert client.get("/settings/people").status_code == 403
    assert client.get("/settings/people", headers=HTMX).status_code == 403


TAMPERED = {
    "cut in half": lambda cookie: cookie[: len(cookie) // 2],
    "without its end": lambda cookie: cookie[:-1],
    "with more at its end": lambda cookie: f"{cookie}A",
    "without signature": lambda cookie: cookie.rpartition(".")[0],
    "with an empty signature": lambda cookie: f"{cookie.rpartition('.')[0]}.",
    "twice in one": lambda cookie: cookie + cookie,
    "in other letters": str.swapcase,
    "one letter changed at its beginning": lambda cookie: ("A" if cookie[0] != "A" else "B") + cookie[1:],
    "8 KB": lambda cookie: cookie + "A" * 8192,
    "compressed rubbish": lambda cookie: f".{cookie}",
    "not of this alphabet": lambda cookie: f"\"{cookie}é'",
}


@pytest.mark.filterwarnings("ignore:The .* cookie is too large")
@pytest.mark.parametrize("way", TAMPERED)
def test_a_cookie_that_was_tampered_with_opens_nothing(app, victim, way):
    cookie = TAMPERED[way](victim.get_cookie(NAME).value)

    assert gets_nothing(with_cookie(app, cookie))
    assert is_let_in(victim)


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_second_cookie_of_the_name_opens_nothing_that_the_first_does_not(app, victim, order):
    good, bad = (f"{NAME}={value}" for value in (victim.get_cookie(NAME).value, "x.y.z"))
    both = f"{bad}; {good}" if order == "before" else f"{good}; {bad}"

    answer = app.test_client(use_cookies=False).get("/profile", headers={"Cookie": both})

    assert answer.status_code in (200, 303)
    assert ("Ana Ortiz" in answer.text) == (answer.status_code == 200)


@pytest.mark.parametrize("forged", [{"_user_id": "1"}, {"_user_id": ""}, {"_user_id": None}, {"_fresh": True}, {"_id": "x"}])
def test_whoever_knows_the_key_of_the_cookies_still_needs_a_session(app, ana, forged):
    signer = SecureCookieSessionInterface().get_signing_serializer(app)

    assert gets_nothing(with_cookie(app, signer.dumps(forged)))


def test_a_cookie_of_another_deployment_opens_nothing(app, make_app, ana):
    elsewhere = make_app(SECRET_KEY="the key of another deployment, long enough")
    cookie = sign_in(elsewhere.test_client(), ana).get_cookie(NAME).value  # on the same database: its session lives

    assert gets_nothing(with_cookie(app, cookie))


def test_the_cookie_says_nothing_about_the_person_and_cannot_be_read_by_scripts(app, client, ana):
    answer = client.post("/login", data={"email": ana.email, "password": PASSWORD})

    cookie = answer.headers["Set-Cookie"]
    content = SecureCookieSessionInterface().get_signing_serializer(app).loads(client.get_cookie(NAME).value)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Expires" not in cookie and "Max-Age" not in cookie
    assert not {ana.email, ana.name, str(ana.id)} & set(json.dumps(content).split('"'))


@pytest.fixture
def forms(app, company, ana, lee):
    """Browsers that have to send form tokens."""
    app.config["WTF_CSRF_ENABLED"] = True

    def open(person):
        browser = app.test_client()
        answer = browser.post("/login", data={"email": person.email, "password": PASSWORD, "csrf_token": token_of(browser, "/login")})
        assert answer.status_code == 303, answer.text
        return browser

    return open


def token_of(browser, page="/profile"):
    return BeautifulSoup(browser.get(page).text, "html.parser").find("input", {"name": "csrf_token"})["value"]


def saved(browser, token=None, headers=None, **options):
    """Whether a form with this token was taken."""
    data = FAR | ({"csrf_token": token} if token is not None else {})
    answer = browser.post("/profile", **({"data": data, "headers": headers or {}} | options))
    assert answer.status_code in (303, 400), answer.text
    return answer.status_code == 303 and answer.location == "/profile"


def test_a_form_token_is_taken_as_often_as_its_session_sends_it(forms, ana):
    browser = forms(ana)
    token = token_of(browser)

    assert saved(browser, token) and saved(browser, token)


def test_a_form_token_of_somebody_else_is_refused(forms, ana, lee):
    assert not saved(forms(ana), token_of(forms(lee)))


def test_a_form_token_from_before_signing_in_is_refused_afterwards(app, ana):
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    old = token_of(browser, "/login")
    browser.post("/login", data={"email": ana.email, "password": PASSWORD, "csrf_token": old})

    assert not saved(browser, old)
    assert saved(browser, token_of(browser))


def test_a_form_token_of_the_session_before_is_refused(forms, ana):
    browser = forms(ana)
    old = token_of(browser)
    browser.post("/logout", data={"csrf_token": old})
    browser.post("/login", data={"email": ana.email, "password": PASSWORD, "csrf_token": token_of(browser, "/login")})

    assert not saved(browser, old)


def test_a_form_token_after_sign_out_opens_nothing(forms, ana):
    browser = forms(ana)
    token = token_of(browser)
    thief = copied(browser.application, browser)
    browser.post("/logout", data={"csrf_token": token})

    answer = thief.post("/profile", data=FAR | {"csrf_token": token})

    assert answer.status_code == 303 and answer.location.startswith("/login")


def test_a_form_token_of_another_deployment_is_refused(forms, make_app, ana):
    elsewhere = make_app(SECRET_KEY="the key of another deployment, long enough")
    stranger = sign_in(elsewhere.test_client(), ana)

    assert not saved(forms(ana), token_of(stranger))


@pytest.mark.parametrize(
    "form",
    [
        {"data": json.dumps(FAR), "content_type": "text/plain"},
        {"data": json.dumps(FAR), "content_type": "application/json"},
        {"data": FAR, "headers": HTMX},
    ],
    ids=["text", "JSON", "htmx"],
)
def test_neither_another_kind_of_body_nor_the_word_of_htmx_stands_for_a_form_token(forms, ana, form):
    assert not saved(forms(ana), **form)


def test_a_form_token_in_the_address_does_not_count(forms, ana):
    browser = forms(ana)

    assert browser.post(f"/profile?csrf_token={token_of(browser)}", data=FAR).status_code == 400


def test_a_form_token_does_not_help_a_form_of_another_site(forms, ana):
    browser = forms(ana)
    data = FAR | {"csrf_token": token_of(browser)}

    assert browser.post("/profile", data=data, headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.post("/profile", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_no_session_is_recorded_in_words_that_open_it(app, victim):
    token = app.session_interface.get_signing_serializer(app).loads(victim.get_cookie(NAME).value)["_user_id"]

    recorded = [event.data for event in Event.select()] + [str(row) for row in sessions.Session.select().tuples()]
    assert recorded and not any(token in text for text in recorded)
