"""A forgotten password, and a first one: by a link that works once, for an hour, and is seen by nobody but its person."""

import re
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from portal.background import tasks
from portal.domain import events, people
from portal.domain.accounts import password_links, rights, sessions
from portal.domain.accounts.identities import Identity
from portal.domain.accounts.password_links import Link, Purpose
from portal.domain.lanes import MAIL
from portal.domain.mail import undelivered
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.people import Level, NotPermitted, User
from tests.conftest import PASSWORD, count_queries, path_of, sign_in
from tests.ports import free_port

NEW = "four words nobody knows"
PROMISED = "If there is an account with this address, mail with a link is on its way."


@pytest.fixture
def mailing_app(make_app, catcher):
    return make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, PORTAL_URL="https://cco.example.test")


def deliver(app):
    with app.app_context():
        tasks.drain(MAIL)


def link_in(mail):
    (address,) = re.findall(r"https://cco\.example\.test/password/[\w-]+", mail["text"])
    assert f'href="{address}"' in mail["html"]
    return path_of(address)


def choose(client, path, password=NEW, repeated=None):
    return client.post(path, data={"password": password, "repeated": password if repeated is None else repeated})


@pytest.fixture
def link(database, ana):
    return f"/password/{password_links.make(ana)}"


def test_a_forgotten_password_is_replaced_by_a_link_that_comes_by_mail(client, ana, mailing_app, catcher):
    assert 'href="/password"' in client.get("/login").text
    assert "Send me a link" in client.get("/password").text
    assert PROMISED in client.post("/password", data={"email": " ANA@example.test"}, follow_redirects=True).text
    deliver(mailing_app)
    (mail,) = catcher.mails()
    assert (mail["to"], mail["subject"]) == (["ana@example.test"], "A new password for the CCO Portal")
    assert "If you didn’t request it, do nothing" in mail["text"]

    path = link_in(mail)
    assert "For Ana Ortiz, ana@example.test." in client.get(path).text
    answer = choose(client, path)

    assert (answer.status_code, answer.location) == (303, "/login")
    assert "Your new password is set" in client.get("/login").text
    assert sessions.sign_in(ana.email, PASSWORD) is None
    assert sessions.sign_in(ana.email, NEW)
    assert [(event.action, event.actor, event.facts["purpose"]) for event in events.history("user", ana.id)] == [
        ("password chosen by link", ana, "reset")
    ]


@pytest.mark.parametrize("email", ["nobody@example.test", "cy@example.test", "", "ana@example.test\r\nBcc: x@y.test", "x" * 5000, "\x00"])
def test_an_address_without_an_open_account_gets_the_same_answer_and_no_mail(client, make_user, email):
    make_user("Cy Young", active=False)

    answer = client.post("/password", data={"email": email})

    assert (answer.status_code, answer.location) == (303, "/password")
    assert PROMISED in client.get("/password").text
    assert Dispatch.select().count() == 0


def test_who_signs_in_with_the_identity_provider_alone_gets_no_link_around_it(client, ana):
    Identity.create(issuer="https://id.example.test", subject="ana", user=ana)
    ana.password = None
    ana.save()

    assert client.post("/password", data={"email": ana.email}).status_code == 303

    assert Dispatch.select().count() == 0


def test_an_address_without_an_account_takes_the_same_statements(ana, database):
    with count_queries() as known:
        password_links.forgotten("ana@example.test", "10.0.0.1")
    with count_queries() as unknown:
        password_links.forgotten("nobody@example.test", "10.0.0.2")

    assert len(known) == len(unknown)


def test_the_first_password_comes_the_same_way_with_other_words(database, mailing_app, catcher, client, eve):
    person = rights.add("cy@example.test", "Cy Young", Level.READ_ONLY, False, by=eve)
    password_links.first_time(person, by=eve)
    assert sessions.sign_in(person.email, "") is None
    deliver(mailing_app)

    (mail,) = catcher.mails()
    assert mail["subject"] == "Choose your password for the CCO Portal"
    assert "You have a CCO Portal account: cy@example.test." in mail["text"]
    choose(client, link_in(mail))

    assert sessions.sign_in(person.email, NEW)
    assert [(event.action, event.actor) for event in events.history("user", person.id)] == [
        ("account created", eve),
        ("password link sent", eve),
        ("password chosen by link", people.find("cy@example.test")),
    ]


