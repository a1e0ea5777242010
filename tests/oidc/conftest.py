"""The portal with a real identity provider, and ways through it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import path_of
from tests.oidc import site
from tests.oidc.process import Visitor


@pytest.fixture
def oidc_app(make_app):
    """The application with this provider (or whoever stands before it), and settings of the test's own."""

    def make(provider, **changes):
        secrets = {"OIDC_CLIENT_ID": site.CLIENT_ID, "OIDC_CLIENT_SECRET": site.CLIENT_SECRET}
        return make_app(OIDC_ISSUER=provider.issuer, **secrets | changes)

    return make


@pytest.fixture
def app(oidc_app, provider):
    return oidc_app(provider)


@pytest.fixture
def through():
    """Begin at the portal, sign in at the provider in a fresh browser, come back; answers what the portal says then."""

    def go(client, name, button="Allow", address="/login/oidc"):
        there = client.get(address)
        assert there.status_code == 303, there.text
        return client.get(path_of(Visitor().answer(there.location, name, button)))

    return go


@pytest.fixture
def state_and_nonce():
    """What the portal sent along when it sent the browser off."""

    def begin(client):
        query = parse_qs(urlsplit(client.get("/login/oidc").location).query)
        return query["state"][0], query["nonce"][0]

    return begin
