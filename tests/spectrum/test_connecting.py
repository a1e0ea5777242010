"""How the portal signs in to Spectrum: entered on the settings page, sealed in the database, tried by the worker."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portal import clock as clocks
from portal import crypto
from portal.background import tasks
from portal.crypto import Sealer
from portal.domain import events
from portal.domain.change_orders import load
from portal.domain.exporting import pausing, send
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch, Task
from portal.domain.settings import connection_tests, spectrum_sign_in
from portal.domain.settings.connection_tests import ConnectionTest
from portal.domain.settings.spectrum_sign_in import Connection
from tests.cast import signed
from tests.conftest import HTMX, sign_in
from tests.ports import free_port
from tests.spectrum.scripted import ScriptedServer, http, serving, silent

SECRET, ID = "simulated-secret", "SECOND"
CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))
ENHANCED = {"enhanced": "on", "client_id": "PORTALTEST", "client_secret": SECRET, "version": "1"}


@pytest.fixture
def make(make_app, simulator, company):
    """The application in front of the simulator, with settings of the test's own."""
    return lambda **changes: make_app(**{"SPECTRUM_URL": simulator.url, "SPECTRUM_CONNECT_S": 1, "SPECTRUM_DEADLINE_S": 3} | changes)


@pytest.fixture
def app(make):
    return make()


@pytest.fixture
def admin(app, eve):
    return sign_in(app.test_client(), eve)


def save(client, **form):
    return client.post("/settings/connection", data={"version": "1"} | form)


def the_result(app, company, eve):
    """Ask for a test and let the worker do it; answers what was found."""
    asked = connection_tests.ask(by=eve)
    with app.app_context():
        tasks.drain(company.lane)
    return ConnectionTest.get_by_id(asked.id)


def told():
    return [event.facts for event in events.Event.select() if event.action == "connection changed"]


# What is entered


def test_secrets_are_kept_sealed_and_shown_to_nobody(admin, database):
    answer = save(admin, authorization_id=ID, **ENHANCED)

    assert answer.status_code == 303
    kept = Connection.get()
    rows = [row for table in database.get_tables() for row in database.execute_sql(f'SELECT * FROM "{table}"').fetchall()]
    assert SECRET not in str(rows)
    assert ID not in str(rows)
    assert Sealer(admin.application.config["SECRET_KEY"]).open(kept.client_secret) == SECRET
    page = admin.get("/settings/company").text
    assert SECRET not in page
    assert ID not in page
    assert "Now using the ID entered here." in page


def test_events_tell_old_and_new_and_that_a_secret_was_replaced(admin):
    save(admin, authorization_id=ID, **ENHANCED)
    save(admin, **ENHANCED | {"client_secret": "", "version": "1.12", "secret_expires_on": "2026-12-31"})

    first, second = told()
    assert first["secrets"] == ["Authorization ID replaced", "client secret replaced"]
    assert (first["old"]["enhanced"], first["new"]["client_id"]) == (False, "PORTALTEST")
    assert second == {
        "old": {"secret_expires_on": None, "version": "1"},
        "new": {"secret_expires_on": "2026-12-31", "version": "1.12"},
        "secrets": [],
    }


def test_an_empty_secret_leaves_the_one_that_is_kept(admin):
    save(admin, **ENHANCED)
    before = Connection.get().client_secret

    save(admin, **ENHANCED | {"client_secret": "", "basic": "on"})

    assert Connection.get().client_secret == before


def test_switching_enhanced_authentication_off_removes_the_secret(admin):
    save(admin, **ENHANCED)

    save(admin, client_id="PORTALTEST")

    assert (Connection.get().client_secret, Connection.get().enhanced) == ("", False)
    assert told()[-1]["secrets"] == ["client secret removed"]


def test_saving_what_is_kept_already_is_no_event(admin):
    assert save(admin).status_code == 303

    assert told() == []


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"authorization_id": "x" * 21}, "authorization_id", "The Authorization ID has 1 to 20 characters"),
        ({"authorization_id": "A B"}, "authorization_id", "no blanks"),
        ({"authorization_id": "Ä"}, "authorization_id", "The Authorization ID has"),
        ({"enhanced": "on", "client_secret": "s"}, "client_id", "Enhanced authentication needs the client ID."),
        ({"enhanced": "on", "client_id": "c"}, "client_secret", "Enhanced authentication needs the client secret."),
        ({"client_secret": "s3cr3t"}, "client_secret", "switch it on, or leave this empty"),
        ({"enhanced": "on", "client_id": "c", "client_secret": "a\r\nb"}, "client_secret", "The client secret has"),
        ({"version": "1.2.3"}, "version", "The version is a whole number"),
        ({"version": ""}, "version", "The version is a whole number"),
        ({"secret_expires_on": "31.12.2026"}, "secret_expires_on", "is a date such as"),
        ({"basic": "maybe"}, "basic", "This is switched on or off."),
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_is_sent_back(admin, form, field, sentence):
    answer = save(admin, **form)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'id="{field}-error"' in answer.text
    assert not form.get("client_secret") or "s3cr3t" not in answer.text
    assert Connection.select().count() == 0


