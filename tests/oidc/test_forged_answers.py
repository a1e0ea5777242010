"""Answers that look like the provider's and are not: each is refused in one sentence, and nobody is signed in."""

import base64
import hmac
import json
from datetime import timedelta

import pytest
from joserfc import jwk, jwt

from portal import clock as clocks
from portal.domain.accounts.identities import Identity
from portal.domain.accounts.sessions import Session
from portal.domain.people import User
from tests.conftest import path_of
from tests.oidc import site
from tests.oidc.process import Visitor

BACK = "/login/oidc/return"
NOT_BELIEVED = "The answer of the identity provider could not be verified, so you were not signed in."
HOUR = timedelta(hours=1)
STRANGE = "This sign-in was not begun in this browser, or longer than 10 minutes ago."
NOT_CONFIRMED = "The identity provider did not confirm this sign-in"


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


NO_SIGNATURE, SYMMETRIC = (base64url(json.dumps({"alg": algorithm}).encode()) for algorithm in ("none", "HS256"))
ANOTHER_KEY = jwk.RSAKey.generate_key(2048)


@pytest.fixture
def app(oidc_app, meddler):
    return oidc_app(meddler)


@pytest.fixture
def key(provider):
    return jwk.RSAKey.import_key(provider.key)


@pytest.fixture
def claims(meddler):
    """What the provider would say of Nia, but for the nonce."""
    now = int(clocks.now().timestamp())
    known = {"email": "nia@example.test", "email_verified": True, "name": "Nia Brandt", "groups": []}
    return {"iss": meddler.issuer, "sub": "4711", "aud": site.CLIENT_ID, "iat": now, "exp": now + 300, "auth_time": now} | known


@pytest.fixture
def sign(key, claims):
    """An ID token as the provider signs it, with changes; a claim of None is left out, a timedelta counts from now."""

    def make(expected, signed_by=key, **changes):
        header = {"alg": "RS256", "kid": key.thumbprint()}
        told = {name: value for name, value in (claims | {"nonce": expected} | changes).items() if value is not None}
        said = {name: claims["iat"] + int(value.total_seconds()) if isinstance(value, timedelta) else value for name, value in told.items()}
        return jwt.encode(header, said, signed_by)

    return make


@pytest.fixture
def come_back(client, meddler, state_and_nonce):
    """The portal asks for the token and gets what `id_token` makes of the nonce."""

    def go(id_token):
        state, nonce = state_and_nonce(client)
        answer = {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": id_token(nonce)}
        meddler.instead["/o/token/"] = (200, json.dumps(answer))
        return client.get(f"{BACK}?code=c&state={state}")

    return go


def assert_refused(answer, sentence, status=403):
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert (User.select().count(), Identity.select().count(), Session.select().count()) == (0, 0, 0)


def test_the_same_answer_unchanged_is_believed(come_back, sign):
    """So that each refusal below is for the one thing that it changes."""
    assert come_back(sign).status_code == 303
    assert User.get().email == "nia@example.test"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-portal"},
        {"aud": "another-portal", "azp": site.CLIENT_ID},
        {"aud": [site.CLIENT_ID, "another-portal"]},
        {"aud": [site.CLIENT_ID, "another-portal"], "azp": "another-portal"},
        {"aud": None},
        {"iss": "https://id.evil.example"},
        {"iss": None},
        {"exp": -HOUR},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": HOUR},
        {"nbf": HOUR},
        {"sub": None},
        {"sub": ""},
        {"sub": 4711},
        {"sub": ["4711"]},
        {"sub": "x" * 256},
        {"sub": "4711\x00"},
        {"at_hash": "of another access token"},
    ],
    ids=str,
)
def test_a_claim_that_is_not_as_it_must_be_is_refused(come_back, sign, changes):
    assert_refused(come_back(lambda nonce: sign(nonce, **changes)), NOT_BELIEVED)


def test_a_token_of_an_hour_ago_is_refused(client, come_back, sign, clock):
    clock.tick(hours=1)

    assert_refused(come_back(sign), NOT_BELIEVED)


def test_a_signature_by_another_key_is_refused(come_back, sign):
    assert_refused(come_back(lambda nonce: sign(nonce, signed_by=ANOTHER_KEY)), NOT_BELIEVED)


@pytest.mark.parametrize("secret", [site.CLIENT_SECRET, "the public key"])
def test_a_signature_with_what_is_no_secret_of_the_provider_is_refused(come_back, sign, key, secret):
    """HS256 would take the client's secret, or the public key itself, for the key."""
    known = key.as_pem(private=False) if secret == "the public key" else secret.encode()

    def signed(nonce):
        content = f"{SYMMETRIC}.{sign(nonce).split('.')[1]}"
        return f"{content}.{base64url(hmac.digest(known, content.encode(), 'sha256'))}"

    assert_refused(come_back(signed), NOT_BELIEVED)


