"""Signing in, staying signed in, and being signed out."""

import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest

from portal import db
from portal.db import writes
from portal.domain import people
from portal.domain.accounts import password_links, rights, sessions
from portal.domain.accounts.sessions import Session, SignInMethod
from portal.hashing import Crowded
from portal.web import visitors
from tests.conftest import HTMX, PASSWORD, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

NO_MATCH = "That e-mail and password don’t match."


def try_to_sign_in(client, email, password=PASSWORD, **more):
    return client.post("/login", data={"email": email, "password": password} | more)


def test_address_and_password_open_the_portal(client, ana):
    answer = try_to_sign_in(client, "ana@example.test")

    assert (answer.status_code, answer.location) == (303, "/")
    assert "Ana Ortiz" in client.get("/change-orders").text


@pytest.mark.parametrize("email", ["ANA@Example.TEST", " ana@example.test ", "ａna@example.test"])
def test_the_spelling_of_the_address_does_not_matter(client, ana, email):
    assert try_to_sign_in(client, email).status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.test", "wrong"),
        ("ana@example.test", ""),
        ("ana@example.test", f"{PASSWORD} "),
        ("ana@example.test", "x" * 100_000),
        ("ana@example.test", "\x00"),
        ("nobody@example.test", PASSWORD),
        ("", ""),
        ("ana@example.test\r\nBcc: x@y.z", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("<script>alert(1)</script>", PASSWORD),
    ],
)
def test_what_does_not_match_is_told_without_saying_which(client, ana, email, password):
    answer = try_to_sign_in(client, email, password)

    assert answer.status_code == 422
    assert NO_MATCH in answer.text
    assert "<script>alert" not in answer.text
    assert Session.select().count() == 0


def test_fields_that_are_missing_do_not_match_either(client):
    assert client.post("/login").status_code == 422


def test_somebody_without_a_password_cannot_sign_in(client, make_user):
    person = make_user("Cy Young")
    person.password = None
    person.save()

    assert try_to_sign_in(client, person.email, "").status_code == 422


def test_a_closed_account_cannot_sign_in_and_is_told_the_same(client, ana):
    rights.set_active(ana.id, False)

    answer = try_to_sign_in(client, ana.email)

    assert answer.status_code == 422
    assert NO_MATCH in answer.text


def test_the_address_typed_is_kept_and_the_password_is_not(client, ana):
    page = try_to_sign_in(client, "ana@example.test", "my wrong password").text

    assert 'value="ana@example.test"' in page
    assert "my wrong password" not in page


@pytest.mark.parametrize("page", ["/change-orders?view=failed", "/settings/people", "/change-orders/17", "/jobs"])
def test_after_signing_in_one_is_where_one_wanted_to_be(client, ana, page):
    assert try_to_sign_in(client, ana.email, next=page).location == page


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "////evil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "https:evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/change-orders\r\nSet-Cookie: a=b",
        "/logout",
        "/login",
        "/nope",
        "/change-orders/17/row",
        "/static/portal.css",
        "change-orders",
        "",
        "/change-orders ",
        "/chänge-orders",
        "@evil.example",
    ],
)
def test_nobody_is_led_anywhere_else(client, ana, elsewhere):
    assert try_to_sign_in(client, ana.email, next=elsewhere).location == "/"


def test_who_is_signed_in_already_is_led_on(client, ana):
    sign_in(client, ana)

    assert client.get("/login?next=/jobs").location == "/jobs"


def test_signing_in_renews_session_and_csrf_secret(app, client, ana):
    with client:
        client.get("/login")
        before = flask.session["csrf_token"]
        sign_in(client, ana)
        first = flask.session["_user_id"]
        client.get("/change-orders")
        assert flask.session.get("csrf_token") != before

        sign_in(client, ana)
        assert flask.session["_user_id"] != first

    assert [session.ended_at is None for session in Session.select().order_by(Session.id)] == [False, True]


def test_the_cookie_carries_a_token_of_which_the_table_knows_only_the_hash(client, ana):
    with client:
        sign_in(client, ana)
        token = flask.session["_user_id"]

    assert len(token) >= 43
    assert token not in str(list(Session.select().dicts()))


