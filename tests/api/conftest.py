"""An upstream system: speaks JSON with a bearer token."""

import pytest

from portal.domain.accounts import api_tokens


class System:
    """`system.get(path)`, `system.put(path, body)`; every request carries the token."""

    def __init__(self, app, text):
        self.client, self.text = app.test_client(), text

    def open(self, method, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {self.text}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=sent)

    def get(self, path, **headers):
        return self.open("GET", path, **headers)

    def put(self, number, body, **headers):
        return self.open("PUT", f"/jobs/24-117/commitments/SC-014/change-orders/{number}", body, **headers)

    def send(self, one, **headers):
        return self.open("POST", f"/change-orders/{one['id']}/sending", {"version": one["version"]}, **headers)

    def retrieve(self, one, **headers):
        return self.open("POST", f"/change-orders/{one['id']}/retrieval", {"version": one["version"]}, **headers)


@pytest.fixture
def make_system(app, company, ada):
    """A system with a token of the scopes that acts for the person."""

    def make(person, *scopes, name="Procore sync"):
        return System(app, api_tokens.make(name, person.id, set(scopes or ("read", "write", "send")), None, ada)[1])

    return make


@pytest.fixture
def system(make_system, dee, commitment):
    """The system of Dee's job, with all scopes."""
    return make_system(dee)


@pytest.fixture
def change():
    """A change order in order, as a system would deliver it."""
    return {"title": "Relocate duct bank", "lines": [{"phase_code": "16-2000", "cost_type": "SUB", "amount": "4250.00"}]}
