"""Prometheus reads figures that every web process tells alike; each alert of deploy/ can come true, and none does while all is well."""

import json
import operator
import re
from datetime import timedelta

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from portal import clock as clocks
from portal.domain import heartbeats, outbox
from portal.domain.backups import Backup
from portal.domain.exporting import pausing
from portal.domain.lanes import MAIL, Lane
from portal.domain.mail import refusals
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.processes import Process
from portal.domain.status import queues
from tests.conftest import count_queries, sign_in
from tests.processes import ROOT

TOKEN = "a-token-for-scraping-0a1b2c3d4e5f6071"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
RULES = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text())["groups"]
    for rule in group["rules"]
}
COMPARISON = re.compile(r'(?P<name>\w+)(?:\{(?P<label>\w+)="(?P<value>[^"]+)"\})? (?P<sign>>|==) (?P<limit>[0-9.]+)')
SIGNS = {">": operator.gt, "==": operator.eq}
IMPLIED = {"PortalMailRefused": {"PortalMailDown"}, "PortalMailFailed": {"PortalMailDown"}}  # and what else is true then


@pytest.fixture
def scraped(make_app, healthy):
    """Samples by name and labels, as Prometheus would get them."""
    client = make_app(METRICS_TOKEN=TOKEN).test_client()

    def scrape():
        answer = client.get("/metrics", headers=HEADERS)
        text = answer.text if answer.status_code == 200 else ""
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}

    return scrape


def firing(samples):
    """The alerts whose expression is true of these samples."""
    return {alert for alert, expression in RULES.items() if is_true(expression, samples)}


def is_true(expression, samples):
    if absent := re.fullmatch(r"absent\((\w+)\)", expression):
        return not any(name == absent[1] for name, _ in samples)
    found = COMPARISON.fullmatch(expression)
    assert found, f"{expression} is more than one comparison"
    wanted = {(found["label"], found["value"])} if found["label"] else set()
    return any(
        name == found["name"] and wanted <= labels and SIGNS[found["sign"]](value, float(found["limit"]))
        for (name, labels), value in samples.items()
    )


def test_without_the_token_there_are_no_figures(make_app, company, eve):
    client = sign_in(make_app(METRICS_TOKEN=TOKEN).test_client(), eve)

    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}):
        answer = client.get("/metrics", headers=headers)

        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "portal_" not in answer.text


def test_where_no_token_is_set_none_is_good(client):
    for token in ("", "None"):
        assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_that_can_be_guessed_is_refused(make_app, company):
    with pytest.raises(Exception, match="METRICS_TOKEN: needs at least 32 characters"):
        make_app(METRICS_TOKEN="short")


def test_prometheus_may_ask_by_address(make_app, company):
    client = make_app(METRICS_TOKEN=TOKEN, PORTAL_URL="https://cco.example.test", TRUSTED_PROXIES=1).test_client()

    assert client.get("/metrics", headers=HEADERS | {"Host": "10.0.0.7:8000"}).status_code == 200


def test_figures_are_those_of_the_database(scraped, make_change_order, eve):
    make_change_order("exported")
    make_change_order("failed")
    make_change_order("unknown")

    samples = scraped()

    assert samples["portal_exports_up", frozenset()] == 1
    assert samples["portal_processes", frozenset({("kind", "keeper")})] == 1
    assert samples["portal_change_orders", frozenset({("status", "failed")})] == 1
    assert samples["portal_attempts_last_hour", frozenset({("outcome", "sent")})] == 1
    assert samples["portal_attempts_last_hour", frozenset({("outcome", "refused")})] == 1
    assert samples["portal_database_size_bytes", frozenset()] > 100_000
    assert samples["portal_backup_size_bytes", frozenset()] == 4096


def test_every_web_process_tells_the_same(make_app, healthy, make_change_order, eve):
    first, second = (make_app(METRICS_TOKEN=TOKEN).test_client() for _ in range(2))
    for _ in range(3):
        sign_in(first, eve).get("/settings/people")
    make_change_order("failed")

    assert first.get("/metrics", headers=HEADERS).text == second.get("/metrics", headers=HEADERS).text