def test_signing_out_ends_the_session_on_the_server(client, ana):
    sign_in(client, ana)
    cookie = client.get_cookie("portal-8000")

    assert client.post("/logout").location == "/login"

    assert "You are signed out." in client.get("/login").text
    client.set_cookie("portal-8000", cookie.value)
    assert client.get("/change-orders").location == "/login?next=/change-orders"


def test_signing_out_without_being_signed_in_is_no_fault(client):
    assert client.post("/logout").status_code == 303


def test_a_closed_account_is_out_at_the_next_click(client, ana):
    sign_in(client, ana)
    rights.set_active(ana.id, False)

    assert client.get("/change-orders").status_code == 303
    assert Session.get().ended_at is not None


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "é", "." * 3000, "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb"])
def test_a_forged_cookie_opens_nothing(client, ana, cookie):
    client.set_cookie("portal-8000", cookie)

    assert client.get("/change-orders").status_code == 303


def test_30_minutes_without_activity_end_the_session_and_say_so(client, ana, clock):
    sign_in(client, ana)
    clock.tick(minutes=29)
    assert client.get("/change-orders").status_code == 200
    clock.tick(minutes=30)

    answer = client.get("/change-orders?view=failed", follow_redirects=True)

    assert "You were signed out after 30 minutes without activity. Sign in to continue where you were." in answer.text
    assert 'name="next" value="/change-orders?view=failed"' in answer.text


def test_10_hours_end_the_session_however_busy_one_is(client, ana, clock):
    sign_in(client, ana)
    for _ in range(24):
        clock.tick(minutes=25)
        answer = client.get("/change-orders", follow_redirects=True)

    assert "You were signed out after 10 hours." in answer.text


def test_a_row_that_asks_for_itself_is_no_activity(client, ana, clock, change_order):
    sign_in(client, ana)
    for _ in range(3):
        clock.tick(minutes=11)
        answer = client.get(f"/change-orders/{change_order.id}/row", headers=HTMX)

    assert answer.status_code == 401


def test_use_is_written_down_at_most_once_a_minute(client, ana, clock):
    sign_in(client, ana)
    clock.tick(seconds=59)
    client.get("/change-orders")
    started = Session.get().seen_at
    clock.tick(seconds=2)
    client.get("/change-orders")

    assert (Session.get().seen_at - started).total_seconds() == 61
    assert type(ana).get().last_active_at == Session.get().seen_at


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_expired_session_makes_htmx_leave_for_the_sign_in_page_and_come_back(client, ana, clock, change_order, method):
    sign_in(client, ana)
    clock.tick(minutes=31)
    current = {"HX-Current-URL": "http://localhost/change-orders?view=ready"}

    answer = client.open(f"/change-orders/{change_order.id}/acceptance", method=method, headers=HTMX | current)

    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["HX-Redirect"] == "/login?next=/change-orders?view%3Dready"


@pytest.mark.parametrize("address", ["http://evil.example/change-orders", "http://localhost//evil.example", "\n", "http://[", ""])
def test_where_htmx_says_it_was_is_not_believed(client, address):
    answer = client.get("/change-orders", headers=HTMX | ({"HX-Current-URL": address} if address.strip() else {}))

    assert answer.headers["HX-Redirect"] == "/login"


def test_a_form_sent_after_the_session_ended_comes_back_to_its_page(client, ana, clock):
    sign_in(client, ana)
    clock.tick(minutes=31)

    answer = client.post("/settings/company", headers={"Referer": "http://localhost/settings/company"})

    assert (answer.status_code, answer.location) == (303, "/login?next=/settings/company")


def test_an_expired_session_is_told_before_a_missing_token(csrf_client, ana):
    assert csrf_client.post("/settings/company", headers=HTMX).status_code == 401


def test_a_session_is_found_by_its_own_token_only(ana, database):
    token = sessions.sign_in(ana.email, PASSWORD)

    assert sessions.find(token).user == ana
    assert sessions.find(f"{token}x") is None
    assert sessions.find("") is None


def places(person):
    return [(one.address, one.browser) for one in sessions.live(person)]


