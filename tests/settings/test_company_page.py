"""What an administrator sets for the company, and what it does."""

import threading
from datetime import date
from decimal import Decimal
from itertools import chain

import pytest
from bs4 import BeautifulSoup

from portal import db
from portal.background import tasks
from portal.db import writes
from portal.domain import companies, events, heartbeats, outbox
from portal.domain.accounts import api_tokens, rights
from portal.domain.change_orders import load
from portal.domain.exporting import pausing
from portal.domain.imports.staging import Import
from portal.domain.lanes import MAIL, Lane
from portal.domain.people import Level
from portal.domain.rules.attention import Reason
from portal.domain.settings import company_settings, spectrum_sign_in
from portal.domain.settings.connection_tests import ConnectionTest
from tests.attacks.judging import malformed
from tests.cast import seen
from tests.conftest import HTMX, count_queries, sign_in

SPECTRUM = {"section": "spectrum", "code": "ABC", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}
LOOK = {"section": "look", "look_rules": list(Reason), "look_limit": "50000", "growth_limit": "10"}
DECISIONS = {"section": "decisions", "edit_number": "on", "four_eyes": "on", "export_delay": "0"}
BULK = {"section": "bulk", "bulk_cap": "50", "bulk_read_all": "on"}
PERIOD = {"section": "period", "accounting_dates": "on", "period_from": "2026-11-01", "period_to": "2026-11-30"}
REASONS = {"section": "reasons", "reject_reasons": "Wrong cost type\r\n\r\n Quote missing \r\nWrong cost type"}
SUMMARY = {"section": "summary", "daily_summary": "on", "summary_hour": "7", "summary_days": ["1", "2", "3", "4", "5"]}
COMPANY = {"section": "company", "name": "Harbor Builders", "time_zone": "America/Chicago"}


@pytest.fixture
def admin(client, eve):
    return sign_in(client, eve)


def save(client, form, **changes):
    return client.post("/settings/company", data=form | changes)


def field(page, name):
    return BeautifulSoup(page, "html.parser").find(id=name)


def told():
    changes = events.Event.select().where(events.Event.action == "settings changed").order_by(events.Event.seq)
    return [(event.facts["old"], event.facts["new"]) for event in changes]


@pytest.mark.parametrize(
    ("form", "column", "value"),
    [
        (SPECTRUM | {"code": "xyz"}, "code", "XYZ"),
        (SPECTRUM | {"cr_status": "ap"}, "cr_status", "AP"),
        (SPECTRUM | {"cost_reimbursable": "Y"}, "cost_reimbursable", "Y"),
        (SPECTRUM | {"sub_status": "R"}, "sub_status", "R"),
        (DECISIONS | {"custom_title": "on"}, "custom_title", True),
        ({"section": "decisions", "four_eyes": "on", "export_delay": "0"}, "edit_number", False),
        ({"section": "decisions", "edit_number": "on", "export_delay": "0"}, "four_eyes", False),
        (DECISIONS | {"export_delay": "3600"}, "export_delay", 3600),
        ({"section": "resending", "test_company": "on"}, "test_company", True),
        (LOOK | {"growth_limit": "25"}, "growth_limit", 25),
        (LOOK | {"growth_limit": ""}, "growth_limit", None),
        (LOOK | {"look_rules": ["first", "credit"]}, "look_rules", "credit first"),
        (BULK | {"bulk_cap": "100"}, "bulk_cap", 100),
        ({"section": "bulk", "bulk_cap": "50"}, "bulk_read_all", False),
        (REASONS, "reject_reasons", "Wrong cost type\nQuote missing"),
        (SUMMARY | {"daily_summary": ""}, "daily_summary", False),
        (SUMMARY | {"summary_hour": "16"}, "summary_hour", 16),
        (SUMMARY | {"summary_hour": "0"}, "summary_hour", 0),
        (SUMMARY | {"summary_days": ["7", "1", "1"]}, "summary_days", "17"),
        (COMPANY | {"name": " Łódź & Sons "}, "name", "Łódź & Sons"),
        (COMPANY | {"time_zone": "America/New_York"}, "time_zone", "America/New_York"),
    ],
)
def test_a_section_is_kept_and_told_with_old_and_new_value(admin, company, form, column, value):
    before = getattr(company, column)

    answer = save(admin, form)

    assert (answer.status_code, answer.location) == (303, f"/settings/company#{form['section']}")
    assert getattr(companies.current(), column) == value
    assert told() == [({column: before}, {column: value})]
    assert "Saved" in admin.get("/settings/company").text


