"""Administrators read the audit trail: who did what when, filtered, page by page, as CSV, and verified."""

import ast
import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import config
from portal import db
from portal.domain import events
from portal.domain.accounts import api_tokens, rights
from portal.domain.audit import chain, heads, search
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.events import Action
from portal.domain.exporting import pausing
from portal.domain.imports import uploads
from portal.domain.imports.staging import Import
from portal.domain.people import Level, Membership, User
from portal.domain.projects import sending
from portal.domain.settings import company_settings
from portal.web import downloads
from portal.web.audit import trail as page_module
from tests.audit.test_audit_command import remove
from tests.cast import signed
from tests.conftest import HTMX, count_queries, sign_in

pytestmark = pytest.mark.databases_differ("sorting, searching and paging")


@pytest.fixture
def eve_at(client, eve):
    """Eve, signed in: `eve_at(path)` answers the page, `rows` what its table says."""
    sign_in(client, eve)
    return client.get


def rows(answer):
    table = BeautifulSoup(answer.text, "html.parser").find("tbody")
    return [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")] if table else []


def told(answer):
    """Who, what and about of every row."""
    return [tuple(re.sub(r"\s+", " ", cell) for cell in row[1:4]) for row in rows(answer)]


def test_a_change_order_s_way_is_told_newest_first_with_links(eve_at, make_change_order, ana):
    change_order = make_change_order("rejected")

    answer = eve_at("/settings/audit")

    about = f"CCO {change_order.number}, SC-014, 24-117"
    assert told(answer) == [
        ("Ana Ortiz", "Sent it back Wrong cost type on line 1", about),
        ("Dee Sørensen", "Sent it to accounting", about),
        ("Dee Sørensen", "Wrote it", about),
    ]
    assert f'href="/change-orders/{change_order.id}"' in answer.text


def test_an_edit_says_what_was_changed_from_what_to_what(eve_at, make_change_order, dee):
    change_order = make_change_order("retrieved", lines=(("16-2000", "SUB", "4250.00"), ("16-3000", "MAT", "10.00")))
    draft = sending.Draft(
        change_order.number, "Relocate two ducts", "", [sending.LineDraft("16-2000", "SUB", change_order.lines[0].amount * 2)]
    )
    sending.edit(change_order.id, by=dee, version=change_order.version, draft=draft)

    what = told(eve_at("/settings/audit"))[0][1]

    assert "Title: Relocate duct bank → became Relocate two ducts" in what
    assert "Amount: 4260.00 → became 8500.00" in what
    assert "Line 1: 16-2000 SUB 4250.00 → became 16-2000 SUB 8500.00" in what
    assert "Line 2: 16-3000 MAT 10.00 → became nothing" in what


@pytest.mark.parametrize("path", ["/settings/audit", "/settings/audit.csv"])
def test_what_a_draft_says_is_for_the_members_of_its_job_in_the_trail_too(eve_at, make_change_order, dee, eve, job, path):
    draft = make_change_order("draft", title="Secret words")
    words = sending.Draft("001", "Other secret words", "", draft_lines(draft))
    sending.edit(draft.id, by=dee, version=draft.version, draft=words)

    told = eve_at(path).text
    assert "ecret words" not in told and "Changed it" in told
    assert ("only members of its job see what it says" in told) == (path == "/settings/audit")

    Membership.create(user=eve, job=job)
    assert "Other secret words" in eve_at(path).text


def test_what_was_sent_is_told_in_the_trail_to_all_who_read_it(eve_at, make_change_order):
    make_change_order("retrieved", title="Words that were sent")

    assert "Words that were sent" in eve_at("/settings/audit.csv").text


def draft_lines(change_order):
    return [sending.LineDraft(line.phase_code, line.cost_type, line.amount) for line in change_order.lines]


def test_rights_and_settings_say_old_and_new_and_who(eve_at, ben, eve, company):
    rights.set_level(ben.id, Level.STANDARD, by=eve)
    rights.set_privilege(ben.id, True)
    company_settings.change("decisions", {"custom_title": "on", "edit_number": "on", "four_eyes": "on", "export_delay": "45"}, by=eve)
    pausing.pause(company.lane, eve, "month-end close")

    assert told(eve_at("/settings/audit")) == [
        ("Eve Laurent", "Exports paused month-end close", "Company settings"),
        (
            "Eve Laurent",
            "Settings changed Custom title and description: no → became yes Export delay in seconds: 0 → became 45",
            "Company settings",
        ),
        ("Command line", "Privilege granted Can Push to Accounting: no → became yes", "Ben Okafor"),
        ("Eve Laurent", "Level changed Level: Read Only → became Standard", "Ben Okafor"),
    ]


def test_what_people_typed_stays_text(eve_at, company, eve):
    pausing.pause(company.lane, eve, "<script>alert(1)</script>{{7*7}}")

    text = eve_at("/settings/audit").text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in text


@pytest.fixture
def days(make_change_order, ana, ben, eve, clock):
    """Something on each of three days."""
    clock.set(datetime(2026, 3, 2, 15, tzinfo=UTC))
    make_change_order(number="004")
    clock.tick(days=1)
    rights.set_level(ben.id, Level.STANDARD, by=eve)
    clock.set(datetime(2026, 3, 5, 5, 59, tzinfo=UTC))  # 23:59 of the 4th in Chicago
    signed(1, by=ana, version=load(1).version)
    return {person.name.split()[0]: person.id for person in (ana, ben, eve)}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["accepted", "level", "sent", "wrote"]),
        ("person=Ana", ["accepted"]),
        ("person=Ben", ["level"]),
        ("person=Eve", ["level"]),
        ("subject=change_order", ["accepted", "sent", "wrote"]),
        ("subject=user", ["level"]),
        ("subject=job", []),
        ("subject=change_order&ref=1", ["accepted", "sent", "wrote"]),
        ("subject=change_order&ref=2", []),
        ("subject=user&ref=Ben", ["level"]),
        ("action=LEVEL", ["level"]),
        ("action=accepted", ["accepted"]),
        ("action=%25", []),
        ("action=l_vel", []),
        ("action=sent&person=Ana", []),
        ("since=2026-03-03", ["accepted", "level"]),
        ("until=2026-03-03", ["level", "sent", "wrote"]),
        ("since=2026-03-04&until=2026-03-04", ["accepted"]),
        ("since=2026-03-05", []),
        ("number=004", ["accepted", "sent", "wrote"]),
        ("number=+004+&person=Ana", ["accepted"]),
        ("number=4711", []),
    ],
)
def test_events_are_found_by_person_subject_day_and_number(eve_at, days, asked, found):
    for name, id in days.items():
        asked = asked.replace(f"={name}", f"={id}")

    answer = eve_at(f"/settings/audit?{asked}")

    assert [what.split()[0].lower() for _, what, _ in told(answer)] == found
    if not found:
        assert "No event matches these filters." in answer.text


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("person=ana", "Choose a person from the list."),
        ("person=-1", "Choose a person from the list."),
        ("person=" + "9" * 19, "Choose a person from the list."),
        ("subject=event", "Choose a subject from the list."),
        ("ref=1", "This address names no thing whose events could be shown."),
        ("subject=user&ref=x", "This address names no thing whose events could be shown."),
        ("subject=user&ref=" + "9" * 19, "This address names no thing whose events could be shown."),
        ("since=yesterday", "The first day is a date such as 2026-11-23."),
        ("until=2026-02-30", "The last day is a date such as 2026-11-23."),
        ("until=9999-12-31", "The last day is a date such as 2026-11-23."),
        ("since=0001-01-01", "The first day is a date such as 2026-11-23."),
        ("since=2026-03-02&until=2026-03-01", "The last day is before the first day."),
        ("action=%00", "What was done is one line of plain text."),
    ],
)
def test_a_filter_that_is_none_is_told_at_its_field_and_keeps_what_was_typed(eve_at, asked, problem):
    answer = eve_at(f"/settings/audit?number=004&{asked}")

    assert answer.status_code == 422
    assert answer.text.count(problem) == 2
    assert 'value="004"' in answer.text
    assert eve_at(f"/settings/audit.csv?{asked}").status_code == 404


