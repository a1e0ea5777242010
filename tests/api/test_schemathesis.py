"""Schemathesis as anybody may run it against a portal: every operation in all of its phases (examples, edges of the description, random,
one call after the other), with a token that works and without. No fault of ours, and no answer that is not described."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from portal.api import openapi
from portal.domain.accounts import api_tokens
from portal.domain.change_orders import ChangeOrder
from tests.ports import free_port

STATES = ("draft", "ready", "rejected", "queued", "exported")
HERE = {"job": "24-117", "commitment": "SC-014", "number": "777"}  # of tests/cast.py, and a number that nobody has yet
ANSWERS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


@pytest.fixture
def interface(make_app, make_change_order):
    """The address of a portal with change orders in several states; tokens may ask without end, wrong ones may not."""
    for status in STATES:
        make_change_order(status)
    port = free_port()
    server = make_server("127.0.0.1", port, make_app(PORTAL_PORT=port, API_PER_MINUTE=60_000), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


def about(document, things):
    """The description with addresses of things that are here, so that what is delivered is read further than its address."""
    for path in document["paths"].values():
        for parameter in path.get("parameters", ()):
            if parameter["name"] in things:
                parameter["schema"] = {"type": "string", "enum": [things[parameter["name"]]]}
    return document


@pytest.fixture
def run(interface, tmp_path):
    """Runs Schemathesis over the description; answers what it printed and whether all was as described."""
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(about(openapi.document(), HERE)), encoding="utf-8")

    def execute(*options):
        steady = ["--seed", "1", "--generation-deterministic", "--workers", "1", "--no-color", "--suppress-health-check", "all"]
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(description), "--url", interface, *steady, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=tmp_path)

    return execute


@pytest.mark.timeout(300)
def test_with_a_token_every_phase_finds_only_what_is_described(run, dee, ada):
    text = api_tokens.make("Schemathesis", dee.id, {"read", "write", "send"}, 1, ada)[1]
    decided = ChangeOrder.select().where(ChangeOrder.status.in_(("queued", "exported"))).count()

    ran = run(
        *("--header", f"Authorization: Bearer {text}", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "10"),
        *("--exclude-checks", "positive_data_acceptance"),  # what the rules refuse (a key used twice, too) is described as an answer
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No issues found" in ran.stdout
    assert ChangeOrder.select().where(ChangeOrder.status.in_(("queued", "exported"))).count() == decided


@pytest.mark.timeout(300)
@pytest.mark.parametrize("token", ["none", "wrong", "read only"])
def test_without_a_token_that_may_nothing_is_recorded_and_each_refusal_is_described(run, dee, ada, token):
    text = {"none": "", "wrong": "cco_wrong", "read only": api_tokens.make("Reads", dee.id, {"read"}, 1, ada)[1]}[token]
    headers = ["--header", f"Authorization: Bearer {text}"] if text else []
    before = list(ChangeOrder.select(ChangeOrder.id, ChangeOrder.status, ChangeOrder.version).order_by(ChangeOrder.id).tuples())

    ran = run(*headers, "--phases", "coverage,fuzzing", "--max-examples", "5", "--checks", ANSWERS)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list(ChangeOrder.select(ChangeOrder.id, ChangeOrder.status, ChangeOrder.version).order_by(ChangeOrder.id).tuples()) == before
