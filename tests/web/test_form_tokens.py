"""A form token looks different in each answer, so that the length of a compressed page does not give it away."""

import re
import secrets

import pytest

from portal.web import form_tokens
from tests.conftest import PASSWORD

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def masked(monkeypatch):
    """Masks as in production; `steady_tokens` makes them all the same."""
    monkeypatch.setattr(form_tokens, "token_bytes", secrets.token_bytes)


def test_a_form_token_looks_different_in_each_answer_and_the_same_within_one(masked, csrf_client, eve):
    (token,) = TOKEN.findall(csrf_client.get("/login").text)
    csrf_client.post("/login", data={"email": eve.email, "password": PASSWORD, "csrf_token": token})

    pages = [TOKEN.findall(csrf_client.get("/settings/people").text) for _ in range(3)]

    assert all(len(tokens) > 1 and len(set(tokens)) == 1 for tokens in pages)
    assert len({tokens[0] for tokens in pages}) == 3
    assert not [piece for piece in pieces(pages[0][0]) if piece in pages[1][0]]


def pieces(token, size=6):
    """Every run of so many characters; that two random texts of 250 share one by chance, is one in a million."""
    return [token[at : at + size] for at in range(len(token) - size + 1)]


def test_each_mask_of_a_form_token_is_taken(masked, csrf_client):
    tokens = [TOKEN.findall(csrf_client.get("/login").text)[0] for _ in range(3)]

    for token in tokens:
        assert csrf_client.post("/login", data={"email": "x@example.test", "password": "y", "csrf_token": token}).status_code == 422


def test_a_form_token_without_its_mask_or_with_another_pad_is_refused(masked, csrf_client):
    (masked_token,) = TOKEN.findall(csrf_client.get("/login").text)
    token = form_tokens.unmask(masked_token)
    changed = ("A" if masked_token[0] != "A" else "B") + masked_token[1:]

    for wrong in (token, changed, masked_token[:-4], masked_token + "AAAA", "é" * 8, "%%%"):
        assert csrf_client.post("/login", data={"email": "x@example.test", "password": "y", "csrf_token": wrong}).status_code == 400