def test_figures_name_no_one_and_no_amount(make_app, healthy, make_change_order, eve):
    make_change_order("failed")
    pausing.pause("exports:1", eve, "Month end of Northside")

    text = make_app(METRICS_TOKEN=TOKEN).test_client().get("/metrics", headers=HEADERS).text

    assert not re.search(r"Eve|Northside|4250|duct bank", text)


def test_asking_takes_the_same_number_of_queries_whatever_there_is(scraped, make_change_order):
    with count_queries() as few:
        scraped()
    for _ in range(5):
        make_change_order("exported")
        make_change_order("queued")

    with count_queries() as many:
        scraped()

    assert len(many) == len(few)


def test_every_metric_of_the_dashboard_and_of_the_rules_exists(scraped):
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]] + list(RULES.values())
    named = {name for expression in expressions for name in re.findall(r"portal_\w+", expression)}

    assert named == {name for name, _ in scraped()}


def test_every_metric_says_what_it_is(make_app, healthy):
    text = make_app(METRICS_TOKEN=TOKEN).test_client().get("/metrics", headers=HEADERS).text

    families = list(text_string_to_metric_families(text))
    assert all(family.documentation.endswith(".") for family in families)


def test_while_all_is_well_no_alert_fires(scraped, make_change_order):
    make_change_order("exported")

    assert firing(scraped()) == set()


def silent(kind):
    Process.update(seen_at=clocks.now() - timedelta(hours=1)).where(Process.kind == kind).execute()


def paused_long_ago(eve):
    pausing.pause("exports:1", eve, "Month end")
    Lane.update(paused_at=clocks.now() - timedelta(hours=5)).where(Lane.name == "exports:1").execute()


def due_long_ago():
    outbox.promise("export:17", "exports:1", Task.EXPORT, 17)
    Dispatch.update(due_at=clocks.now() - timedelta(hours=2)).execute()
    Lane.update(moved_at=clocks.now()).where(Lane.name == "exports:1").execute()


def mail_refused(eve):
    outbox.promise(f"code:1:{eve.id}", MAIL, Task.CODE, 1)
    refusals.refused(Dispatch.get(), "535 wrong password")


def mail_failed(eve):
    outbox.promise(f"code:1:{eve.id}", MAIL, Task.CODE, 1)
    outbox.finish(Dispatch.get(), "550 no such mailbox", DispatchOutcome.FAILED)


@pytest.fixture
def breaking(eve, make_change_order, database, monkeypatch):
    """What makes the condition of each alert true."""
    return {
        "PortalNotScraped": lambda: (database.close(), database.init("/nowhere/portal.db")),
        "PortalExportsDown": lambda: silent("keeper"),
        "PortalExportsPaused": lambda: paused_long_ago(eve),
        "PortalExportsLate": due_long_ago,
        "PortalOutcomeUnknown": lambda: make_change_order("unknown"),
        "PortalManyFailures": lambda: monkeypatch.setattr(queues, "states", lambda: dict.fromkeys(queues.WATCHED, 0) | {"failed": 21}),
        "PortalImportsDown": lambda: silent("imports"),
        "PortalMailRefused": lambda: mail_refused(eve),
        "PortalMailDown": lambda: silent("mail"),
        "PortalMailFailed": lambda: mail_failed(eve),
        "PortalBackupOld": lambda: Backup.update(at=clocks.now() - timedelta(hours=27)).execute(),
        "PortalAuditInDoubt": lambda: heartbeats.mark_bad("audit-heads@srv", "The file of heads is gone."),
        "PortalClocksDiffer": lambda: Process.update(seen_at=clocks.now() + timedelta(minutes=1)).execute(),
        "PortalVersionsDiffer": lambda: Process.update(version="0.0.9").execute(),
        "PortalHeartbeatNotTaken": lambda: heartbeats.mark_bad(heartbeats.OUTSIDE, "answered 404"),
    }


@pytest.mark.parametrize("alert", RULES)
def test_what_an_alert_watches_for_fires_it_and_no_other(scraped, breaking, alert):
    breaking[alert]()

    assert firing(scraped()) == {alert} | IMPLIED.get(alert, set())


def test_a_portal_without_a_backup_alerts_too(scraped):
    Backup.delete().execute()

    assert firing(scraped()) == {"PortalBackupOld"}


def test_the_dashboard_asks_the_data_source_that_is_chosen():
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"${datasource}"}
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
