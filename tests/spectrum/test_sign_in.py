"""Signing in with enhanced authentication: tokens come and go, secrets run out, and no credential is ever shown."""

import logging
import traceback
from datetime import timedelta

import pytest

from portal import clock
from portal.spectrum.client import Enhanced, Spectrum
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused, failure_class
from portal.spectrum.signin import Token
from tests.spectrum.scripted import ScriptedServer, http, serving
from tests.spectrum.test_wire import GOOD

SECRET = "simulated-secret"
EXPIRED = "The Spectrum client secret has expired (or was rotated elsewhere). Enter the new one."


class Kept:
    """Where a caller would keep the token."""

    def __init__(self):
        self.token = None
        self.puts = []

    def get(self):
        return self.token

    def put(self, token):
        self.token = token
        self.puts.append(token)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def client(simulator, tmp_path, kept):
    """A client of a simulator that wants tokens; `client(secret=...)` makes another one."""
    simulator.options(enhanced=True)

    def make(secret=SECRET, url=simulator.url):
        enhanced = Enhanced("PORTALTEST", secret, kept.get, kept.put)
        return Spectrum(url, "PORTALTEST", tmp_path / "wsdl", connect_s=5, deadline_s=10, enhanced=enhanced)

    return make


def test_a_call_without_a_token_is_refused_access_once_it_is_wanted(simulator, spectrum, record):
    simulator.options(enhanced=True)

    with pytest.raises(Refused) as refusal:
        spectrum.change_request(record(), "g")

    assert (refusal.value.http, failure_class(refusal.value.rows, 401)) == (401, "access")
    assert simulator.ledger() == []


def test_one_token_serves_many_calls_and_several_processes(client, simulator, record, kept):
    client().change_request(record(), "g")
    client().change_request(record(CR_Phase_Code="033000"), "g")

    assert len(simulator.journal("token")) == 1
    assert len(simulator.ledger()[0]["lines"]) == 2
    assert kept.puts == [kept.token]


def test_a_token_is_renewed_before_it_ends(client, simulator, record, kept):
    kept.token = Token("old", clock.now() + timedelta(seconds=59))

    client().change_request(record(), "g")

    assert kept.token.value != "old"
    assert kept.token.expires_at > clock.now() + timedelta(minutes=55)
    assert [call["outcome"] for call in simulator.journal()] == ["stored"]


def test_a_token_that_ends_in_mid_group_is_renewed_once_and_nothing_doubles(client, simulator, record):
    spectrum = client()
    spectrum.change_request(record(), "g")
    simulator.control("secret", {"id": "PORTALTEST", "do": "expire_tokens"})
    spectrum.change_request(record(CR_Phase_Code="033000"), "g")

    assert [call["outcome"] for call in simulator.journal()] == ["stored", "unauthorized", "stored"]
    assert [line["CR_Phase_Code"] for line in simulator.ledger()[0]["lines"]] == ["162000", "033000"]


def test_a_token_may_be_wanted_for_the_wsdl_too(client, simulator, record, kept):
    kept.token = Token("stale", clock.now() + timedelta(hours=1))
    simulator.fail("unauthorized", "wsdl", times=1)

    client().change_request(record(), "g")

    assert [call["outcome"] for call in simulator.journal()] == ["stored"]
    assert len(simulator.journal("token")) == 1


def test_a_token_refused_twice_is_a_refusal_of_us(client, simulator, record):
    simulator.fail("unauthorized")

    with pytest.raises(Refused, match="rejected the portal's sign-in") as refusal:
        client().change_request(record(), "g")

    assert failure_class(refusal.value.rows, refusal.value.http) == "access"
    assert len(simulator.journal()) == 2


def test_a_403_is_not_tried_again(client, simulator, record):
    simulator.fail("forbidden")

    with pytest.raises(Refused):
        client().change_request(record(), "g")

    assert len(simulator.journal()) == 1


def test_a_401_that_carries_an_answer_is_not_sent_again(record, tmp_path):
    enhanced = Enhanced("PORTALTEST", SECRET, lambda: Token("t", clock.now() + timedelta(hours=1)))

    with serving(ScriptedServer(http(GOOD, "401 Unauthorized"))) as server, pytest.raises(Refused):
        Spectrum(server.url, "PORTALTEST", tmp_path, enhanced=enhanced).change_request(record(), "g")

    assert [request[:3] for request in server.requests] == [b"GET", b"POS"]


