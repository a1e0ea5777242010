"""The description of the interface is true: of the same models, with every address, and whatever is asked of it is answered as it says."""

import re
from itertools import count

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from portal.api import openapi
from portal.domain.change_orders import ChangeOrder, Status
from tests.api.conftest import System

KEYS = count()
STATES = ("draft", "ready", "rejected", "queued", "exported")
GENTLE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def operations():
    return {
        each["operationId"]: (path, method)
        for path, item in openapi.document()["paths"].items()
        for method, each in item.items()
        if method != "parameters"
    }


@pytest.fixture
def busy_system(make_app, system, make_change_order):
    """A system that may ask without end, with change orders 1, 2 ... in several states, 001, 002 ... of one commitment."""
    for status in STATES:
        make_change_order(status)
    return System(make_app(API_PER_MINUTE=60_000), system.text)


def test_it_describes_every_address_of_the_interface_and_no_other(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    ours = {
        (re.sub(r"<(\w+:)?(\w+)>", r"{\2}", rule.rule), method.lower()) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert set(operations().values()) == ours


def test_it_is_valid_openapi_31_and_any_token_gets_it(make_system, dee):
    answer = make_system(dee, "send").get("/openapi.json")

    assert answer.content_type == "application/json"
    assert answer.json == openapi.document()
    assert answer.json["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(answer.json).validate()


def test_it_names_the_states_as_they_are(app):
    assert openapi.document()["components"]["schemas"]["Status"]["enum"] == list(Status)


def questions():
    """Each operation as described, and otherwise where it takes anything that could be otherwise."""
    for name, (path, method) in operations().items():
        yield pytest.param(name, GenerationMode.POSITIVE, id=f"{name}-as described")
        item = openapi.document()["paths"][path]
        if "parameters" in item or item[method].keys() & {"parameters", "requestBody"}:
            yield pytest.param(name, GenerationMode.NEGATIVE, id=f"{name}-otherwise")


@pytest.mark.parametrize(("name", "mode"), questions())
def test_whatever_is_asked_is_answered_as_described(busy_system, name, mode):
    schema = schemathesis.openapi.from_dict(openapi.document())
    schema.app = busy_system.client.application
    schema.config.generation.update(with_security_parameters=False)  # the token is always the right one
    operation = schema.find_operation_by_id(name)
    before = ChangeOrder.select().where(ChangeOrder.status.in_(("queued", "exported"))).count()

    @given(case=operation.as_strategy(generation_mode=mode))
    @GENTLE
    def ask(case):
        if mode is GenerationMode.POSITIVE:
            steer(case)
        # In process nothing stands between that would decompress an answer.
        case.call_and_validate(headers={"Authorization": f"Bearer {busy_system.text}", "Accept-Encoding": "identity"})

    ask()
    assert ChangeOrder.select().where(ChangeOrder.status.in_(("queued", "exported"))).count() == before


def steer(case):
    """Half of the questions are about what is there, otherwise nearly all would be answered 404; each has a key of its own."""
    given = case.path_parameters or {}
    if "id" in given and isinstance(given["id"], int) and given["id"] % 2:
        given["id"] = given["id"] % len(STATES) + 1
    if "number" in given and len(str(given["number"])) % 2:
        given |= {"job": "24-117", "commitment": "SC-014"}
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{next(KEYS)}-{case.headers['Idempotency-Key']}"[:255]
