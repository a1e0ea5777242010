"""Route by method, level and scope: every address asked as everybody by every method (ownership and state: test_state_matrix.py)."""

import re

import pytest
from werkzeug.exceptions import MethodNotAllowed

from portal import db
from portal.domain.accounts import api_tokens
from portal.domain.accounts.api_tokens import Scope
from portal.domain.change_orders import Status
from portal.domain.people import Level
from portal.web.access import ENDPOINTS, SCOPES, Who
from tests.conftest import sign_in
from tests.web.test_access import PEOPLE, address

METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")  # GET and POST: test_access.py
NO_PAGE = "urn:cco-portal:problem:"
OPENS = {Who.READS: Scope.READ, Who.WRITES: Scope.WRITE, Who.SENDS: Scope.SEND}


def matched(app, path, method):
    """The endpoint that answers, or None where the address does not take the method."""
    try:
        return app.create_url_adapter(app.test_request_context().request).match(path, method=method)[0]
    except MethodNotAllowed:
        return None


def addresses(app):
    return sorted({address(rule) for rule in app.url_map.iter_rules()})


@pytest.fixture
def gone(app, make_user):
    """Somebody whose account was closed while they were signed in."""
    person = make_user("Gus Old", level=Level.ADMIN, can_push=True)
    client = sign_in(app.test_client(), person)
    person.active = False
    person.save()
    return client


@pytest.mark.parametrize("who", ["nobody", "gone", "dee", "ben", "eve"])
def test_every_address_answers_whom_the_table_lets_through_by_every_method(app, client, who, request):
    if who == "gone":
        client = request.getfixturevalue("gone")
    elif who != "nobody":
        sign_in(client, request.getfixturevalue(who))
    wrong = []

    for path in addresses(app):
        for method in METHODS:
            endpoint = matched(app, path, method)
            answer = client.open(path, method=method)
            code = answer.status_code
            if endpoint is None:
                right = code == 405
            elif ENDPOINTS[endpoint] is Who.PUBLIC:
                right = code < 500
            elif who in PEOPLE[ENDPOINTS[endpoint]]:
                right = code in (200, 303, 400, 404) or (ENDPOINTS[endpoint] is Who.SIGNED_IN and code == 403)  # of that job: the view asks
            elif ENDPOINTS[endpoint] in (*SCOPES, Who.SCRAPES):
                right = code == 401
            else:
                right = code == 403 or (code == 303 and answer.location.startswith("/login"))
            if not right:
                wrong.append((method, path, endpoint, code))

    assert wrong == []


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_opens_what_its_scope_says_and_no_page(app, client, ada, scope):
    text = api_tokens.make("a system", ada.id, {scope}, None, ada)[1]
    wrong = []

    for path in addresses(app):
        for method in ("GET", "POST", "PUT", "DELETE"):
            endpoint = matched(app, path, method)
            if endpoint is None or ENDPOINTS[endpoint] is Who.PUBLIC:
                continue
            answer = client.open(path, method=method, headers={"Authorization": f"Bearer {text}"})
            if ENDPOINTS[endpoint] is Who.SCRAPES:
                right = answer.status_code == 401
            elif ENDPOINTS[endpoint] not in SCOPES:
                right = answer.status_code == 303 and answer.location.startswith("/login")
            elif OPENS.get(ENDPOINTS[endpoint], scope) is scope:
                right = answer.status_code != 401 and (answer.json or {}).get("type") != f"{NO_PAGE}scope"
            else:
                right = answer.status_code == 403 and answer.json["type"] == f"{NO_PAGE}scope"
            if not right:
                wrong.append((method, path, endpoint, answer.status_code))

    assert wrong == []


def contents():
    """Every row of every table but those that note who looked when."""
    noted = ("session", "user")
    return {
        table: sorted(map(repr, db.database.execute_sql(f'SELECT * FROM "{table}"').fetchall()))
        for table in db.database.get_tables()
        if table not in noted
    }


def test_what_is_only_looked_at_changes_nothing(app, client, make_change_order, ada):
    for status in (Status.READY, Status.FAILED, Status.EXPORTED, Status.REJECTED):
        make_change_order(status)
    sign_in(client, ada)
    before = contents()

    for rule in app.url_map.iter_rules():
        for id in ("1", "2", "3", "4"):
            for method in rule.methods & {"GET", "HEAD", "OPTIONS"}:
                client.open(address(rule).replace("4711", id), method=method)

    assert contents() == before


def test_who_asks_without_htmx_gets_a_whole_page_or_a_file_to_keep_under_a_name_of_ours(app, client, make_change_order, ada):
    """No part of a page stands alone, and nothing that was typed is in the name of a file."""
    make_change_order(Status.READY)
    sign_in(client, ada)
    wrong = []

    for rule in app.url_map.iter_rules():
        answer = client.get(address(rule).replace("4711", "1"))
        if answer.status_code != 200 or rule.endpoint == "static" or rule.endpoint.startswith("operations."):
            continue
        said = answer.headers.get("Content-Disposition", "")
        if answer.mimetype == "text/html":
            right = answer.text.lower().startswith("<!doctype html>")
        else:
            right = re.fullmatch(r'attachment; filename="?[a-z0-9-]+\.[a-z]+"?', said) or answer.mimetype.endswith("json")
        if not right:
            wrong.append((rule.rule, answer.mimetype, said))

    assert wrong == []