@pytest.mark.parametrize("do", ["expire", "rotate"])
def test_a_dead_secret_is_told_as_such_wherever_the_rows_are_kept(client, simulator, record, do):
    simulator.control("secret", {"id": "PORTALTEST", "do": do})

    with pytest.raises(Refused) as refusal:
        client().change_request(record(), "g")

    assert str(refusal.value) == EXPIRED
    assert failure_class(refusal.value.rows, refusal.value.http) == "access"
    assert failure_class(refusal.value.rows, refusal.value.http) == "access"
    assert simulator.journal() == []


def test_a_secret_that_dies_in_mid_group_leaves_the_first_line_and_stops(client, simulator, record):
    spectrum = client()
    spectrum.change_request(record(), "g")
    simulator.control("secret", {"id": "PORTALTEST", "do": "rotate"})
    simulator.control("secret", {"id": "PORTALTEST", "do": "expire_tokens"})

    with pytest.raises(Refused, match="client secret has expired"):
        spectrum.change_request(record(CR_Phase_Code="033000"), "g")

    assert len(simulator.ledger()[0]["lines"]) == 1


def test_time_kills_a_secret(client, simulator, record):
    client().change_request(record(), "g")
    simulator.control("clock", {"advance_s": 91 * 86400})

    with pytest.raises(Refused, match="client secret has expired"):
        client().change_request(record(), "g")


@pytest.mark.parametrize(
    "fault", ["http_500", "http_502", "http_503", "not_found", "html_200", "empty_200", "redirect", "commit_then_reset"]
)
def test_without_a_token_nothing_is_sent(client, simulator, record, fault):
    simulator.fail(fault, "token")

    with pytest.raises(NotSent, match="no token to sign in with") as problem:
        client().change_request(record(), "g")

    assert problem.value.cause == "token"
    assert simulator.journal() == []


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"access_token": 5}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\r\\nX: y"}',
        b'{"access_token": "t", "token_type": "mac"}',
        b'{"access_token": ""}',
    ],
    ids=range(8),
)
def test_a_token_that_is_none_is_not_used(record, tmp_path, answer):
    enhanced = Enhanced("PORTALTEST", SECRET)

    with serving(ScriptedServer(http(answer, content_type="application/json"))) as server, pytest.raises(NotSent):
        Spectrum(server.url, "PORTALTEST", tmp_path, enhanced=enhanced).change_request(record(), "g")

    assert not any(b"ARChangeRequest HTTP" in request for request in server.requests)


def test_basic_is_sent_only_when_it_is_switched_on(record, tmp_path):
    with serving(ScriptedServer(http(GOOD))) as server:
        Spectrum(server.url, "PORTALTEST", tmp_path).change_request(record(), "g")
        Spectrum(server.url, "PORTALTEST", tmp_path, basic_company="ABC").change_request(record(), "g")

    without, signed = server.requests[1], server.requests[2]
    assert b"Authorization:" not in without
    assert b"Authorization: Basic QUJDOlBPUlRBTFRFU1Q=" in signed


def test_no_credential_is_shown_anywhere(record, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    token, echo = "tok-3n", "PORTALTEST portaltest s3cret-s3cret TOK-3N"
    enhanced = Enhanced("PORTALTEST", "s3cret-s3cret", lambda: Token(token, clock.now() + timedelta(hours=1)))
    body = GOOD.replace(b"<returnArray>", f"<returnArray><a>{echo}</a>".encode())

    with serving(ScriptedServer(http(body))) as server, pytest.raises(OutcomeUnknown) as doubt:
        spectrum = Spectrum(server.url, "PORTALTEST", tmp_path, enhanced=enhanced)
        spectrum.change_request(record(), "g")

    told = "".join(traceback.format_exception(doubt.value)) + doubt.value.answer + repr(doubt.value) + repr(spectrum) + repr(enhanced)
    told += caplog.text + repr(Token(token, clock.now()))
    for credential in ("s3cret", "tok-3n", "TOK-3N", "portaltest"):
        assert credential not in told.replace("PORTALTEST", "" if credential == "portaltest" else "PORTALTEST"), credential
    assert "[client secret]" in doubt.value.answer
    assert "PORTALTEST" not in doubt.value.answer