def test_a_session_knows_where_it_began(client, ana):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"

    client.post("/login", data={"email": ana.email, "password": PASSWORD}, headers={"User-Agent": firefox})

    assert places(ana) == [("127.0.0.1", "Firefox on Linux")]
    assert Session.get().road == SignInMethod.PASSWORD


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 CriOS/130.0 Mobile Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("python-requests/2.32", "Another program"),
        ("", "Another program"),
        ("<script>alert(1)</script>\x1b[31m" + "x" * 5000, "Another program"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_name_it(agent, words):
    assert visitors.browser(agent) == words


def test_a_fourth_sign_in_ends_the_oldest_and_says_so_at_both_ends(app, ana, company, clock):
    browsers = [app.test_client() for _ in range(4)]
    for browser in browsers:
        sign_in(browser, ana)
        clock.tick(minutes=1)

    assert len(sessions.live(ana)) == 3
    assert "You were signed in at 3 other places. The oldest session ended:" in browsers[3].get("/change-orders").text
    assert browsers[1].get("/change-orders").status_code == 200
    answer = browsers[0].get("/change-orders", follow_redirects=True)
    assert "You were signed out here because you signed in elsewhere: a person has at most 3 sessions." in answer.text


def test_signing_in_again_at_the_same_browser_pushes_nobody_out(app, ana, company):
    browsers = [app.test_client() for _ in range(3)]
    for browser in browsers:
        sign_in(browser, ana)

    for _ in range(3):
        sign_in(browsers[0], ana)

    assert all(browser.get("/change-orders").status_code == 200 for browser in browsers)


def test_sessions_that_are_over_count_no_more(ana, clock):
    for _ in range(3):
        sessions.sign_in(ana.email, PASSWORD)
    clock.tick(minutes=30)

    sessions.sign_in(ana.email, PASSWORD)

    assert [one.ended_why for one in Session.select()] == ["", "", "", ""]


def test_a_crowd_at_the_door_is_asked_to_come_back(client, ana, monkeypatch):
    class Busy:
        def verify(self, *_):
            raise Crowded

    monkeypatch.setattr(people, "hasher", Busy())

    answer = try_to_sign_in(client, ana.email)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Too many people are signing in at this moment. Try again in a few seconds." in answer.text


def test_a_cookie_that_was_changed_or_is_another_portal_s_opens_nothing(client, ana, make_app):
    other = sign_in(make_app(SECRET_KEY="of another portal " * 3).test_client(), ana).get_cookie("portal-8000").value
    cookie = sign_in(client, ana).get_cookie("portal-8000").value

    for changed in (cookie[:-1], cookie[1:], cookie * 2, f"{cookie}{'x' * 8000}", cookie.swapcase(), other):
        client.set_cookie("portal-8000", changed)
        assert client.get("/change-orders").status_code == 303
    client.set_cookie("portal-8000", cookie)
    assert client.get("/change-orders").status_code == 200


@pytest.fixture
def slow_sign_in(client, ana, monkeypatch):
    """Ana's right password is at the door; what is called here happens before her session begins."""
    proof = sessions.prove

    def go(meanwhile):
        def prove(*given):
            person = proof(*given)
            meanwhile()
            return person

        monkeypatch.setattr(sessions, "prove", prove)
        return try_to_sign_in(client, ana.email)

    return go


def test_a_password_that_was_replaced_while_it_was_looked_at_opens_nothing(slow_sign_in, client, ana):
    answer = slow_sign_in(lambda: password_links.use(password_links.make(ana), "chosen by a link meanwhile"))

    assert answer.status_code == 403
    assert "got another password, at this very moment" in answer.text
    assert client.get("/profile").status_code == 303
    assert sessions.live(ana) == []


def test_an_account_that_was_closed_at_that_moment_has_no_session_when_it_is_opened_again(slow_sign_in, client, ana):
    answer = slow_sign_in(lambda: rights.set_active(ana.id, False))
    rights.set_active(ana.id, True)

    assert answer.status_code == 403
    assert client.get("/profile").status_code == 303
    assert sessions.live(people.by_id(ana.id)) == []


def test_who_signs_in_at_many_places_at_the_same_moment_has_three_sessions(ana, company):
    start = threading.Barrier(6)

    def begin(_):
        with db.connected():
            start.wait()
            writes.write_with_retry(lambda: sessions.start(ana, SignInMethod.PASSWORD))

    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(begin, range(6)))

    assert len(sessions.live(ana)) == 3