def recorded():
    """Every action that the source records by its name: the argument at this place of these calls."""
    place = {"transitions.record": 1, "record": 2, "_record": 1, "_set": 2, "_finish": 1}
    for file in (Path(config.__file__).parent / "portal").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            at = place.get(name, place.get(name.rpartition(".")[2]))
            if at is not None and len(call.args) > at:
                yield from filter(None, map(named, ast.walk(call.args[at])))


def named(node):
    """Which action is named here: as text, or as a member of Action."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Action":
        return Action[node.attr].value
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_everything_that_is_recorded_is_offered_to_search_by(eve_at):
    offered = {
        option["value"] for option in BeautifulSoup(eve_at("/settings/audit").text, "html.parser").find(id="actions").find_all("option")
    }

    assert {"accepted", "made", "mail set aside", "exports paused", "imported"} <= set(recorded()) <= offered


def test_a_number_with_a_control_character_is_told_on_every_database(eve_at):
    answer = eve_at("/settings/audit?number=4%00")

    assert (answer.status_code, answer.text.count("The change order number is one line of plain text.")) == (422, 2)
    assert eve_at("/settings/audit.csv?number=4%00").status_code == 404


@pytest.fixture
def many(database, company):
    with db.transaction():
        for number in range(search.PAGE * 2 + 1):
            events.record("company", company.id, "exports paused", None, reason=f"reason {number}")


def test_pages_follow_each_other_without_gap_or_repeat(eve_at, many):
    seen, path = [], "/settings/audit?subject=company"
    while path:
        page = eve_at(path)
        seen += [int(row[4]) for row in rows(page)]
        following = BeautifulSoup(page.text, "html.parser").find("a", rel="next")
        path = following and following["href"]

    assert seen == list(range(search.PAGE * 2 + 1, 0, -1))


@pytest.mark.parametrize("after", ["x", "-1", "1e3", "٣", "9" * 19])
def test_a_page_address_that_is_none_is_told(eve_at, after):
    assert eve_at(f"/settings/audit?after={after}").status_code == 404


def test_a_long_page_needs_no_more_queries_than_a_short_one(eve_at, make_change_order):
    make_change_order("rejected")
    eve_at("/settings/audit")
    with count_queries() as few:
        eve_at("/settings/audit")
    for _ in range(8):
        make_change_order("rejected")

    with count_queries() as lots:
        eve_at("/settings/audit")

    assert len(lots) == len(few)


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_csv_has_what_the_filter_lets_through_with_all_that_verifying_needs(eve_at, days):
    answer = eve_at("/settings/audit.csv?number=004")

    found = table(answer)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-2026')
    assert [row["What"] for row in found] == ["Accepted it as S014-004", "Sent it to accounting", "Wrote it"]
    assert (found[0]["Who"], found[0]["E-mail"], found[0]["Time (UTC)"]) == ("Ana Ortiz", "ana@example.test", "2026-03-05T05:59:00Z")
    assert (found[0]["Hash"], found[0]["Event"]) == (chain.head().hash, "4")


def test_the_csv_of_a_long_trail_is_whole(eve_at, many):
    assert [int(row["Event"]) for row in table(eve_at("/settings/audit.csv"))] == list(range(search.PAGE * 2 + 1, 0, -1))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "  =", "\ufeff="])
def test_nothing_in_the_csv_is_taken_for_a_formula(eve_at, company, eve, start):
    pausing.pause(company.lane, eve, f"{start}cmd|' /C calc'!A0")

    (row,) = table(eve_at("/settings/audit.csv"))

    assert row["Remark"].startswith("'")
    assert row["Remark"].endswith("cmd|' /C calc'!A0")


def test_what_no_database_keeps_is_not_taken_for_a_formula_either():
    assert downloads.harmless("\0=1+1") == "'\0=1+1"


def test_harmless_text_stays_as_it_is():
    assert [downloads.harmless(text) for text in ("", "12", "a=b", "’")] == ["", "12", "a=b", "’"]


def test_verifying_says_what_it_found(eve_at, many, tmp_path):
    heads.write_head(tmp_path / heads.HEADS)

    answer = eve_at("/settings/audit/verification", headers=HTMX)

    assert "<html" not in answer.text
    assert "The audit trail is as it was written: 101 events." in answer.text
    assert "1 head fits; the last one was written out on" in answer.text
    assert chain.head().hash in answer.text


def test_without_javascript_the_verdict_stands_on_the_page(eve_at, many):
    page = eve_at("/settings/audit/verification").text

    assert "The audit trail is as it was written: 101 events." in page
    assert "No head was written out yet on this server" in page
    assert "<h1>Audit trail</h1>" in page


def test_a_file_of_heads_that_is_gone_is_told_by_the_verdict(eve_at, many, tmp_path):
    heads.keep(tmp_path / heads.HEADS)
    (tmp_path / heads.HEADS).unlink()

    verdict = eve_at("/settings/audit/verification", headers=HTMX).text

    assert "is gone or holds no head, although the keeper on" in verdict
    assert "No head was written out yet" not in verdict


def test_a_bad_trail_is_told_with_the_event_and_what_to_do(eve_at, many):
    remove(40)

    text = eve_at("/settings/audit/verification", headers=HTMX).text

    assert "Event 40 is missing: deleted after being recorded." in text
    assert "Keep the database as it is" in text


def test_heads_that_cannot_be_read_are_told(eve_at, many, tmp_path):
    (tmp_path / heads.HEADS).write_text("remember the milk\n")

    assert "cannot be compared: Line 1" in eve_at("/settings/audit/verification", headers=HTMX).text


def test_rights_and_states_changed_around_the_portal_are_named_by_the_verdict(eve_at, make_change_order):
    lou = rights.add("lou@example.test", "Lou Vale", Level.READ_ONLY, False)
    User.update(level=Level.ADMIN).where(User.id == lou.id).execute()
    ChangeOrder.update(status=Status.EXPORTED).where(ChangeOrder.id == make_change_order("ready").id).execute()

    verdict = eve_at("/settings/audit/verification", headers=HTMX).text

    assert "lou@example.test: level is Admin, but the last event says Read Only." in verdict
    assert "the state is Exported, but the last event says Ready to Export." in verdict


def test_a_trail_too_long_to_wait_for_is_sent_to_the_command_line(eve_at, many, monkeypatch):
    monkeypatch.setattr(page_module, "WALK_UP_TO", 100)

    text = eve_at("/settings/audit/verification", headers=HTMX).text

    assert "The trail has 101 events, too many to wait for here. On the server, run: portal audit verify" in text


def test_the_short_address_leads_there(eve_at):
    assert eve_at("/audit").location == "/settings/audit"


@pytest.mark.parametrize("who", ["ana", "ben", "dee", "sam"])
@pytest.mark.parametrize("path", ["/settings/audit", "/settings/audit.csv", "/settings/audit/verification", "/audit"])
def test_nobody_but_administrators_reads_the_trail(client, request, who, path):
    sign_in(client, request.getfixturevalue(who))

    assert client.get(path).status_code == 403


def test_from_every_thing_one_press_leads_to_its_events(eve_at, make_change_order, ana, ben, eve, company, clock):
    change_order = make_change_order()
    token, _ = api_tokens.make("Feeder", ana.id, {api_tokens.Scope.READ}, None, eve)
    upload = uploads.receive("lines.csv", b"number", eve)
    by_command = Import.create(file="old.csv", sha256="", size=1, confirmed_at=clock.now(), finished_at=clock.now())

    for path, address in (
        (f"/change-orders/{change_order.id}", f"subject=change_order&amp;ref={change_order.id}"),
        ("/settings/people", f"person={ben.id}"),
        ("/settings/company", "subject=company"),
        ("/settings/tokens", f"subject=token&amp;ref={token.id}"),
        (f"/jobs/{change_order.job.id}", f"subject=job&amp;ref={change_order.job.id}"),
        (f"/commitments/{change_order.commitment.id}", f"subject=commitment&amp;ref={change_order.commitment.id}"),
        (f"/imports/{upload.id}", f"subject=upload&amp;ref={upload.id}"),
        ("/imports", f"subject=import&amp;ref={by_command.id}"),
        (f"/settings/people/{ben.id}/sign-in", f"person={ben.id}"),
    ):
        assert f'href="/settings/audit?{address}"' in eve_at(path).text


def test_the_trail_leads_from_an_event_to_all_about_its_thing(eve_at, ben, eve):
    rights.set_level(ben.id, Level.STANDARD, by=eve)

    assert f'href="/settings/audit?subject=user&amp;ref={ben.id}">Ben Okafor' in eve_at("/settings/audit").text
    assert "Only about Ben Okafor." in eve_at(f"/settings/audit?subject=user&ref={ben.id}").text


def test_nobody_else_is_led_to_the_trail(client, ana, change_order):
    assert "/settings/audit" not in sign_in(client, ana).get(f"/change-orders/{change_order.id}").text