def test_only_an_administrator_sends_links_to_others(ana, ben):
    for send in (password_links.first_time, password_links.reset):
        with pytest.raises(NotPermitted):
            send(ben, by=ana)

    assert Dispatch.select().count() == 0


def test_a_link_works_once(client, link):
    assert choose(client, link).status_code == 303

    answer = choose(client, link, "another few words nobody knows")

    assert answer.status_code == 410
    assert "This link does not work any more: it was used, or is older than an hour." in answer.text
    assert client.get(link).status_code == 410


def test_looking_at_a_link_does_not_use_it_up(client, link):
    for _ in range(3):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200

    assert choose(client, link).status_code == 303


def test_a_link_works_for_an_hour(client, ana, clock):
    first, second = (f"/password/{password_links.make(ana)}" for _ in range(2))
    clock.tick(minutes=59, seconds=59)
    assert client.get(first).status_code == 200
    clock.tick(seconds=1)

    assert client.get(first).status_code == 410
    assert choose(client, second).status_code == 410


def test_a_link_that_is_used_makes_all_others_of_the_person_void_and_nobody_elses(client, ana, ben):
    first, second, of_ben = (f"/password/{password_links.make(person)}" for person in (ana, ana, ben))

    choose(client, second)

    assert [client.get(path).status_code for path in (first, second, of_ben)] == [410, 410, 200]


def test_a_link_ends_all_sessions_and_every_wait(client, link, ana, app, clock):
    sign_in(client, ana)
    for _ in range(6):
        app.test_client().post("/login", data={"email": ana.email, "password": "wrong"})

    choose(app.test_client(), link)

    answer = client.get("/change-orders", follow_redirects=True)
    assert "Your password was changed, which ended this session" in answer.text
    assert app.test_client().post("/login", data={"email": ana.email, "password": NEW}).status_code == 303


@pytest.mark.parametrize("token", ["x", "0", "..%2F..", "%00", "é", "x" * 5000, "' OR 1=1 --", "<script>"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_was_never_given_opens_nothing(client, ana, token, method):
    assert client.open(f"/password/{token}", method=method, data={"password": NEW, "repeated": NEW}).status_code in (404, 410)


def test_the_link_of_a_closed_account_does_not_work(client, link, ana):
    rights.set_active(ana.id, False)

    assert choose(client, link).status_code == 410


@pytest.mark.parametrize(
    ("password", "repeated", "words"),
    [
        ("short", "short", "it needs at least 12"),
        ("passwordpassword", "passwordpassword", "easy to guess"),
        (NEW, f"{NEW} ", "The two passwords are not the same."),
        ("é" * 65, "é" * 65, "longer than 128 bytes"),
    ],
)
def test_a_password_that_will_not_do_uses_nothing_up(client, link, password, repeated, words):
    answer = choose(client, link, password, repeated)

    assert answer.status_code == 422
    assert words in answer.text
    assert choose(client, link).status_code == 303


def test_a_forged_host_reaches_no_link(client, ana, mailing_app, catcher):
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}):
        client.post("/password", data={"email": ana.email}, headers=headers)
    deliver(mailing_app)

    assert catcher.mails()
    for mail in catcher.mails():
        assert "evil.example" not in mail["text"] + mail["html"]
        link_in(mail)


def test_a_form_of_another_site_asks_for_nothing(client, ana):
    assert client.post("/password", data={"email": ana.email}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert Dispatch.select().count() == 0


def test_the_token_is_kept_nowhere(client, ana, mailing_app, catcher):
    with capture_logs() as lines:
        client.post("/password", data={"email": ana.email})
        deliver(mailing_app)
    token = link_in(catcher.mails()[0]).rpartition("/")[2]

    for kept in (Link, Dispatch, events.Event):
        assert token not in str(list(kept.select().dicts()))
    assert token not in str(lines)
    assert ana.email not in str(lines)
    assert len(token) >= 43


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_of_ours_while_a_link_is_used_does_not_log_it(app, client, link, monkeypatch, caplog, method):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(password_links, "find", broken)
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)

    answer = client.open(link, method=method, data={"password": NEW, "repeated": NEW})

    assert answer.status_code == 500
    assert "/password/<token>" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text