def test_only_an_administrator_changes_tests_and_refreshes(app, ana):
    client = sign_in(app.test_client(), ana)

    for path in ("/settings/connection", "/settings/connection/tests", "/settings/look-ups"):
        assert client.post(path, data=ENHANCED).status_code == 403
    assert Connection.select().count() == ConnectionTest.select().count() == 0


def test_a_sealed_text_opens_under_its_own_key_only():
    sealed = Sealer("one key " * 5).seal("text")

    assert Sealer("one key " * 5).open(sealed) == "text"
    assert sealed != Sealer("one key " * 5).seal("text")
    with pytest.raises(crypto.Unreadable):
        Sealer("another key " * 5).open(sealed)


def test_what_another_key_sealed_stops_exports_and_says_so(make, company, eve, change_order, ana):
    Connection.create(company=company, authorization_id=Sealer("the key of yesterday " * 3).seal("PORTALTEST"))
    app = make()
    signed(change_order.id, by=ana, version=change_order.version)

    found = the_result(app, company, eve)

    assert (found.ok, "SECRET_KEY has changed" in found.said) == (False, True)
    assert load(change_order.id).state == "failed"
    assert Lane.get_by_id(company.lane).paused_at is not None
    assert "cannot be read any more" in sign_in(app.test_client(), eve).get("/settings/company").text


# What the calls use


def test_the_authorization_id_that_was_entered_is_used_instead_of_the_environments(admin, app, company, eve, simulator):
    simulator.authorize("PORTALTEST", active=False)
    assert not the_result(app, company, eve).ok

    save(admin, authorization_id=ID)

    assert the_result(app, company, eve).ok


def test_enhanced_authentication_keeps_one_token_across_processes(admin, app, company, eve, simulator):
    simulator.options(enhanced=True)
    save(admin, **ENHANCED)

    assert the_result(app, company, eve).ok
    assert the_result(app, company, eve).ok

    assert len(simulator.journal("token")) == 1
    value, _ = spectrum_sign_in.token(company, Sealer(app.config["SECRET_KEY"]))
    assert value not in Connection.get().token


def test_a_new_secret_throws_the_token_away(admin, app, company, eve, simulator):
    simulator.options(enhanced=True)
    save(admin, **ENHANCED)
    the_result(app, company, eve)

    save(admin, **ENHANCED)

    assert Connection.get().token == ""


def test_a_token_that_an_older_secret_bought_is_not_kept(admin, app, company):
    save(admin, **ENHANCED)
    sealer = Sealer(app.config["SECRET_KEY"])
    old = spectrum_sign_in.credentials(company, sealer)
    save(admin, **ENHANCED | {"client_secret": "newer"})

    spectrum_sign_in.keep_token(company, sealer, old, ("token", clocks.now()))

    assert spectrum_sign_in.token(company, sealer) is None


def test_basic_signs_soap_in_where_it_is_switched_on(admin, make, company, eve):
    save(admin, basic="on")
    with serving(ScriptedServer(http(b"", "401 Unauthorized"), status="404 Not Found")) as server:
        the_result(make(SPECTRUM_URL=server.url), company, eve)

    assert any(b"Authorization: Basic" in request for request in server.requests)


# Test connection


def test_a_test_that_passes_says_so_and_how_long_it_took(app, company, eve):
    found = the_result(app, company, eve)

    assert (found.ok, found.advice) == (True, "")
    assert found.said.startswith("Spectrum at 127.0.0.1:")
    assert 0 < found.milliseconds < 3000


