"""What each person sets for themselves."""

import pytest
from bs4 import BeautifulSoup

from portal.domain import companies, events, people
from portal.domain.people import User
from tests.conftest import sign_in


def box(client):
    return BeautifulSoup(client.get("/profile").text, "html.parser").find(id="wants_summary")


@pytest.mark.parametrize("who", ["ana", "ben", "dee", "eve"])
def test_everybody_has_one_behind_their_name(client, who, request):
    person = request.getfixturevalue(who)
    sign_in(client, person)

    menu = BeautifulSoup(client.get("/", follow_redirects=True).text, "html.parser").find("details", class_="person")
    page = client.get(menu.find("a", string="Your profile")["href"])

    assert page.status_code == 200
    for part in (person.name, person.email, person.effective_rights.partition(" ‘")[0]):
        assert part in page.text


def test_the_summary_is_declined_and_asked_for_again_and_that_is_told(client, ana):
    sign_in(client, ana)
    assert box(client).has_attr("checked")

    answer = client.post("/profile", data={})

    assert (answer.status_code, answer.location) == (303, "/profile")
    page = client.get("/profile").text
    assert "You get no daily summary." in page
    assert not people.by_id(ana.id).wants_summary
    assert not box(client).has_attr("checked")

    client.post("/profile", data={"wants_summary": "on"})
    client.post("/profile", data={"wants_summary": "on"})

    assert people.by_id(ana.id).wants_summary
    assert [(event.action, event.actor, event.facts) for event in events.history("user", ana.id)] == [
        ("daily summary declined", ana, {}),
        ("daily summary asked for", ana, {}),
    ]


@pytest.mark.parametrize(
    ("who", "changes", "said"),
    [
        ("ana", {}, "at 7:00 company time on working days. No mail when the list is empty."),
        ("ana", {"summary_hour": 16}, "at 16:00 company time"),
        ("ben", {}, "Sent to approvers. You’ll get it if you become one."),
        ("ana", {"daily_summary": False}, "An administrator has switched it off for the company."),
    ],
)
def test_the_page_says_when_it_comes_or_why_it_does_not(client, company, who, changes, said, request):
    if changes:
        companies.Company.update(changes).execute()
    sign_in(client, request.getfixturevalue(who))

    assert said in " ".join(client.get("/profile").text.split())


def test_nobody_writes_in_anothers_profile(client, ana, lee):
    sign_in(client, lee)

    client.post("/profile", data={"id": ana.id, "user": ana.id})

    assert people.by_id(ana.id).wants_summary
    assert not people.by_id(lee.id).wants_summary


def test_keys_are_switched_off_by_each_person(client, ana):
    sign_in(client, ana)
    assert "data-keys" in client.get("/profile").text

    client.post("/profile/keys", data={})

    assert "data-keys" not in client.get("/profile").text
    assert not User.get_by_id(ana.id).uses_keys
    client.post("/profile/keys", data={"uses_keys": "on"})
    assert User.get_by_id(ana.id).uses_keys
