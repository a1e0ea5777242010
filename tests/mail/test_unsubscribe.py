"""One click stops one kind of mail for one person, without signing in, and does nothing else (RFC 8058)."""

import re
from email import message_from_bytes, policy

import pytest
from bs4 import BeautifulSoup

from portal import messages
from portal.domain import events
from portal.domain.accounts import preferences
from portal.domain.accounts.preferences import Kind
from portal.domain.mail import samples
from portal.domain.outbox import Task
from portal.domain.people import User
from tests.conftest import KEY, sign_in

PORTAL = "https://cco.example.test"
TASKS = {Kind.SUMMARY: Task.DAILY, Kind.FAILURES: Task.FAILED_EXPORTS, Kind.RESUBMITTED: Task.RESUBMITTED}


@pytest.fixture
def wants(ana):
    """Ana, who wants all of it."""
    User.update(**{kind.column: True for kind in Kind}).where(User.id == ana.id).execute()
    return User.get_by_id(ana.id)


def wanted(person):
    now = User.get_by_id(person.id)
    return {kind for kind in Kind if getattr(now, kind.column)}


def link(person, kind, keys=(KEY,)):
    return f"/unsubscribe/{preferences.link(keys, person, kind)}"


@pytest.fixture
def sent(make_app, company):
    """The mail as its receiver's program reads it."""
    app = make_app(PORTAL_URL=PORTAL, MAIL_SENDER="portal@example.test")

    def compose(task, to):
        with app.app_context():
            message = messages.COMPOSE[task](app.config["SETTINGS"], samples.of(task, to))
        return message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)

    return compose


@pytest.mark.parametrize("kind", list(Kind))
def test_mail_that_one_asked_for_names_its_link_in_headers_and_both_parts(sent, wants, kind):
    mail = sent(TASKS[kind], wants)

    address = re.fullmatch(r"<(\S+)>", mail["List-Unsubscribe"])[1]
    assert address == PORTAL + link(wants, kind)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Stop this mail: {address}" in mail.get_body(("plain",)).get_content()
    html = BeautifulSoup(mail.get_body(("html",)).get_content(), "html.parser")
    assert html.find("a", string="Stop this mail")["href"] == address


def test_the_header_is_one_line_on_the_wire(make_app, company, wants):
    app = make_app(PORTAL_URL=PORTAL)
    with app.app_context():
        message = messages.COMPOSE[Task.DAILY](app.config["SETTINGS"], samples.of(Task.DAILY, wants))

    lines = message.as_bytes(policy=policy.SMTP).decode().split("\r\n")
    headers = "\n".join(lines[: lines.index("")])
    assert f"<{PORTAL}{link(wants, Kind.SUMMARY)}>" in headers
    assert "=?" not in headers


@pytest.mark.parametrize("task", [task for task in samples.SAMPLES if task not in TASKS.values()])
def test_mail_that_someone_has_to_get_has_no_such_link(sent, wants, task):
    mail = sent(task, wants)

    assert mail["List-Unsubscribe"] is None
    assert "unsubscribe" not in mail.get_body(("plain",)).get_content()


def test_an_administrator_who_gets_failures_because_no_one_asked_cannot_stop_them(sent, eve):
    assert sent(Task.FAILED_EXPORTS, eve)["List-Unsubscribe"] is None


@pytest.mark.parametrize("kind", list(Kind))
def test_one_press_of_a_mail_program_stops_this_mail_and_no_other(csrf_client, wants, kind):
    answer = csrf_client.post(link(wants, kind), data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert wanted(wants) == set(Kind) - {kind}
    assert f"You get no {kind.label} any more." in answer.text
    (event,) = events.history("user", wants.id)
    assert (event.action, event.actor, event.facts["road"]) == (f"{kind.label} declined", wants, "the link in a mail")


def test_pressing_twice_is_pressing_once(csrf_client, wants):
    for _ in range(2):
        assert csrf_client.post(link(wants, Kind.SUMMARY)).status_code == 200

    assert len(events.history("user", wants.id)) == 1


def test_looking_changes_nothing_and_the_page_has_one_button(csrf_client, wants):
    page = BeautifulSoup(csrf_client.get(link(wants, Kind.SUMMARY)).text, "html.parser")

    assert wanted(wants) == set(Kind)
    (button,) = page.find("main").find_all("button")
    assert button.get_text() == "Stop the daily summary"
    assert csrf_client.post(button.find_parent("form")["action"]).status_code == 200
    assert wanted(wants) == set(Kind) - {Kind.SUMMARY}


def test_the_link_signs_no_one_in(csrf_client, wants):
    csrf_client.post(link(wants, Kind.SUMMARY))

    assert csrf_client.get("/profile").status_code == 303


def test_the_link_acts_for_its_person_whoever_is_signed_in(client, wants, eve):
    sign_in(client, eve).post(link(wants, Kind.SUMMARY))

    assert Kind.SUMMARY not in wanted(wants)
    assert Kind.SUMMARY in wanted(eve)


CHANGES = {"cut": lambda text: text[:-1], "other": lambda text: text.replace("summary", "failures"), "none": lambda _: "x"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_link_that_was_changed_does_nothing(csrf_client, wants, change):
    path = "/unsubscribe/" + change(preferences.link((KEY,), wants, Kind.SUMMARY))

    assert (csrf_client.get(path).status_code, csrf_client.post(path).status_code) == (404, 404)
    assert wanted(wants) == set(Kind)


def test_a_link_of_another_person_or_another_key_is_not_made_from_ones_own(csrf_client, wants, eve):
    own = preferences.link((KEY,), eve, Kind.SUMMARY)
    forged = f"/unsubscribe/{own.replace(f'.{eve.id}.', f'.{wants.id}.')}"

    assert csrf_client.post(forged).status_code == 404
    assert csrf_client.post(link(wants, Kind.SUMMARY, ("another key of at least 32 characters",))).status_code == 404
    assert wanted(wants) == set(Kind)


def test_a_link_made_with_an_older_key_works_while_that_is_named(ana):
    old = preferences.link(("old key",), ana, Kind.SUMMARY)

    assert preferences.read(("new key", "old key"), old) == (ana.id, Kind.SUMMARY)
    assert preferences.read(("new key",), old) is None


def test_the_link_of_a_closed_account_says_the_same_and_does_nothing(csrf_client, wants):
    User.update(active=False).where(User.id == wants.id).execute()

    assert csrf_client.post(link(wants, Kind.SUMMARY)).status_code == 200
    assert wanted(wants) == set(Kind)


def test_no_other_form_goes_without_its_token(app):
    guard = app.extensions["csrf"]

    assert not guard._exempt_views
    assert {blueprint.name for blueprint in guard._exempt_blueprints} == {"unsubscribing", "api"}
