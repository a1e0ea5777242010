"""Guessing passwords is slow, and locks nobody out for good."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from structlog.testing import capture_logs

from portal import db
from portal.domain import events
from portal.domain.accounts import password_links, rate_limits, session_control, sessions
from portal.domain.accounts.rate_limits import TooMany, Tries
from portal.domain.accounts.sessions import Place, Session
from portal.domain.people import NotPermitted
from tests.conftest import PASSWORD, count_queries, sign_in

pytestmark = pytest.mark.databases_differ("locks and races")

HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture(autouse=True)
def at_one_moment(clock):
    """No wait is over because the machine was slow."""


def wrong(email, address=HERE, times=1):
    """So many tries; answers how many were looked at."""
    looked_at = 0
    for _ in range(times):
        try:
            assert sessions.prove(email, "wrong", address) is None
            looked_at += 1
        except TooMany:
            pass
    return looked_at


def right(person, address=HERE):
    return bool(sessions.sign_in(person.email, PASSWORD, Place(address)))


def try_to_sign_in(client, email, password="wrong", address=HERE, **headers):
    return client.post("/login", data={"email": email, "password": password}, environ_base={"REMOTE_ADDR": address}, headers=headers)


@pytest.mark.parametrize("email", ["ana@example.test", "nobody@example.test", "", "\x00", "x" * 5000])
def test_after_five_failures_there_is_a_wait_for_whomever(client, ana, email):
    assert [try_to_sign_in(client, email).status_code for _ in range(6)] == [422] * 5 + [429]

    answer = try_to_sign_in(client, email)

    assert answer.headers["Retry-After"] == "60"
    assert "Too many tries. Wait 1 minute or ask an administrator." in answer.text


def test_the_wait_doubles_up_to_a_quarter_of_an_hour_and_never_lasts_for_ever(ana, clock):
    waits = []
    wrong(ana.email, times=5)
    for _ in range(8):
        with pytest.raises(TooMany) as told:
            sessions.prove(ana.email, PASSWORD, HERE)
        waits.append(told.value.seconds // 60)
        clock.tick(seconds=told.value.seconds)
        assert wrong(ana.email) == 1

    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]
    clock.tick(minutes=15)
    assert right(ana)


def test_while_there_is_a_wait_the_right_password_is_not_looked_at_either(client, ana):
    wrong(ana.email, times=5)

    assert try_to_sign_in(client, ana.email, PASSWORD).status_code == 429
    assert Session.select().count() == 0


def test_of_a_flood_of_guesses_five_are_looked_at(ana):
    assert wrong(ana.email, times=200) == 5


def test_guesses_at_the_same_moment_gain_nothing(ana):
    start = threading.Barrier(12)

    def guess(_):
        with db.connected():
            start.wait()
            return wrong(ana.email)

    with ThreadPoolExecutor(12) as crowd:
        assert sum(crowd.map(guess, range(12))) == 5


def test_the_counts_are_in_the_database_and_outlive_a_restart(client, ana, make_app):
    wrong(ana.email, times=5)

    answer = try_to_sign_in(make_app().test_client(), ana.email, PASSWORD)

    assert answer.status_code == 429


def test_the_right_password_begins_the_count_from_there_anew(ana):
    for _ in range(5):
        assert wrong(ana.email, times=4) == 4
        assert right(ana)

    assert not Tries.select().where(Tries.key.startswith("pair:")).exists()


def test_signing_in_counts_for_nothing(ana):
    for n in range(40):
        assert right(ana, f"10.3.{n}.1")

    assert list(Tries.select().where(Tries.count > 0)) == []


def test_the_person_gets_in_from_another_address_while_somebody_guesses(ana):
    wrong(ana.email, THERE, times=10)

    assert right(ana, HERE)


def test_guesses_from_many_addresses_make_new_addresses_wait_but_not_one_s_own(ana, clock):
    assert right(ana, HERE)
    guesses = sum(wrong(ana.email, f"10.1.{n}.1", times=4) for n in range(100))
    assert guesses == 20

    assert right(ana, HERE)
    with pytest.raises(TooMany):
        right(ana, THERE)
    clock.tick(days=31)
    sessions.Session.update(started_at=clock.now() - timedelta(days=31)).execute()
    sum(wrong(ana.email, f"10.2.{n}.1") for n in range(20))
    with pytest.raises(TooMany):
        right(ana, HERE)


def test_one_address_that_tries_everybody_waits_but_who_works_there_does_not(ana, make_user, clock):
    assert right(ana, HERE)
    guesses = sum(wrong(f"person{n}@example.test", HERE) for n in range(100))
    assert guesses == 30

    assert right(ana, HERE)
    bob = make_user("Bob Stone")
    with pytest.raises(TooMany):
        right(bob, HERE)


def test_a_subscriber_of_ipv6_gains_nothing_by_many_addresses(ana, clock):
    assert sum(wrong(f"person{n}@example.test", f"2001:db8:1:2::{n:x}") for n in range(100)) == 30

    with pytest.raises(TooMany):
        right(ana, "2001:db8:1:2:3:4:5:6")
    assert right(ana, "2001:db8:1:3::1")


def test_a_subscriber_of_ipv6_asks_for_as_much_mail_as_one_address(database, clock):
    def asked(n):
        try:
            password_links.forgotten(f"person{n}@example.test", f"2001:db8:1:2::{n:x}")
        except TooMany:
            return False
        return True

    assert sum(map(asked, range(40))) == 20


def test_a_day_without_a_try_forgets_and_old_rows_go(ana, clock):
    wrong(ana.email, times=5)
    wrong("nobody@example.test", THERE)
    clock.tick(days=1, seconds=1)

    assert wrong(ana.email, times=10) == 5
    assert Tries.select().count() == 3


def test_an_unknown_address_takes_the_same_statements(ana, database):
    wrong(ana.email)
    wrong("nobody@example.test", THERE)
    with count_queries() as known:
        wrong(ana.email)
    with count_queries() as unknown:
        wrong("nobody@example.test", THERE)

    assert len(known) == len(unknown)


def test_no_row_tells_whose_address_was_tried(ana):
    wrong(ana.email)
    wrong("my password in the wrong field")

    told = str(list(Tries.select().dicts()))
    assert "ana" not in told
    assert "password" not in told


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("ana@example.test", "my guess", "wrong password"),
        ("nobody@example.test", PASSWORD, "no such account"),
        ("cy@example.test", PASSWORD, "account closed"),
    ],
)
def test_a_failure_is_a_line_in_the_log_with_its_reason_and_without_what_was_typed(ana, make_user, email, password, reason):
    make_user("Cy Young", active=False)

    with capture_logs() as lines:
        sessions.prove(email, password, HERE)

    (line,) = lines
    assert (line["event"], line["reason"], line["address"]) == ("sign-in failed", reason, HERE)
    assert email not in str(line)
    assert password not in str(line)


def test_a_wait_is_a_line_in_the_log_too(ana):
    wrong(ana.email, times=5)

    with capture_logs() as lines:
        wrong(ana.email)

    assert [(line["event"], line["reason"]) for line in lines] == [("sign-in refused", "too many tries")]


def test_the_proof_before_a_change_is_throttled_as_well(client, eve, clock):
    sign_in(client, eve)
    clock.tick(minutes=16)

    answers = [client.post("/confirm", data={"password": "wrong"}).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_an_administrator_unlocks_and_that_is_told(client, ana, eve):
    wrong(ana.email, times=5)
    sign_in(client, eve)
    page = f"/settings/people/{ana.id}/sign-in"
    assert "Locked after too many wrong passwords. The next attempt is possible at" in client.get(page).text

    answer = client.post(f"{page}/unlock", follow_redirects=True)

    assert "Ana Ortiz can try again now." in answer.text
    assert right(ana)
    assert [(event.action, event.actor) for event in events.history("user", ana.id)] == [("sign-in unlocked", eve)]


def test_unlocking_what_is_not_locked_is_no_event(client, ana, eve):
    sign_in(client, eve)

    answer = client.post(f"/settings/people/{ana.id}/sign-in/unlock", follow_redirects=True)

    assert "Ana Ortiz did not have to wait." in answer.text
    assert events.history("user", ana.id) == []


def test_only_an_administrator_unlocks(ana, ben):
    with pytest.raises(NotPermitted):
        session_control.unlock(ben, ana)


def test_unlocking_one_account_unlocks_no_other(ana, ben):
    wrong(ana.email, times=5)
    wrong(ben.email, times=5)

    session_control.unlock(ana)

    assert rate_limits.waits_until(ana.email) is None
    assert rate_limits.waits_until(ben.email) is not None


@pytest.mark.parametrize("forged", ["1.2.3.4", "1.2.3.4, 5.6.7.8", "127.0.0.1", "' OR 1=1", "x" * 5000])
def test_a_forged_forwarding_header_reaches_neither_throttle_nor_table(client, ana, forged):
    for _ in range(5):
        try_to_sign_in(client, ana.email, **{"X-Forwarded-For": forged})

    assert try_to_sign_in(client, ana.email, **{"X-Forwarded-For": "9.9.9.9"}).status_code == 429
    assert try_to_sign_in(client, ana.email, PASSWORD, THERE, **{"X-Forwarded-For": forged}).status_code == 303
    assert Session.get().address == THERE


def test_behind_one_trusted_proxy_its_word_counts_and_what_stood_before_it_does_not(make_app, company, ana):
    client = make_app(TRUSTED_PROXIES=1).test_client()

    answer = try_to_sign_in(client, ana.email, PASSWORD, "127.0.0.1", **{"X-Forwarded-For": "6.6.6.6, 10.0.0.9"})

    assert answer.status_code == 303
    assert Session.get().address == "10.0.0.9"


def test_no_page_of_the_portal_is_led_by_a_forwarded_host(make_app, company, ana):
    client = make_app(TRUSTED_PROXIES=1).test_client()

    page = BeautifulSoup(client.get("/login", headers={"X-Forwarded-Host": "evil.example"}).text, "html.parser")

    assert "evil.example" not in str(page)