@pytest.mark.parametrize("typed", ["1234567", "1,234,567.00", "$1,234,567"])
def test_the_look_limit_is_read_as_people_write_an_amount(admin, company, typed):
    assert save(admin, LOOK, look_limit=typed).status_code == 303
    assert companies.current().look_limit == Decimal("1234567.00")


def test_codes_that_leave_export_off_are_saved_with_a_warning(admin, company):
    save(admin, SPECTRUM, code="")

    said = BeautifulSoup(admin.get("/settings/company").text, "html.parser").select_one(".notice")
    assert "Export is off: the company settings lack the Spectrum company code." in said.text
    assert "warning" in said["class"]


def test_codes_that_leave_nothing_out_are_saved_without_one(admin, company):
    save(admin, SPECTRUM)

    said = BeautifulSoup(admin.get("/settings/company").text, "html.parser").select_one(".notice")
    assert said.text.startswith("Saved") and "Export is off" not in said.text
    assert "warning" not in said["class"]


def test_the_open_period_is_kept_and_told(admin, company):
    assert save(admin, PERIOD).status_code == 303

    kept = companies.current()
    assert (kept.accounting_dates, kept.period_from, kept.period_to) == (True, date(2026, 11, 1), date(2026, 11, 30))
    old = {"accounting_dates": False, "period_from": None, "period_to": None}
    assert told() == [(old, {"accounting_dates": True, "period_from": "2026-11-01", "period_to": "2026-11-30"})]
    assert field(admin.get("/settings/company").text, "period_to")["value"] == "2026-11-30"


def test_of_two_administrators_who_save_at_once_the_second_tells_what_the_first_left(company, eve, ada):
    start = threading.Barrier(2)

    def change(by, seconds):
        with db.connected():
            start.wait()
            company_settings.change("decisions", {"edit_number": "on", "four_eyes": "on", "export_delay": seconds}, by)

    savers = [threading.Thread(target=change, args=pair) for pair in ((eve, "45"), (ada, "60"))]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()

    (before, first), (between, last) = told()
    assert before == {"export_delay": 0}
    assert between == first
    assert {first["export_delay"], last["export_delay"]} == {45, 60}


def test_saving_what_is_kept_already_is_no_event(admin, company):
    assert save(admin, SPECTRUM).status_code == 303

    assert told() == []


def test_one_section_leaves_the_others_alone(admin, company):
    save(admin, COMPANY, name="Other")

    kept = companies.current()
    assert (kept.code, kept.four_eyes, kept.edit_number) == ("ABC", True, True)