@pytest.mark.parametrize(
    ("fault", "said", "advice"),
    [
        ("unauthorized", "rejected the portal's sign-in", "Check the Authorization ID"),
        ("forbidden", "rejected the portal's sign-in", ""),
        ("soap_fault", "", ""),
        ("http_500", "", ""),
        ("html_200", "answered, but not as Spectrum does", "SPECTRUM_URL"),
        ("redirect", "", ""),
        ("empty_200", "answered, but not as Spectrum does", "SPECTRUM_URL"),
        ("commit_then_reset", "", ""),
    ],
)
def test_a_test_that_fails_says_what_was_found_and_what_to_do(app, company, eve, simulator, fault, said, advice):
    simulator.fail(fault, method="WSTestConnection")

    found = the_result(app, company, eve)

    assert not found.ok
    assert said in found.said
    assert advice in found.advice
    assert found.said
    assert found.advice
    assert "PORTALTEST" not in found.said + found.advice


def test_nobody_at_the_address(make, company, eve):
    found = the_result(make(SPECTRUM_URL=f"http://127.0.0.1:{free_port()}"), company, eve)

    assert not found.ok
    assert found.advice


def test_a_server_that_never_answers(make, company, eve):
    with silent() as port:
        found = the_result(make(SPECTRUM_URL=f"http://127.0.0.1:{port}"), company, eve)

    assert (found.ok, found.milliseconds >= 2500) == (False, True)


def test_an_authorization_id_that_is_not_active(app, company, eve, simulator):
    simulator.authorize("PORTALTEST", active=False)

    found = the_result(app, company, eve)

    assert not found.ok
    assert found.advice


def test_a_secret_that_has_run_out(admin, app, company, eve, simulator):
    simulator.options(enhanced=True)
    save(admin, **ENHANCED)
    simulator.control("secret", {"id": "PORTALTEST", "do": "expire"})

    found = the_result(app, company, eve)

    assert not found.ok
    assert "secret" in found.said


def test_a_pause_stops_no_test_and_a_passed_one_offers_to_resume(admin, app, company, eve, clock):
    reason = "Spectrum rejected the portal's sign-in."
    Lane.update(paused_at=clock.now(), reason=reason).where(Lane.name == company.lane).execute()

    assert the_result(app, company, eve).ok

    fragment = admin.get("/settings/connection/test", headers=HTMX).text
    assert "Passed" in fragment
    assert "Resume exports" in fragment


def test_a_person_s_pause_is_not_offered_to_be_ended_by_a_test(admin, app, company, eve):
    pausing.pause(company.lane, eve, "month-end close")

    the_result(app, company, eve)

    assert "Resume exports" not in admin.get("/settings/connection/test", headers=HTMX).text


def test_the_page_asks_until_the_test_has_ended_and_shows_the_same_words(admin, app, company, eve):
    answer = admin.post("/settings/connection/tests", headers=HTMX)
    assert 'hx-trigger="load delay:1s"' in answer.text
    assert admin.post("/settings/connection/tests").location == "/settings/company#connection"
    assert ConnectionTest.select().count() == 1

    with app.app_context():
        tasks.drain(company.lane)

    fragment = admin.get("/settings/connection/test", headers=HTMX).text
    assert "hx-trigger" not in fragment
    assert 'data-say="Spectrum at' in fragment
    shown = fragment.partition(">")[2].strip()
    assert shown in admin.get("/settings/company").text
    assert admin.get("/settings/connection/test").location == "/settings/company#connection"


def test_the_page_shows_how_far_a_refresh_is(admin, app, company, change_order):
    begun = admin.post("/settings/look-ups", headers=HTMX)
    assert "0 of 1 jobs read" in begun.text
    assert 'hx-trigger="load delay:1s"' in begun.text
    assert admin.post("/settings/look-ups").location == "/settings/company#look-ups"

    with app.app_context():
        tasks.drain(company.lane)

    ended = admin.get("/settings/look-ups", headers=HTMX).text
    assert "hx-trigger" not in ended
    assert "Jobs: 2, read" in " ".join(ended.split())
    assert ended.partition(">")[2].strip() in admin.get("/settings/company").text
    assert admin.get("/settings/look-ups").location == "/settings/company#look-ups"


# A secret that ends