def test_four_mails_in_a_row_and_then_there_is_a_wait_for_whomever(client, ana, clock):
    for email in ("ana@example.test", "nobody@example.test"):
        codes = []
        for _ in range(5):
            codes.append(client.post("/password", data={"email": email}).status_code)
            clock.tick(seconds=1)

        assert codes == [303] * 4 + [429]
    assert Dispatch.select().count() == 4


def test_mail_that_cannot_go_within_the_hour_does_not_go(client, ana, make_app, clock, catcher, mailing_app):
    client.post("/password", data={"email": ana.email})
    away = make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port())
    while Dispatch.get().finished_at is None:
        clock.set(max(clock.now(), Dispatch.get().due_at))
        deliver(away)

    assert clock.now() == Dispatch.get().promised_at + password_links.VALID
    deliver(mailing_app)

    assert catcher.mails() == []
    assert (Dispatch.get().outcome, Dispatch.get().error) == (
        DispatchOutcome.SKIPPED,
        "not sent: the hour in which its link would work is over",
    )


def test_mail_that_is_tried_again_carries_a_link_that_works(client, ana, make_app, clock, catcher, mailing_app):
    client.post("/password", data={"email": ana.email})
    deliver(make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port()))
    clock.tick(minutes=5)

    deliver(mailing_app)

    assert choose(client, link_in(catcher.mails()[0])).status_code == 303


def test_late_mail_with_a_link_is_seen_and_over_after_its_hour(client, ana, clock):
    client.post("/password", data={"email": ana.email})
    clock.tick(minutes=20)
    (late,) = undelivered.oldest()
    assert not late.is_over

    clock.tick(minutes=40)

    assert undelivered.oldest()[0].is_over


def test_an_administrator_sends_a_link_and_never_sees_it(client, ana, eve):
    sign_in(client, eve)

    answer = client.post(f"/settings/people/{ana.id}/sign-in/link", follow_redirects=True)

    assert "Mail with a link is on its way to ana@example.test." in answer.text
    assert [(dispatch.task, dispatch.subject) for dispatch in Dispatch.select()] == [(Task.LINK, ana.id)]
    assert Link.select().count() == 0
    assert [(event.action, event.actor, event.facts) for event in events.history("user", ana.id)] == [
        ("password link sent", eve, {"purpose": Purpose.RESET})
    ]


def test_no_link_goes_to_a_closed_account(client, eve, make_user):
    cy = make_user("Cy Young", active=False)
    sign_in(client, eve)

    answer = client.post(f"/settings/people/{cy.id}/sign-in/link", follow_redirects=True)

    assert "The account of Cy Young is deactivated. Reactivate it on the people page first." in answer.text
    assert Dispatch.select().count() == 0


def test_no_form_takes_a_password_for_somebody_else(client, ana, eve):
    sign_in(client, eve)

    for page in ("/settings/people", f"/settings/people/{ana.id}/sign-in"):
        assert 'type="password"' not in client.get(page).text


def test_nobody_chooses_a_password_while_another_tab_does(client, ana, link, monkeypatch):
    token = link.rpartition("/")[2]
    hashing, hasher = people.hasher, people.hasher

    class Meanwhile:
        def hash(self, password):
            monkeypatch.setattr(people, "hasher", hasher)
            password_links.use(token, "the other tab was quicker")
            return hashing.hash(password)

    monkeypatch.setattr(people, "hasher", Meanwhile())

    with pytest.raises(password_links.Over):
        password_links.use(token, NEW)

    assert User.get_by_id(ana.id).verify("the other tab was quicker")
    assert Link.get().used_at - Link.get().made_at < timedelta(hours=1)