@pytest.mark.parametrize(
    ("form", "column", "typed", "sentence"),
    [
        (SPECTRUM, "code", "ABCD", "The company code has 1 to 3 characters"),
        (SPECTRUM, "code", "A C", "The company code has 1 to 3 characters"),
        (SPECTRUM, "code", "A/C", "The company code has 1 to 3 characters"),
        (SPECTRUM, "code", "ÄB", "The company code has 1 to 3 characters"),
        (SPECTRUM, "cr_status", "CRX", "The change request status has 1 to 2 characters"),
        (SPECTRUM, "cost_reimbursable", "y", "Choose the cost-reimbursable flag from the list."),
        (SPECTRUM, "sub_status", "E", "Choose the subcontract status from the list."),
        (DECISIONS, "export_delay", "", "The export delay is a whole number of seconds from 0 to 3600."),
        (DECISIONS, "export_delay", "-1", "The export delay is a whole number"),
        (DECISIONS, "export_delay", "3601", "The export delay is a whole number"),
        (DECISIONS, "export_delay", "1.5", "The export delay is a whole number"),
        (DECISIONS, "export_delay", "١٢", "The export delay is a whole number"),
        (DECISIONS, "export_delay", "9" * 5000, "The export delay is a whole number"),
        (DECISIONS, "four_eyes", "maybe", "This is switched on or off."),
        ({"section": "look"}, "growth_limit", "1001", "The growth limit is a whole number of percent from 0 to 1000, or blank."),
        (BULK, "bulk_cap", "0", "The most at once is a whole number from 1 to 100."),
        (BULK, "bulk_cap", "101", "The most at once is a whole number"),
        (BULK, "bulk_cap", "1.5", "The most at once is a whole number"),
        ({"section": "look"}, "growth_limit", "-1", "The growth limit is a whole number"),
        (LOOK, "look_limit", "-1", "The look limit is an amount such as 50000.00, or blank."),
        (LOOK, "look_limit", "50,00", "The look limit is an amount such as 50000.00, or blank."),
        (LOOK, "look_rules", "luck", "Choose the reasons from the list."),
        (PERIOD, "period_from", "11/01/2026", "The first day of the open period is a date such as 2026-11-30."),
        (PERIOD, "period_to", "2026-02-30", "The last day of the open period is a date"),
        (PERIOD, "period_to", "2026-10-31", "The open period ends before it begins."),
        (REASONS, "reject_reasons", "\n".join("abcdefg"), "The reject reasons are at most 6 lines of at most 100 plain characters each."),
        (REASONS, "reject_reasons", "x" * 101, "The reject reasons are at most 6 lines"),
        (REASONS, "reject_reasons", "a\x00b", "The reject reasons are at most 6 lines"),
        (SUMMARY, "summary_hour", "24", "The hour of the summary is a whole number from 0 to 23, in company time."),
        (SUMMARY, "summary_hour", "", "The hour of the summary is a whole number"),
        (SUMMARY, "summary_hour", "7:30", "The hour of the summary is a whole number"),
        (SUMMARY, "summary_hour", "٧", "The hour of the summary is a whole number"),
        (SUMMARY, "summary_days", "", "Choose at least one day for the summary, or switch it off."),
        (SUMMARY, "summary_days", "8", "Choose at least one day for the summary"),
        (COMPANY, "name", "", "The company name needs 1 to 100 plain characters."),
        (COMPANY, "name", "x" * 101, "The company name needs 1 to 100 plain characters."),
        (COMPANY, "name", "a\x00b", "The company name needs 1 to 100 plain characters."),
        (COMPANY, "time_zone", "Mars/Olympus", "Choose a time zone such as America/Chicago."),
        (COMPANY, "time_zone", "../etc/passwd", "Choose a time zone"),
    ],
)
def test_a_value_that_cannot_be_is_refused_beside_its_field_with_the_input_kept(admin, company, form, column, typed, sentence):
    before = companies.current().__data__

    answer = save(admin, form, **{column: typed})

    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2  # in the summary, and at the field
    found = field(answer.text, column)
    assert found["aria-invalid"] == "true"
    assert field(answer.text, f"{column}-error")["id"] in found["aria-describedby"]
    if found.name == "input" and found.get("type") != "checkbox":
        assert found["value"] == typed
    assert companies.current().__data__ == before
    assert told() == []


def test_all_problems_are_shown_at_once(admin, company):
    answer = save(admin, SPECTRUM, code="ABCD", cr_status="CRX", sub_status="E")

    summary = field(answer.text, "problems")
    assert [link["href"] for link in summary.find_all("a")] == ["#code", "#cr_status", "#sub_status"]


@pytest.mark.parametrize("section", ["", "nope", "company ", "__class__", None])
def test_a_section_that_is_none_is_a_400(admin, company, section):
    assert admin.post("/settings/company", data={"section": section} if section is not None else {}).status_code == 400


def test_other_columns_cannot_be_smuggled_in(admin, company):
    save(admin, COMPANY, id="99", code="XYZ", export_delay="5")

    assert (companies.current().id, companies.current().code, companies.current().export_delay) == (company.id, "ABC", 0)


def test_the_page_says_what_is_missing_before_anything_is_exported(admin, company):
    save(admin, SPECTRUM, cr_status="", sub_status="")

    page = admin.get("/settings/company").text

    missing = [" ".join(item.get_text(" ").split()) for item in BeautifulSoup(page, "html.parser").select("#set-up .checklist .missing")]
    assert missing == [
        "Change request status: missing Set it : Change request status",
        "Subcontract status: missing Set it : Subcontract status",
        "Connection test: never made Fix it : Connection test",
        "People who can accept and reject: no one Fix it : People who can accept and reject",
    ]


def test_what_does_not_go_together_keeps_export_off_too(admin, company):
    company.cr_approves = True
    company.save()

    steps = field(admin.get("/settings/company").text, "set-up")

    assert "Export is off until this is complete" in steps.get_text()
    assert "Spectrum takes a status of type 1 or 2 for cost-reimbursable change requests only." in " ".join(steps.get_text().split())


def test_when_all_is_there_the_list_says_so(admin, company, ana, clock):
    ConnectionTest.create(company=company, finished_at=clock.now(), ok=True, said="Reached.")

    steps = field(admin.get("/settings/company").text, "set-up")

    assert "What exporting needs" in steps.get_text()
    assert steps.select(".missing") == []
    assert "People who can accept and reject: Ana Ortiz" in " ".join(steps.get_text().split())


