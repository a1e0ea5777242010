"""Access tokens: what they are, how long they work, and the page on which administrators make and revoke them."""

import hashlib
import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from portal.domain import events, people
from portal.domain.accounts import api_tokens, rights
from portal.domain.accounts.api_tokens import Invalid, Scope, Token
from portal.domain.people import Level, NotPermitted
from tests.conftest import count_queries, sign_in


@pytest.fixture
def token(eve, dee):
    """A token with all scopes that acts for Dee, and its text."""
    return api_tokens.make("Procore sync", dee.id, set(Scope), 30, eve)


def form(dee, **changes):
    return {"name": "Procore sync", "person": str(dee.id), "scopes": ["read", "send"], "days": "30"} | changes


def test_a_token_has_256_random_bits_and_only_their_hash_is_kept(token, dee, eve):
    kept, text = token

    assert re.fullmatch(r"cco_[\w-]{43}", text)
    assert kept.hash == hashlib.sha256(text.encode()).hexdigest()
    assert not [column for row in Token.select().dicts() for column in row.values() if text in str(column)]
    assert api_tokens.make("Another", dee.id, {"read"}, None, eve)[1] != text


def test_a_token_is_found_with_its_person_and_its_scopes(token, dee):
    found = api_tokens.find(token[1])

    assert found.user == dee
    assert found.allows == {"read", "write", "send"}


@pytest.mark.parametrize("text", ["", "cco_", "cco_" + "a" * 43, "\udcff", "cco_ä", "x" * 100_000])
def test_what_is_no_token_is_not_found(token, text):
    assert api_tokens.find(text) is None


def test_a_revoked_token_works_no_more_and_that_is_told_once(token, eve):
    kept, text = token

    api_tokens.revoke(kept.id, eve)
    api_tokens.revoke(kept.id, eve)

    assert api_tokens.find(text) is None
    assert Token.get_by_id(kept.id).state == "Revoked"
    assert [(event.action, event.actor) for event in events.history("token", kept.id)] == [("made", eve), ("revoked", eve)]


def test_a_token_ends_with_its_days_and_not_before(clock, eve, dee):
    kept, text = api_tokens.make("Procore sync", dee.id, {"read"}, 30, eve)
    clock.tick(days=29.9)
    assert api_tokens.find(text)

    clock.tick(days=0.1)

    assert api_tokens.find(text) is None
    assert Token.get_by_id(kept.id).state == "Expired"


def test_a_token_without_days_does_not_end(clock, eve, dee):
    _, text = api_tokens.make("Procore sync", dee.id, {"read"}, None, eve)
    clock.tick(days=5000)

    assert api_tokens.find(text)


def test_a_closed_account_closes_its_tokens(token, dee):
    rights.set_active(dee.id, False)

    assert api_tokens.find(token[1]) is None
    assert Token.get_by_id(token[0].id).state == "Account deactivated"


def test_use_is_written_down_at_most_once_a_minute(clock, eve, dee):
    kept, text = api_tokens.make("Procore sync", dee.id, {"read"}, None, eve)
    first = clock.moment
    api_tokens.find(text)
    clock.tick(seconds=59)

    with count_queries() as sent:
        api_tokens.find(text)

    assert Token.get_by_id(kept.id).used_at == first
    assert not [sql for sql in sent if sql.startswith("UPDATE")]
    clock.tick(seconds=2)
    api_tokens.find(text)
    assert Token.get_by_id(kept.id).used_at == first + timedelta(seconds=61)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "bell\a"}, "name"),
        ({"name": "Procore  sync"}, "name"),
        ({"person": None}, "person"),
        ({"person": 4711}, "person"),
        ({"scopes": set()}, "scopes"),
        ({"scopes": {"read", "admin"}}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 3651}, "days"),
    ],
)
def test_what_makes_no_token_is_said_by_field(token, eve, dee, changes, field):
    wanted = {"name": "Another", "person": dee.id, "scopes": {"read"}, "days": None} | changes

    with pytest.raises(Invalid) as refused:
        api_tokens.make(**wanted, by=eve)

    assert list(refused.value.errors) == [field]
    assert Token.select().count() == 1


def test_no_token_acts_for_a_closed_account(eve, dee):
    rights.set_active(dee.id, False)

    with pytest.raises(Invalid, match="Deactivated accounts"):
        api_tokens.make("Procore sync", dee.id, {"read"}, None, eve)


@pytest.mark.parametrize("who", ["dee", "ben", "ana"])
def test_only_administrators_make_and_revoke(token, who, request, dee):
    person = request.getfixturevalue(who)

    with pytest.raises(NotPermitted):
        api_tokens.make("Mine", dee.id, {"read"}, None, person)
    with pytest.raises(NotPermitted):
        api_tokens.revoke(token[0].id, person)


def test_an_administrator_who_was_lowered_meanwhile_makes_none(eve, ada, dee):
    rights.set_level(eve.id, Level.STANDARD, ada)

    with pytest.raises(NotPermitted):
        api_tokens.make("Procore sync", dee.id, {"read"}, None, people.by_id(eve.id))


def test_the_page_shows_a_new_token_once(client, eve, dee):
    sign_in(client, eve)

    made = client.post("/settings/tokens", data=form(dee))

    (text,) = re.findall(r"cco_[\w-]{43}", made.text)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert api_tokens.find(text).allows == {"read", "send"}
    page = client.get("/settings/tokens").text
    assert text not in page
    assert f"{text[:8]}…" in page
    assert text not in client.get("/settings/audit").text


def test_the_audit_trail_names_the_token_and_for_whom_it_acts(client, eve, dee):
    sign_in(client, eve)
    client.post("/settings/tokens", data=form(dee))

    page = " ".join(BeautifulSoup(client.get("/settings/audit?subject=token").text, "html.parser").get_text(" ").split())

    assert "Access token Procore sync" in page
    assert dee.email in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Give the token a name"),
        ({"person": ""}, "Choose the person"),
        ({"person": "1e3"}, "Choose the person"),
        ({"person": "9" * 19}, "Choose the person"),
        ({"person": "١"}, "Choose the person"),
        ({"scopes": []}, "Choose at least one"),
        ({"days": "soon"}, "Write a number of days"),
        ({"days": "-1"}, "Write a number of days"),
        ({"days": "9999999"}, "Write a number of days"),
    ],
)
def test_the_page_keeps_what_was_typed_and_says_what_is_wrong(client, eve, dee, changes, said):
    sign_in(client, eve)

    answer = client.post("/settings/tokens", data=form(dee, **changes))

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="send" checked' in answer.text or not changes.get("scopes", True)
    assert not Token.select().exists()


def test_the_page_revokes(client, token, eve):
    sign_in(client, eve)

    answer = client.post(f"/settings/tokens/{token[0].id}/revocation", follow_redirects=True)

    assert "The token Procore sync is revoked" in answer.text
    assert api_tokens.find(token[1]) is None
    assert client.post("/settings/tokens/4711/revocation").status_code == 404


def test_the_page_asks_the_database_no_more_for_many_tokens(client, eve, dee):
    sign_in(client, eve)

    def queries():
        with count_queries() as sent:
            client.get("/settings/tokens")
        return len(sent)

    api_tokens.make("First", dee.id, {"read"}, None, eve)
    few = queries()
    for number in range(5):
        api_tokens.make(f"More {number}", dee.id, {"read"}, None, eve)

    assert queries() == few
