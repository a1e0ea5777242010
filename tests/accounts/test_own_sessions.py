"""Where somebody is signed in: seen and ended by themselves, and by an administrator; and how they change their password."""

import pytest
from bs4 import BeautifulSoup

from portal.domain import events, people
from portal.domain.accounts import password_links, passwords, session_control, sessions
from portal.domain.accounts.sessions import Place, Session
from portal.domain.people import NotPermitted
from tests.conftest import PASSWORD, sign_in

NEW = "four words nobody knows"
FIREFOX = Place("10.0.0.7", "Firefox on Windows")


@pytest.fixture(autouse=True)
def at_one_moment(clock):
    """No wait is over, and nothing is a minute old, because the machine was slow."""


def rows(page):
    found = BeautifulSoup(page, "html.parser").select("table.own-sessions tbody tr")
    return [" ".join(row.get_text(" ").split()) for row in found]


def told(person):
    return [(event.action, event.actor, event.facts) for event in events.history("user", person.id)]


def id_of(place):
    return Session.get(Session.browser == place.browser).id


@pytest.fixture
def elsewhere(ana, database):
    """The token of Ana's session at another browser."""
    return sessions.sign_in(ana.email, PASSWORD, FIREFOX)


def test_the_profile_lists_where_one_is_signed_in(client, ana, ben, elsewhere):
    sessions.sign_in(ben.email, PASSWORD, Place("10.0.0.8", "Edge on Windows"))
    sign_in(client, ana)

    found = rows(client.get("/profile").text)

    assert len(found) == 2
    assert "This one" in found[0]
    assert found[1] == "Firefox on Windows 10.0.0.7 password now now End"


def test_a_session_that_is_over_is_not_listed(client, ana, elsewhere, clock):
    clock.tick(minutes=31)
    sign_in(client, ana)

    assert len(rows(client.get("/profile").text)) == 1


def test_one_of_one_s_own_is_ended_and_told_there(client, app, ana, elsewhere):
    sign_in(client, ana)

    answer = client.post(f"/profile/sessions/{id_of(FIREFOX)}/end", follow_redirects=True)

    assert "The session with Firefox on Windows is ended." in answer.text
    assert sessions.find(elsewhere) is None
    assert sessions.end_message(elsewhere).startswith("This session was ended from another one of yours.")
    assert told(ana) == [("session ended", ana, {"browser": "Firefox on Windows", "address": "10.0.0.7"})]


def test_all_others_are_ended_and_this_one_stays(client, ana, elsewhere):
    sessions.sign_in(ana.email, PASSWORD)
    sign_in(client, ana)

    answer = client.post("/profile/sessions/end", follow_redirects=True)

    assert "2 other sessions ended." in answer.text
    assert len(sessions.live(ana)) == 1
    assert told(ana) == [("sessions ended", ana, {"count": 2})]
    assert "There was no other session." in client.post("/profile/sessions/end", follow_redirects=True).text


def test_nobody_ends_the_session_of_somebody_else(client, ben, elsewhere):
    sign_in(client, ben)

    answer = client.post(f"/profile/sessions/{id_of(FIREFOX)}/end", follow_redirects=True)

    assert "This session had ended already." in answer.text
    assert sessions.find(elsewhere)


def test_an_administrator_sees_and_ends_the_sessions_of_anybody(client, ana, eve, elsewhere):
    sessions.sign_in(ana.email, PASSWORD, Place("10.0.0.9", "Safari on iPhone"))
    sign_in(client, eve)
    assert f'href="/settings/people/{ana.id}/sign-in"' in client.get("/settings/people").text
    page = f"/settings/people/{ana.id}/sign-in"
    assert len(rows(client.get(page).text)) == 2

    answer = client.post(f"{page}/sessions/{id_of(FIREFOX)}/end", follow_redirects=True)
    assert "The session of Ana Ortiz is ended." in answer.text
    assert sessions.end_message(elsewhere).startswith("An administrator ended this session.")
    answer = client.post(f"{page}/sessions/end", follow_redirects=True)
    assert "1 session of Ana Ortiz ended." in answer.text
    assert "Ana Ortiz is not signed in anywhere." in answer.text

    assert [(action, actor) for action, actor, _ in told(ana)] == [("session ended", eve), ("sessions ended", eve)]
    assert "Ana Ortiz had no session." in client.post(f"{page}/sessions/end", follow_redirects=True).text


