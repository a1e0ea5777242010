"""Proving again who one is, at the identity provider, before a change of rights or settings."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from joserfc import jwk, jwt

from portal import clock
from portal.domain import people
from portal.domain.accounts import identities
from portal.domain.accounts.sessions import Session
from portal.domain.people import Level, User
from tests.conftest import path_of, sign_in
from tests.oidc import site
from tests.oidc.process import Visitor

CONFIRM = "/login/oidc/confirm?next=/settings/people"
AGAIN = "Thank you. Your change is not saved yet: make it again."


@pytest.fixture
def linked(client, eve):
    """Eve, signed in with the provider; the browser she did it in."""
    visitor = Visitor()
    assert client.get(path_of(visitor.answer(client.get("/login/oidc").location, "eve"))).status_code == 303
    return visitor


def grow_old():
    """What proved the session is an hour ago."""
    Session.update(confirmed_at=clock.now() - timedelta(hours=1)).execute()


def change(client, person):
    return client.post(f"/settings/people/{person.id}/level", data={"level": "Admin"})


def test_who_has_just_proved_at_the_provider_who_they_are_may_change_rights_at_once(client, linked, ben):
    change(client, ben)

    assert people.by_id(ben.id).level == Level.ADMIN


def test_later_they_are_asked_again_and_may_do_it_at_the_provider(client, linked, ben):
    grow_old()
    assert change(client, ben).status_code == 401
    assert f'href="{CONFIRM}"' in client.get("/confirm?next=/settings/people").text
    there = client.get(CONFIRM).location
    assert "prompt=login" in there
    assert "max_age=0" in there
    before = Session.get().token_hash

    answer = client.get(path_of(linked.answer(there, "eve")))

    assert (answer.status_code, answer.location) == (303, "/settings/people")
    assert AGAIN in client.get("/settings/people").text
    assert (Session.select().count(), Session.get().token_hash != before) == (1, True)
    change(client, ben)
    assert people.by_id(ben.id).level == Level.ADMIN


def test_somebody_else_at_the_provider_confirms_nothing(client, linked, ben):
    grow_old()

    answer = client.get(path_of(Visitor().answer(client.get(CONFIRM).location, "nia")))

    assert answer.status_code == 403
    assert "The identity provider returned a different person." in answer.text
    assert people.find("nia@example.test") is None
    assert change(client, ben).status_code == 401


def test_cancelling_there_changes_nothing_and_leads_back_to_the_question(client, linked, ben):
    grow_old()

    answer = client.get(path_of(linked.answer(client.get(CONFIRM).location, "eve", "Cancel")))

    assert (answer.status_code, "Confirm that it is you" in answer.text) == (403, True)
    assert change(client, ben).status_code == 401


def test_the_answer_to_a_confirmation_signs_nobody_in(client, linked):
    back = path_of(linked.answer(client.get(CONFIRM).location, "eve"))
    client.post("/logout")

    assert client.get(back).status_code == 400
    assert client.get("/profile").status_code == 303


def test_who_has_no_identity_there_is_asked_for_the_password_only(client, ana):
    sign_in(client, ana)
    grow_old()

    page = client.get("/confirm").text

    assert "/login/oidc" not in page
    assert 'name="password"' in page


def test_who_has_no_password_is_not_asked_for_one(client, through):
    through(client, "nia")
    grow_old()

    page = client.get("/confirm").text

    assert "/login/oidc/confirm" in page
    assert 'name="password"' not in page


def test_where_only_the_provider_can_confirm_the_press_is_said_to_be_made_again(client, through, ben):
    through(client, "nia")
    User.update(level=Level.ADMIN).where(User.email.startswith("nia")).execute()
    grow_old()

    asked = change(client, ben)

    page = " ".join(BeautifulSoup(asked.text, "html.parser").get_text(" ").split())
    assert asked.status_code == 401
    assert "Nothing was changed yet. You go back to the page to make the change again." in page
    assert "once you confirm with your password" not in page


@pytest.fixture
def told_at(oidc_app, meddler, provider, company):
    """Come back with what the provider says of when it last asked."""
    client = oidc_app(meddler).test_client()
    key = jwk.RSAKey.import_key(provider.key)

    def come_back(address, auth_time):
        asked = parse_qs(urlsplit(client.get(address).location).query)
        now = int(clock.now().timestamp())
        said = {"iss": meddler.issuer, "sub": "4711", "aud": site.CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"][0]}
        said |= {"email": "eve@example.test", "email_verified": True, "name": "Eve", "groups": []}
        said |= {"auth_time": now + auth_time} if auth_time is not None else {}
        token = jwt.encode({"alg": "RS256", "kid": key.thumbprint()}, said, key)
        meddler.instead["/o/token/"] = (200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}))
        return client, client.get(f"/login/oidc/return?code=c&state={asked['state'][0]}")

    return come_back


@pytest.mark.parametrize(("auth_time", "proved"), [(0, True), (-3600, False), (None, False), (3600, True)])
def test_a_sign_in_proves_as_much_as_the_provider_asked(told_at, eve, ben, auth_time, proved):
    """Known there since the morning, or for nobody knows how long: enough to look, not to change rights."""
    client, answer = told_at("/login/oidc", auth_time)
    assert answer.status_code == 303

    change(client, ben)

    assert (people.by_id(ben.id).level == Level.ADMIN) == proved
    assert Session.get().confirmed_at <= clock.now()


@pytest.mark.parametrize("auth_time", [-3600, None])
def test_a_provider_that_did_not_ask_again_confirms_nothing(told_at, eve, ben, auth_time):
    client, _ = told_at("/login/oidc", 0)
    assert identities.of(eve)
    grow_old()

    _, answer = told_at(CONFIRM, auth_time)

    assert (answer.status_code, "did not ask you again who you are" in answer.text) == (403, True)
    assert change(client, ben).status_code == 401