def test_a_secret_that_runs_out_in_mid_drain_fails_one_and_keeps_the_others_in_line(
    admin, app, company, simulator, make_change_order, ana, monkeypatch
):
    simulator.options(enhanced=True)
    save(admin, **ENHANCED)
    orders = [make_change_order() for _ in range(4)]
    for order in orders:
        signed(order.id, by=ana, version=order.version)
    steps, step = [], send.step

    def run_out_after_the_first(dispatch, claim, **how):
        step(dispatch, claim, **how)
        steps.append(dispatch)
        if len(steps) == 1:
            simulator.control("secret", {"id": "PORTALTEST", "do": "expire"})
            simulator.control("secret", {"id": "PORTALTEST", "do": "expire_tokens"})

    monkeypatch.setattr(send, "step", run_out_after_the_first)
    with app.app_context():
        tasks.drain(company.lane)

    assert [load(order.id).state for order in orders] == ["exported", "failed", "queued", "queued"]
    failure = events.history("change_order", orders[1].id)[-1].facts
    assert failure["cause"] == "access"
    lane = Lane.get_by_id(company.lane)
    assert (lane.paused_at is not None, lane.paused_by) == (True, None)
    assert len(simulator.journal()) <= 2


def test_after_a_new_secret_the_others_go(admin, app, company, eve, simulator, change_order, ana):
    simulator.options(enhanced=True)
    save(admin, **ENHANCED | {"client_secret": "wrong"})
    Lane.update(paused_at=clocks.now(), reason="Spectrum rejected the portal's sign-in.").where(Lane.name == company.lane).execute()
    signed(change_order.id, by=ana, version=change_order.version)
    save(admin, **ENHANCED)

    assert the_result(app, company, eve).ok
    admin.post("/settings/exports/resumption")
    Dispatch.update(due_at=Dispatch.promised_at).where(Dispatch.task == Task.EXPORT).execute()
    with app.app_context():
        tasks.drain(company.lane)

    assert load(change_order.id).state == "exported"


@pytest.mark.parametrize(
    ("days", "words"), [(15, ""), (14, "ends in 14 days"), (1, "ends in 1 day,"), (0, "ends today."), (-1, "The client secret ended on")]
)
def test_the_page_warns_14_days_ahead(admin, eve, clock, days, words):
    today = date(2026, 11, 20)
    clock.set(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
    sign_in(admin, eve)  # on that day
    save(admin, **ENHANCED | {"secret_expires_on": (today + timedelta(days=days)).isoformat()})

    page = " ".join(admin.get("/settings/company").text.split())

    assert ("The client secret e" in page) == bool(words)
    assert words in page


def test_administrators_get_a_mail_per_step_and_no_more(make, catcher, company, eve, ana, make_user, clock):
    other = make_user("Ada Admin", level="Admin")
    app = make(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="http://localhost:8123")
    clock.set(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
    save(sign_in(app.test_client(), eve), **ENHANCED | {"secret_expires_on": "2026-12-05"})
    for _ in range(9):  # 15 to 7 days before, several keepers
        spectrum_sign_in.plan_reminders()
        spectrum_sign_in.plan_reminders()
        clock.tick(days=1)

    with app.app_context():
        tasks.drain("mail")

    mails = catcher.mails()
    assert sorted(mail["to"][0] for mail in mails) == sorted([eve.email, other.email] * 2)
    assert all("Spectrum client secret ends on" in mail["subject"] for mail in mails)
    assert all("http://localhost:8123/settings/company#connection" in mail["text"] for mail in mails)
    assert SECRET not in json.dumps(mails)


def test_no_secret_is_logged(admin, app, company, eve, simulator, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    simulator.options(enhanced=True)
    save(admin, authorization_id=ID, **ENHANCED | {"client_id": ID})
    the_result(app, company, eve)
    simulator.control("secret", {"id": ID, "do": "expire"})
    the_result(app, company, eve)

    said = caplog.text + "".join(capfd.readouterr())

    assert SECRET not in said
    assert "Bearer " not in said


def test_a_server_whose_certificate_nobody_knows(make, company, eve, tmp_path):
    with silent(CERTIFICATE) as port:
        found = the_result(make(SPECTRUM_URL=f"https://127.0.0.1:{port}"), company, eve)

    assert not found.ok
    assert "SPECTRUM_CA_BUNDLE" in found.advice


def test_an_address_that_is_missing_is_found(make, company, eve):
    found = the_result(make(SPECTRUM_URL=""), company, eve)

    assert not found.ok
    assert found.said
    assert found.advice


def test_an_authority_that_is_gone_since_the_portal_started_is_found(make, company, eve, tmp_path):
    bundle = tmp_path / "authority.pem"
    bundle.write_bytes(Path(CERTIFICATE).read_bytes())
    app = make(SPECTRUM_URL="https://127.0.0.1:1", SPECTRUM_CA_BUNDLE=bundle)
    bundle.unlink()

    found = the_result(app, company, eve)

    assert not found.ok
    assert found.said
    assert found.advice