def test_an_administrator_s_own_session_is_not_ended_with_the_others(client, eve):
    sessions.sign_in(eve.email, PASSWORD, FIREFOX)
    sign_in(client, eve)

    answer = client.post(f"/settings/people/{eve.id}/sign-in/sessions/end", follow_redirects=True)

    assert "1 session of Eve Laurent ended." in answer.text
    assert "This one" in answer.text


def test_who_is_no_administrator_ends_nobody_elses(ana, ben, elsewhere):
    for end in (lambda: session_control.end(ana, id_of(FIREFOX), ben), lambda: session_control.end_all(ana, ben)):
        with pytest.raises(NotPermitted):
            end()

    assert sessions.find(elsewhere)


def change_password(client, old=PASSWORD, new=NEW, repeated=None):
    return client.post("/profile/password", data={"old": old, "new": new, "repeated": new if repeated is None else repeated})


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(client, ana, elsewhere):
    sign_in(client, ana)
    cookie = client.get_cookie("portal-8000").value

    answer = change_password(client)

    assert (answer.status_code, answer.location) == (303, "/profile#sessions")
    assert "Your password is changed. Your other sessions ended." in client.get("/profile").text
    assert sessions.find(elsewhere) is None
    assert sessions.sign_in(ana.email, PASSWORD) is None
    assert sessions.sign_in(ana.email, NEW)
    assert told(ana) == [("password changed", ana, {"sessions_ended": 1})]
    client.set_cookie("portal-8000", cookie)
    assert client.get("/profile").status_code == 303  # a cookie that was copied before


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"old": "wrong"}, "That is not your old password."),
        ({"old": ""}, "That is not your old password."),
        ({"new": "short"}, "it needs at least 12"),
        ({"new": "x" * 129}, "longer than 128 bytes"),
        ({"new": "ana ortiz ana ortiz"}, "easy to guess"),
        ({"repeated": f"{NEW} "}, "The two new passwords are not the same."),
    ],
)
def test_what_will_not_do_is_said_and_changes_nothing(client, ana, elsewhere, typed, words):
    sign_in(client, ana)

    answer = change_password(client, **typed)

    assert answer.status_code == 422
    assert words in answer.text
    assert NEW not in answer.text
    assert sessions.find(elsewhere)
    assert people.by_id(ana.id).verify(PASSWORD)
    assert told(ana) == []


def test_a_password_chosen_by_link_is_not_overwritten_by_who_knew_the_old_one(client, ana, monkeypatch):
    sign_in(client, ana)
    usable = passwords.usable

    def meanwhile(new, person):
        monkeypatch.setattr(passwords, "usable", usable)
        password_links.use(password_links.make(ana), "chosen by a link meanwhile")
        return usable(new, person)

    monkeypatch.setattr(passwords, "usable", meanwhile)

    answer = change_password(client)

    assert answer.status_code == 403
    assert people.by_id(ana.id).verify("chosen by a link meanwhile")
    assert client.get("/profile").status_code == 303


def test_guessing_the_old_password_is_slow_too(client, ana):
    sign_in(client, ana)

    assert [change_password(client, old="wrong").status_code for _ in range(6)] == [422] * 5 + [429]


def test_who_has_no_password_is_not_offered_to_change_it(client, ana):
    sign_in(client, ana)
    ana.password = None
    ana.save()

    assert 'name="old"' not in client.get("/profile").text
    assert change_password(client, old="").status_code == 422