def test_a_token_without_a_signature_is_refused(come_back, sign):
    def unsigned(nonce):
        return f"{NO_SIGNATURE}.{sign(nonce).split('.')[1]}."

    assert_refused(come_back(unsigned), NOT_BELIEVED)


def test_a_token_whose_claims_were_changed_after_signing_is_refused(come_back, sign):
    def changed(nonce):
        header, _, signature = sign(nonce).split(".")
        return f"{header}.{sign(nonce, sub='1').split('.')[1]}.{signature}"

    assert_refused(come_back(changed), NOT_BELIEVED)


@pytest.mark.parametrize("token", [None, "", "a.b.c", 7, ["x"], "é", "e30.e30.e30"], ids=str)
def test_what_is_no_token_is_refused(come_back, token):
    assert_refused(come_back(lambda nonce: token), NOT_BELIEVED)


def test_a_token_that_came_for_another_browser_is_refused(app, client, state_and_nonce, meddler, sign):
    """Somebody leads a victim back with an answer of their own, so that the victim works in their account."""
    state, _ = state_and_nonce(app.test_client())

    assert_refused(client.get(f"{BACK}?code=c&state={state}"), STRANGE, 400)
    state_and_nonce(client)
    assert_refused(client.get(f"{BACK}?code=c&state={state}"), STRANGE, 400)
    assert "/o/token/" not in meddler.asked


@pytest.mark.parametrize(
    "query", ["", "?", "?code=c", "?state=", "?code=c&state=é", "?code=c&state=x&state=y", "?error=access_denied", "?state[]=x"]
)
def test_an_answer_without_its_state_is_refused(client, state_and_nonce, query):
    state_and_nonce(client)

    assert_refused(client.get(BACK + query), STRANGE, 400)


def test_a_state_counts_once(client, state_and_nonce):
    state, _ = state_and_nonce(client)
    client.get(f"{BACK}?state={state}&error=access_denied")

    assert_refused(client.get(f"{BACK}?code=c&state={state}"), STRANGE, 400)


def test_a_state_counts_for_10_minutes(client, state_and_nonce, clock):
    state, _ = state_and_nonce(client)
    clock.tick(minutes=10)

    assert_refused(client.get(f"{BACK}?code=c&state={state}"), STRANGE, 400)


def test_an_answer_of_another_issuer_is_refused(client, state_and_nonce):
    state, _ = state_and_nonce(client)

    assert_refused(client.get(f"{BACK}?code=c&state={state}&iss=https://id.evil.example"), STRANGE, 400)


@pytest.mark.parametrize("query", ["", "&code=", "&code=c&code=d", "&error=server_error", "&error=<script>alert(1)</script>&code=c"])
def test_an_answer_without_a_code_is_refused(client, state_and_nonce, query):
    state, _ = state_and_nonce(client)

    answer = client.get(f"{BACK}?state={state}{query}")

    assert_refused(answer, "The identity provider refused to sign you in.")
    assert "<script>alert" not in answer.text


def test_a_code_that_was_used_is_refused_by_the_provider(app, client, state_and_nonce):
    back = path_of(Visitor().answer(client.get("/login/oidc").location, "nia"))
    assert client.get(back).status_code == 303
    code = back.partition("code=")[2].partition("&")[0]
    thief = app.test_client()
    state, _ = state_and_nonce(thief)

    answer = thief.get(f"{BACK}?code={code}&state={state}")

    assert (answer.status_code, NOT_CONFIRMED in answer.text) == (403, True)
    assert Session.select().count() == 1


def test_a_code_that_was_meant_for_another_browser_is_refused_by_the_provider(app, client, state_and_nonce):
    """Its challenge is of another verifier."""
    stolen = Visitor().answer(app.test_client().get("/login/oidc").location, "nia")
    code = stolen.partition("code=")[2].partition("&")[0]
    state, _ = state_and_nonce(client)

    assert_refused(client.get(f"{BACK}?code={code}&state={state}"), NOT_CONFIRMED)


def test_an_address_counts_on_the_word_of_whoever_names_it_only(come_back, sign, meddler):
    meddler.instead["/o/userinfo/"] = (200, json.dumps({"sub": "4711", "email": "nia@example.test", "email_verified": True}))

    assert come_back(lambda nonce: sign(nonce, email="eve@example.test", email_verified=None)).status_code == 303

    assert [user.email for user in User.select()] == ["nia@example.test"]


def test_userinfo_of_somebody_else_is_refused(come_back, sign, meddler):
    meddler.instead["/o/userinfo/"] = (200, json.dumps({"sub": "4712", "email": "eve@example.test", "email_verified": True}))

    assert_refused(come_back(lambda nonce: sign(nonce, email=None)), NOT_BELIEVED)
