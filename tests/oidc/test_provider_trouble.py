"""A provider that is away, slow, or not what it should be: the sign-in page says so at once, and passwords go on working."""

import json
import socket

import pytest
from joserfc import jwk, jwt
from structlog.testing import capture_logs

import portal.openid
from tests.conftest import PASSWORD
from tests.ports import free_port

DISCOVERY, KEYS = "/o/.well-known/openid-configuration", "/o/.well-known/jwks.json"
AWAY = "The identity provider does not answer. Try again in a minute; if it stays so, tell an administrator."
UNUSABLE = "The identity provider is not set up as the portal expects."


@pytest.fixture
def app(oidc_app, meddler):
    return oidc_app(meddler)


@pytest.fixture
def described(meddler):
    """What the provider says of itself, with changes."""

    def change(**changes):
        base = f"http://127.0.0.1:{meddler.port}/o"
        endpoints = {"authorization_endpoint": f"{base}/authorize/", "token_endpoint": f"{base}/token/"}
        said = {"issuer": meddler.issuer, "jwks_uri": f"{base}/.well-known/jwks.json"} | endpoints | changes
        meddler.instead[DISCOVERY] = (200, json.dumps(said))

    return change


def test_a_provider_that_cannot_be_reached_is_told_and_the_password_works(oidc_app, company, ana):
    class Nowhere:
        issuer = f"http://127.0.0.1:{free_port()}"

    client = oidc_app(Nowhere).test_client()

    answer = client.get("/login/oidc?next=/jobs")

    assert (answer.status_code, AWAY in answer.text) == (503, True)
    assert 'name="next" value="/jobs"' in answer.text
    assert client.post("/login", data={"email": ana.email, "password": PASSWORD}).status_code == 303


def test_a_provider_that_hangs_is_given_up(oidc_app, company, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:

        class Hanging:
            issuer = f"http://127.0.0.1:{server.getsockname()[1]}"

        monkeypatch.setattr(portal.openid, "ANSWER_WITHIN_S", 0.2)

        answer = oidc_app(Hanging).test_client().get("/login/oidc")

    assert (answer.status_code, AWAY in answer.text) == (503, True)


@pytest.mark.parametrize(
    "answer",
    [(500, "{}"), (404, "{}"), (200, "<html>"), (200, "[]"), (200, ""), (200, json.dumps({"x": "y" * 1_000_000}))],
    ids=lambda a: str(a)[:20],
)
def test_an_answer_that_describes_no_provider_counts_as_none(client, meddler, answer):
    meddler.instead[DISCOVERY] = answer

    answer = client.get("/login/oidc")

    assert (answer.status_code, AWAY in answer.text) == (503, True)


def test_who_just_did_not_answer_is_left_alone_for_10_seconds(client, meddler, clock):
    meddler.instead[DISCOVERY] = (500, "{}")
    assert [client.get("/login/oidc").status_code for _ in range(3)] == [503, 503, 503]
    assert meddler.asked == [DISCOVERY]
    del meddler.instead[DISCOVERY]
    clock.tick(seconds=10)

    assert client.get("/login/oidc").status_code == 303


def test_what_the_provider_says_of_itself_is_asked_for_once_an_hour(client, meddler, clock):
    for _ in range(3):
        client.get("/login/oidc")
    assert meddler.asked == [DISCOVERY]
    clock.tick(hours=1)

    client.get("/login/oidc")

    assert meddler.asked == [DISCOVERY, DISCOVERY]


def test_a_redirect_is_not_followed(client, meddler):
    meddler.instead[DISCOVERY] = (302, "")
    meddler.headers = {"Location": f"http://127.0.0.1:{meddler.port}/elsewhere"}

    assert client.get("/login/oidc").status_code == 503
    assert meddler.asked == [DISCOVERY]


def test_a_proxy_of_the_environment_is_not_used(client, provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")

    assert client.get("/login/oidc").status_code == 303


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://id.evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://id.example.test/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 7},
    ],
    ids=str,
)
def test_a_provider_that_calls_itself_otherwise_or_leads_to_plain_http_is_not_used(client, described, changes):
    described(**changes)

    answer = client.get("/login/oidc")

    assert (answer.status_code, UNUSABLE in answer.text) == (403, True)


def test_a_new_key_of_the_provider_is_fetched_when_it_first_signs(client, meddler, described, state_and_nonce, clock):
    described()
    now = int(clock.now().timestamp())
    for number in ("first", "second"):
        key = jwk.RSAKey.generate_key(2048, {"kid": number})
        meddler.instead[KEYS] = (200, json.dumps({"keys": [key.as_dict(private=False)]}))
        state, nonce = state_and_nonce(client)
        said = {"iss": meddler.issuer, "sub": "4711", "aud": "cco-portal", "iat": now, "exp": now + 60, "nonce": nonce}
        token = jwt.encode({"alg": "RS256", "kid": number}, said | {"email": "nia@example.test", "email_verified": True}, key)
        meddler.instead["/o/token/"] = (200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}))

        assert client.get(f"/login/oidc/return?code=c&state={state}").status_code == 303
        client.post("/logout")

    assert meddler.asked.count(KEYS) == 2


@pytest.mark.parametrize(
    "keys", [(500, "{}"), (200, "[]"), (200, "{}"), (200, '{"keys": 7}'), (200, '{"keys": [{"kty": "RSA"}]}')], ids=str
)
def test_keys_that_are_none_sign_nobody_in(client, meddler, described, state_and_nonce, keys):
    described()
    meddler.instead[KEYS] = keys
    state, _ = state_and_nonce(client)
    token = jwt.encode({"alg": "RS256", "kid": "x"}, {"sub": "4711"}, jwk.RSAKey.generate_key(2048))
    meddler.instead["/o/token/"] = (200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}))

    assert client.get(f"/login/oidc/return?code=c&state={state}").status_code in (403, 503)


@pytest.mark.parametrize(
    "answer", [(500, "{}"), (502, "<html>"), (200, "[]"), (200, ""), (401, '{"error": "invalid_client"}'), (302, "")], ids=str
)
def test_a_token_endpoint_that_gives_no_token_signs_nobody_in(client, meddler, state_and_nonce, answer):
    state, _ = state_and_nonce(client)
    meddler.instead["/o/token/"] = answer

    answer = client.get(f"/login/oidc/return?code=c&state={state}")

    assert (answer.status_code, "The identity provider" in answer.text) in ((403, True), (503, True))


def test_the_log_says_why_and_holds_neither_secret_nor_code(client, meddler, state_and_nonce):
    state, _ = state_and_nonce(client)
    meddler.instead["/o/token/"] = (401, '{"error": "invalid_client"}')

    with capture_logs() as lines:
        client.get(f"/login/oidc/return?code=the-code&state={state}")

    logged = str(lines)
    assert "token: invalid_client" in logged
    assert not any(secret in logged for secret in ("the-code", state, "known to the provider"))
