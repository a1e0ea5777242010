"""The id on an error page finds the lines of its request in the log; each line says who asked and about what."""

import json
import logging
import re
from itertools import pairwise

import pytest
from flask import abort

from portal import logs
from portal.background import tasks
from portal.db import Busy
from portal.web.request_log import HEADER
from tests.conftest import HTMX, sign_in

ID = re.compile(r"Reference: <code>([0-9a-f]{12})</code>")


@pytest.fixture
def lines(app, capsys):
    """The lines of the log since the last look; to be looked at first before anything is done."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def look():
        logs.configure("json")  # stderr is another one in each phase of a test
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]

    return look


def fail(error):
    def view(**_):
        if isinstance(error, int):
            abort(error)
        raise error

    return view


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize(
    ("error", "code"), [(400, 400), (403, 403), (404, 404), (410, 410), (ZeroDivisionError(), 500), (Busy("Not now."), 503)], ids=str
)
def test_the_id_on_every_error_page_finds_its_lines(app, client, ana, lines, error, code, headers):
    sign_in(client, ana)
    app.view_functions["change_orders.index"] = fail(error)
    lines()

    answer = client.get("/change-orders", headers=headers)

    [shown] = ID.findall(answer.text)
    found = [line for line in lines() if line.get("request") == shown]
    assert answer.status_code == code
    assert answer.headers[HEADER] == shown
    assert [(line["status"], line["path"], line["user"]) for line in found if line["event"] == "request"] == [
        (code, "/change-orders", ana.id)
    ]


def test_a_page_that_is_not_there_has_an_id_too_whoever_asks(client, lines):
    lines()
    answer = client.get("/nope")

    [shown] = ID.findall(answer.text)
    assert [line["request"] for line in lines()] == [shown]


def test_a_refusal_of_the_interface_names_its_id_in_the_header(client, lines):
    lines()
    answer = client.get("/api/v1/change-orders")

    assert [(line["request"], line["status"]) for line in lines()] == [(answer.headers[HEADER], 401)]


def test_a_decision_leaves_a_line_with_who_decided_about_what(client, ana, make_change_order, lines):
    change_order = make_change_order("ready")
    sign_in(client, ana)
    lines()

    client.post(f"/change-orders/{change_order.id}/rejection", data={"version": change_order.version, "reason": "Wrong cost type"})

    [line] = [line for line in lines() if line["event"] == "request"]
    assert (line["method"], line["user"], line["change_order"]) == ("POST", ana.id, change_order.id)
    assert line["ms"] >= 0
    assert "Wrong cost type" not in json.dumps(line)


def test_looking_at_a_page_leaves_no_line(client, ana, lines):
    sign_in(client, ana)
    lines()

    client.get("/change-orders")

    assert lines() == []


def test_no_visitor_chooses_the_id(client, lines):
    lines()
    answer = client.get("/nope", headers={HEADER: "chosen"})

    assert answer.headers[HEADER] != "chosen"
    assert "chosen" not in json.dumps(lines())


def test_each_request_has_an_id_of_its_own_and_nothing_of_the_one_before(client, ana, make_change_order, lines):
    sign_in(client, ana)
    lines()
    client.post(f"/change-orders/{make_change_order('ready').id}/rejection", data={})
    client.post("/logout")
    client.get("/nope")

    told = [line for line in lines() if line["event"] == "request"]

    assert all(before["request"] != after["request"] for before, after in pairwise(told))
    assert "change_order" in told[0]
    assert not {"change_order", "user"} & told[-1].keys()


def test_what_a_library_says_is_a_line_like_ours(client, app, lines):
    lines()
    app.view_functions["operations.version"] = lambda: logging.getLogger("some.library").warning('odd "thing"\n{}') or "x"

    answer = client.get("/version")

    [line] = lines()
    assert (line["event"], line["level"], line["logger"]) == ('odd "thing"\n{}', "warning", "some.library")
    assert line["request"] == answer.headers[HEADER]


def test_starting_twice_says_nothing_twice(capsys):
    logs.configure("json")
    logs.configure("json")

    logging.getLogger("some.library").warning("once")

    assert capsys.readouterr().err.count("once") == 1


def test_what_the_web_server_says_is_a_line_like_ours(capsys):
    server = logging.getLogger("gunicorn.error")
    server.handlers, server.propagate = [logging.StreamHandler()], False
    logs.configure("json")

    server.critical("WORKER TIMEOUT (pid:%s)", 7)

    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["logger"]) == ("WORKER TIMEOUT (pid:7)", "gunicorn.error")


def test_an_attempt_is_a_line_with_change_order_export_and_attempt(app, make_change_order, lines, monkeypatch):
    queued = make_change_order("queued")
    monkeypatch.setattr("portal.background.exports.client", lambda _: Refusing())
    lines()

    with app.app_context():
        tasks.drain("exports:1")

    [line] = [line for line in lines() if line["event"] == "attempt ended"]
    assert (line["change_order"], line["export"], line["line"], line["outcome"]) == (queued.id, queued.export, 1, "not sent")
    assert line["lane"] == "exports:1"
    assert {"attempt", "claim", "dispatch", "timestamp"} <= line.keys()


class Refusing:
    """A client that reaches no Spectrum."""

    def change_request(self, *_):
        from portal.spectrum.records import NotSent

        raise NotSent("Nothing listens there.")

    jobs = vendors = phases = test_connection = change_request