@pytest.mark.parametrize("missing", ["code", "cr_status", "cost_reimbursable", "sub_status"])
def test_while_something_is_missing_every_accept_says_that_export_is_off_and_why(client, ana, change_order, company, missing):
    setattr(company, missing, "")
    company.save()
    sign_in(client, ana)

    form = client.get(f"/change-orders/{change_order.id}/acceptance").text
    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order))

    assert "Export is off: the company settings lack the Spectrum" in form
    assert answer.status_code == 422
    assert "Export is off: the company settings lack the Spectrum" in answer.text
    assert load(change_order.id).is_ready


def test_every_setting_says_in_a_sentence_what_it_changes(admin, company):
    page = BeautifulSoup(admin.get("/settings/company").text, "html.parser").main
    fields = [found for found in page.find_all(["input", "select", "textarea"]) if found.get("type") != "hidden"]
    settings = {found["name"]: page.find(id=f"{found['name']}-hint") for found in fields if found["name"] != "change_order"}

    assert settings.keys() == {*spectrum_sign_in.FIELDS, *chain(*company_settings.SECTIONS.values()), "reason"}
    assert [name for name, hint in settings.items() if hint is None or not hint.get_text().strip().endswith(".")] == []


def test_one_press_fills_in_a_reject_reason(client, ana, company, change_order):
    sign_in(client, ana)
    company.reject_reasons = "Wrong cost type\nQuote missing"
    company.save()
    page = BeautifulSoup(client.get(f"/change-orders/{change_order.id}/rejection").text, "html.parser")
    second = page.find("button", string="Quote missing")
    form = page.find("form", id=second["form"])
    assert (form["method"], form.find("input")) == ("get", None)

    filled = client.get(form["action"], query_string={second["name"]: second["value"]})

    assert field(filled.text, f"reason-{change_order.id}").get_text().strip() == "Quote missing"


@pytest.mark.parametrize("preset", ["0", "3", "-1", "x", "9" * 400])
def test_a_reason_that_is_not_among_them_fills_in_nothing(client, ana, company, change_order, preset):
    company.reject_reasons = "Wrong cost type\nQuote missing"
    company.save()
    sign_in(client, ana)

    form = client.get(f"/change-orders/{change_order.id}/rejection?preset={preset}")

    assert field(form.text, f"reason-{change_order.id}").get_text().strip() == ""


def test_without_reasons_the_reject_form_has_no_such_buttons(client, ana, company, change_order):
    sign_in(client, ana)

    assert "presets" not in client.get(f"/change-orders/{change_order.id}/rejection", headers=HTMX).text.replace(
        f"presets-{change_order.id}", ""
    )


@pytest.mark.parametrize(
    ("url", "shown"), [("https://spectrum.example.test:8482", "https://spectrum.example.test:8482"), ("", "The simulator")]
)
def test_where_spectrum_is_can_be_read_and_not_changed(make_app, company, eve, url, shown):
    client = sign_in(make_app(SPECTRUM_URL=url).test_client(), eve)

    page = client.get("/settings/company").text

    assert shown in page
    assert 'name="spectrum_url"' not in page


def test_how_change_orders_come_in_can_be_looked_up(admin, company, dee, eve, clock):
    def imports():
        return " ".join(BeautifulSoup(admin.get("/settings/company").text, "html.parser").find(id="imports").get_text(" ").split())

    assert "No file was imported yet." in imports()
    assert "No access tokens work." in imports()

    for file in ("first.csv", "second.csv"):
        Import.create(file=file, sha256="", size=1, sender=dee, confirmed_at=clock.now(), finished_at=clock.now())
    api_tokens.make("ERP", dee.id, {"read"}, 30, by=eve)
    revoked, _ = api_tokens.make("Old", dee.id, {"read"}, 30, by=eve)
    api_tokens.revoke(revoked.id, by=eve)

    assert "Last: second.csv," in imports()
    assert "Dee Sørensen." in imports()
    assert "1 access token works." in imports()


def test_the_page_asks_the_database_as_often_for_many_imports_and_tokens_as_for_few(admin, company, dee, eve, clock):
    def more(number):
        Import.create(file="more.csv", sha256="", size=1, sender=dee, confirmed_at=clock.now(), finished_at=clock.now())
        api_tokens.make(f"ERP {number}", dee.id, {"read"}, 30, by=eve)

    more(0)
    with count_queries() as few:
        admin.get("/settings/company")
    for number in range(1, 6):
        more(number)
    with count_queries() as many:
        admin.get("/settings/company")

    assert len(many) == len(few)


