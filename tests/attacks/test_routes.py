"""A fuzzer over every address: nothing that is sent to one is a fault of ours, and nothing changes by looking or without right and token.

2,000 requests, the same ones every time; `make test-all` sends 50,000;
`make test ARGS="-k fuzz --fuzz 1000000 --fuzz-seed tonight"` asks more and others.
"""

from math import ceil

import pytest
from bs4 import BeautifulSoup
from flask import redirect

from portal.domain.companies import Company
from portal.web.access import ENDPOINTS, SCOPES, Who
from tests.attacks.assault import Assault
from tests.attacks.catalogue import CANARY
from tests.attacks.crawling import Crawl
from tests.attacks.forging import UNSAFE, Forge, generator, learnt
from tests.conftest import sign_in

SHARDS = 4
LEARNED_FROM = ("ada", "dee", "tom")
MOST_OF_ONE = 8
TO_LOOK_AT = {"look": 0.85, "write": 0.1, "intrude": 0.05}  # of the requests to one route; each by every method
TO_WRITE_TO = {"look": 0.05, "write": 0.6, "intrude": 0.35}


@pytest.fixture
def attacked(make_app, clock):
    """The application as in production: forms need their token. No time passes."""
    return make_app(API_PER_MINUTE=60_000)


@pytest.fixture
def assault(attacked, town):
    """Everybody is signed in and has a form open; the pages of some tell what good requests are."""
    clients = {name: sign_in(attacked.test_client(), person) for name, person in town.people.items()}
    crawls = [Crawl(clients[name], most=MOST_OF_ONE) for name in LEARNED_FROM]
    crawls += [Crawl(clients["ada"], "/confirm"), *(Crawl(attacked.test_client(), start) for start in ("/login", f"/password/{town.link}"))]
    attacked.config["WTF_CSRF_ENABLED"] = True
    people = {name: headers_of(client) for name, client in clients.items()}
    systems = {scope: {"Authorization": f"Bearer {token}"} for scope, token in town.tokens.items()}
    for headers in systems.values():
        attacked.test_client().get("/api/v1/openapi.json", headers=headers)  # their use is noted, and then not for a minute
    made = Assault(attacked, people, systems)
    made.links, made.forms = learnt(crawls, attacked.url_map.bind("localhost"))
    return made


def headers_of(client):
    """The cookie, and the token of a form."""
    page = BeautifulSoup(client.get("/profile").text, "lxml")
    cookie = client.get_cookie("portal-8000")
    return {"Cookie": f"portal-8000={cookie.value}", "X-CSRFToken": page.find("input", {"name": "csrf_token"})["value"]}


def aim(assault, rule, seed):
    """(way, forge, share): how to attack one route, by which requests, and how many of its requests go into it."""
    who = ENDPOINTS[rule.endpoint]
    for kind, share in (TO_WRITE_TO if rule.methods & set(UNSAFE) else TO_LOOK_AT).items():
        known = assault.links.get(rule.rule), assault.forms.get(rule.rule)
        able = ("ada",) if who is Who.ADMINISTERS else LEARNED_FROM
        forge = Forge(rule, generator(seed, rule, kind), *known, able=able, is_api=who in SCOPES)
        yield getattr(assault, "write" if kind == "intrude" and who is Who.PUBLIC else kind), forge, share


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_fuzzer_finds_no_fault_no_hole_and_no_change_by_looking(assault, attacked, shard, pytestconfig):
    seed, wanted = pytestconfig.getoption("--fuzz-seed"), pytestconfig.getoption("--fuzz")
    rules = sorted(attacked.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods)))

    for rule in rules[shard::SHARDS]:
        for way, forge, share in aim(assault, rule, seed):
            way(forge, ceil(wanted * share / len(rules)))

    assert not assault.found, assault.report()
    assert assault.codes[200] + assault.codes[303] > assault.codes.total() / 10, f"most of it was refused at the door: {assault.codes}"


def faulty():
    raise ZeroDivisionError


FAULTS = {
    "raised ZeroDivisionError": faulty,
    "answered 503": lambda: ("down", 503),
    "changed what is recorded": lambda: str(Company.update(name="Changed by looking").execute()),
    "holds markup of the attacker": lambda: f"<p>{CANARY}></p>",
    "is not well formed": lambda: "<p><b></p>",
    "leads to": lambda: redirect("//evil.example"),
    "says Access-Control-Allow-Origin": lambda: ("", {"Access-Control-Allow-Origin": "*"}),
}


def test_the_fuzzer_finds_each_kind_of_fault_that_is_there(assault, attacked):
    """Without this the test above would show nothing."""
    (rule,) = attacked.url_map.iter_rules("help.errors")

    for fault, view in FAULTS.items():
        assault.found.clear()
        attacked.view_functions["help.errors"] = view
        for way, forge, _ in aim(assault, rule, "steady"):
            way(forge, 20)
        assert [found for found in assault.found if found.startswith(fault)], f"{fault} went unnoticed: {assault.found}"


def test_the_fuzzer_notices_when_forms_need_no_token(assault, attacked):
    attacked.config["WTF_CSRF_ENABLED"] = False
    (rule,) = attacked.url_map.iter_rules("profile.save")

    for way, forge, _ in aim(assault, rule, "steady"):
        way(forge, 60)

    assert "changed what is recorded" in assault.found


def test_the_fuzzer_gets_far_enough_to_change_what_is_recorded(assault, attacked):
    (rule,) = attacked.url_map.iter_rules("deciding.reject")

    for way, forge, _ in aim(assault, rule, "steady"):
        way(forge, 100)

    assert assault.written