def test_a_pause_is_told_on_every_page_and_ended_here(admin, company, eve, clock):
    pausing.pause(company.lane, eve, "month-end close")
    clock.tick(minutes=5)
    for path in ("/settings/company", "/change-orders", "/jobs"):
        assert "Exports are paused by Eve Laurent since" in admin.get(path).text

    answer = admin.post("/settings/exports/resumption")

    assert (answer.status_code, answer.location) == (303, "/settings/company")
    assert Lane.get_by_id(company.lane).paused_at is None
    assert "Exports are paused" not in admin.get("/change-orders").text
    assert events.history("company", company.id)[-1].action == "exports resumed"


def test_exports_are_paused_here_for_a_reason_that_everybody_sees(admin, company, eve):
    answer = admin.post("/settings/exports/pause", data={"reason": " month-end close "})

    assert (answer.status_code, answer.location) == (303, "/settings/company")
    assert (Lane.get_by_id(company.lane).paused_by, Lane.get_by_id(company.lane).reason) == (eve, "month-end close")
    assert "(month-end close). Accepted change orders wait in line." in admin.get("/change-orders").text
    assert field(admin.get("/settings/company").text, "pause") is None
    assert events.history("company", company.id)[-1].action == "exports paused"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "two\nlines", "\x00"])
def test_a_pause_needs_a_reason(admin, company, reason):
    answer = admin.post("/settings/exports/pause", data={"reason": reason})

    assert answer.status_code == 422
    assert field(answer.text, "reason")["aria-invalid"] == "true"
    assert Lane.get_by_id(company.lane).paused_at is None


def test_a_pause_by_the_portal_itself_names_its_reason(admin, company, clock):
    Lane.update(paused_at=clock.now(), reason="Spectrum rejected the portal's sign-in.").where(Lane.name == company.lane).execute()

    page = admin.get("/change-orders").text

    assert "Exports are paused by the portal since" in page
    assert "(Spectrum rejected the portal&#39;s sign-in). Accepted change orders wait in line." in page


def test_a_silent_keeper_is_told_on_every_page(admin, clock):
    heartbeats.beat("keeper")
    clock.tick(seconds=119)
    assert "hasn’t reported" not in admin.get("/change-orders").text

    clock.tick(minutes=4)

    assert "The export keeper hasn’t reported for 5 minutes." in admin.get("/change-orders").text


def test_only_an_administrator_changes_the_company(client, ana, company):
    sign_in(client, ana)

    assert save(client, COMPANY, name="Mine").status_code == 403
    assert client.post("/settings/exports/resumption").status_code == 403
    assert companies.current().name == "Harbor Builders"


@pytest.mark.parametrize("form", [DECISIONS | {"export_delay": "x"}, SUMMARY | {"summary_hour": "x"}, COMPANY | {"name": ""}])
def test_a_field_that_is_wrong_is_marked_in_well_formed_markup(admin, company, form):
    answer = save(admin, form)

    assert answer.status_code == 422
    assert not malformed(answer.text)


def test_four_eyes_switched_off_tells_every_administrator_by_mail(company, eve, ada, make_app, catcher):
    app = make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    company_settings.change("decisions", {"export_delay": "0"}, eve)
    company_settings.change("decisions", {"export_delay": "5"}, eve)
    with app.app_context():
        tasks.drain(MAIL)

    mails = catcher.mails()
    assert sorted(mail["to"] for mail in mails) == [["ada@example.test"], ["eve@example.test"]]
    assert {mail["subject"] for mail in mails} == {"Four eyes was switched off in the CCO Portal"}
    assert "Eve Laurent switched four eyes off" in mails[0]["text"]
    assert "/settings/company#decisions" in mails[0]["text"]


def test_four_eyes_switched_on_tells_nobody(company, eve):
    companies.Company.update(four_eyes=False).execute()

    company_settings.change("decisions", {"four_eyes": "on", "export_delay": "0"}, eve)

    assert outbox.Dispatch.select().count() == 0


def test_rights_that_are_taken_away_during_a_change_of_settings_are_gone_after_it_in_the_trail_too(company, eve, ada, monkeypatch):
    def administrator():
        with db.connected():
            writes.write_with_retry(lambda: rights.set_level(eve.id, Level.STANDARD))

    taking, hold = threading.Thread(target=administrator), company_settings.hold

    def meanwhile():
        taking.start()
        taking.join(0.5)  # it has to wait for us; if it did not, it would be done by now
        return hold()

    monkeypatch.setattr(company_settings, "hold", meanwhile)

    company_settings.change("decisions", {"four_eyes": "on", "edit_number": "on", "export_delay": "7"}, eve)
    taking.join()

    last = [event.action for event in events.Event.select().order_by(events.Event.seq)][-2:]
    assert last == ["settings changed", "level changed"]
