"""Accounts and rights from the command line, where the first Admin comes from."""

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.domain import events, people
from portal.domain.accounts import identities
from portal.domain.accounts.password_links import Link
from portal.domain.accounts.rate_limits import TooMany
from portal.domain.accounts.sessions import Session, sign_in
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import Level, Membership, User
from tests.conftest import PASSWORD, path_of

GOOD = "four words nobody knows"


@pytest.fixture
def portal(database, database_url):
    """The command line, on this test's database."""

    def run(*arguments, password=None):
        typed = None if password is None else f"{password}\n"
        return CliRunner().invoke(main, ["users", *arguments], input=typed, env={"DATABASE_URL": database_url})

    return run


def add(portal, email="eve@example.test", *options, name="Eve Laurent", password=GOOD):
    return portal("add", email, "--name", name, "--password-stdin", *options, password=password)


def told(person):
    return [(event.action, event.actor, event.facts) for event in events.history("user", person.id)]


def test_the_first_admin_is_made_here_and_can_sign_in(portal):
    answer = add(portal, "Eve@Example.test", "--level", "Admin", "--push")

    assert (answer.exit_code, answer.output) == (
        0,
        "Added Eve@Example.test · Eve Laurent · Admin · Can Push to Accounting · "
        "Sees everything, manages settings and people, accepts, rejects and retries.\n",
    )
    assert sign_in("eve@example.TEST", GOOD)
    assert told(people.find("eve@example.test")) == [("account created", None, {"can_push": True, "level": "Admin"})]


def link_in(answer):
    address = answer.output.splitlines()[-1]
    assert address.startswith("http://127.0.0.1:8000/password/")
    return path_of(address)


def test_without_a_password_a_link_is_shown_by_which_the_person_chooses_one(portal, client):
    answer = portal("add", "eve@example.test", "--name", "Eve Laurent", "--level", "Admin")
    assert answer.exit_code == 0
    assert "The link works once, for an hour" in answer.output
    assert sign_in("eve@example.test", "") is None

    client.post(link_in(answer), data={"password": GOOD, "repeated": GOOD})

    eve = people.find("eve@example.test")
    assert sign_in(eve.email, GOOD)
    assert [(action, actor) for action, actor, _ in told(eve)] == [
        ("account created", None),
        ("password link made", None),
        ("password chosen by link", eve),
    ]
    assert Dispatch.select().count() == 0


def test_the_link_goes_by_mail_too_when_that_is_wanted(portal, database):
    answer = portal("add", "eve@example.test", "--name", "Eve Laurent", "--mail")

    assert "Another one goes to them by mail." in answer.output
    assert [dispatch.task for dispatch in Dispatch.select()] == [Task.LINK]


def test_a_reset_shows_a_link_and_the_old_password_works_until_it_is_used(portal, client, ana):
    path = link_in(portal("reset", "ANA@example.test"))
    assert sign_in(ana.email, PASSWORD)

    client.post(path, data={"password": GOOD, "repeated": GOOD})

    assert sign_in(ana.email, PASSWORD) is None
    assert sign_in(ana.email, GOOD)


def test_a_closed_account_gets_no_link(portal, make_user):
    cy = make_user("Cy Young", active=False)

    answer = portal("reset", cy.email)

    assert (answer.exit_code, "is closed" in answer.output) == (2, True)
    assert Link.select().count() == 0


def test_somebody_who_has_to_wait_is_let_try_again(portal, ana, clock):
    for _ in range(5):
        sign_in(ana.email, "wrong")
    with pytest.raises(TooMany):
        sign_in(ana.email, PASSWORD)

    assert portal("unlock", ana.email).output == "ana@example.test can try again now.\n"
    assert portal("unlock", ana.email).output == "ana@example.test did not have to wait.\n"

    assert sign_in(ana.email, PASSWORD)
    assert [(action, actor) for action, actor, _ in told(ana)] == [("sign-in unlocked", None)]


def test_a_member_of_jobs_is_made_in_one_step(portal, job):
    assert add(portal, "dee@example.test", "--job", "24-117").exit_code == 0

    assert [(member.user.email, member.job) for member in Membership.select()] == [("dee@example.test", job)]


def test_an_unknown_job_leaves_no_account_behind(portal, job):
    answer = add(portal, "dee@example.test", "--job", "99-999")

    assert (answer.exit_code, answer.output) == (2, "Error: There is no job 99-999.\n")
    assert User.select().count() == 0


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "The password has 0 characters; it needs at least 12."),
        ("short", "The password has 5 characters; it needs at least 12."),
        ("x" * 129, "The password is longer than 128 bytes."),
        ("é" * 65, "The password is longer than 128 bytes."),
        ("passwordpassword", "easy to guess"),
        ("portal2026accounting", "easy to guess"),
        ("Spectrum-Procore-1234567890", "easy to guess"),
        ("EveLaurent!eve.laurent", "easy to guess"),
        ("harborbuilders2026", "easy to guess"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(portal, company, password, sentence):
    answer = add(portal, password=password)

    assert answer.exit_code == 2
    assert sentence in answer.output
    assert User.select().count() == 0


@pytest.mark.parametrize("password", ["twelve chars", "x" * 30 + "qpzmvb", "ünïcödé wörds hëre", "  spaces kept  !? "])
def test_a_long_password_of_other_words_is_taken_as_it_is(portal, company, password):
    assert add(portal, password=password).exit_code == 0
    assert sign_in("eve@example.test", password)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "eve",
        "eve@",
        "@example.test",
        "eve@example",
        "e ve@example.test",
        "eve@example.test,a@b.test",
        "eve\n@x.test",
        "ｅve@example.test",
    ],
)
def test_an_address_that_is_none_is_refused(portal, email):
    answer = add(portal, email)

    assert (answer.exit_code, answer.output) == (2, "Error: An e-mail address has a name, an @ and a domain: ana@example.com.\n")


@pytest.mark.parametrize("name", ["", "  ", "42", "x" * 101, "Eve\x07"])
def test_a_name_that_is_none_is_refused(portal, name):
    assert add(portal, name=name).exit_code == 2


@pytest.mark.parametrize("email", ["EVE@example.test", " eve@example.test "])
def test_two_spellings_of_one_address_are_one_account(portal, eve, email):
    answer = add(portal, email)

    assert answer.exit_code == 2
    assert "There is already an account with the address" in answer.output


def test_an_unknown_level_is_refused_with_the_known_ones(portal):
    answer = add(portal, "eve@example.test", "--level", "Boss")

    assert answer.exit_code == 2
    assert "'none', 'read only', 'standard', 'admin'" in answer.output.lower()


def test_the_list_says_what_each_may_do(portal, ana, dee):
    lines = portal("list").output.splitlines()

    assert lines == [
        "ana@example.test · Ana Ortiz · Standard · Can Push to Accounting · "
        "Sees everything, looks after failed exports, accepts, rejects and retries.",
        "dee@example.test · Dee Sørensen · None · 24-117 · Works on the change orders of their jobs only.",
    ]


def test_rights_are_granted(portal, ben, job):
    answer = portal("grant", "ben@example.test", "--level", "standard", "--push", "--job", "24-117")

    assert answer.exit_code == 0
    assert people.find(ben.email).may_decide
    assert [action for action, _, _ in told(ben)] == ["level changed", "privilege granted", "job joined"]


def test_rights_are_revoked(portal, ana):
    answer = portal("revoke", "ana@example.test", "--push", "--level", "Read Only")

    assert answer.exit_code == 0
    assert (people.find(ana.email).level, people.find(ana.email).can_push) == (Level.READ_ONLY, False)
    assert told(ana) == [
        ("privilege removed", None, {"new": False, "old": True}),
        ("level changed", None, {"new": "Read Only", "old": "Standard"}),
    ]


def test_granting_what_is_there_already_is_no_event(portal, ana):
    assert portal("grant", "ana@example.test", "--level", "Standard", "--push").exit_code == 0

    assert told(ana) == []


def test_a_closed_account_loses_its_sessions_at_once_and_can_be_opened_again(portal, ana):
    sign_in(ana.email, PASSWORD)

    assert portal("revoke", ana.email, "--account").exit_code == 0

    assert Session.get().ended_at is not None
    assert sign_in(ana.email, PASSWORD) is None
    assert portal("grant", ana.email, "--account").exit_code == 0
    assert sign_in(ana.email, PASSWORD)


@pytest.mark.parametrize("how", [("--level", "Standard"), ("--account",)])
def test_the_last_active_admin_stays_also_from_here(portal, eve, how):
    answer = portal("revoke", "eve@example.test", *how)

    assert (answer.exit_code, answer.output) == (2, "Error: Eve Laurent is the last active Admin. Make someone else Admin first.\n")
    assert people.find(eve.email).may_administer


def test_nobody_by_that_address(portal):
    answer = portal("grant", "who@example.test", "--push")

    assert (answer.exit_code, answer.output) == (
        2,
        "Error: There is no account with the address who@example.test. See `portal users list`.\n",
    )


@pytest.mark.parametrize("command", ["grant", "revoke"])
def test_nothing_to_do_is_said(portal, eve, command):
    answer = portal(command, "eve@example.test")

    assert answer.exit_code == 2
    assert f"Say what to {command}" in answer.output


def test_an_identity_that_no_longer_counts_is_unlinked(portal, ana):
    identities.admit(identities.Claims("https://id.example.test", "4711", ana.email, True, ana.name, frozenset()), {})

    answer = portal("unlink", ana.email)

    assert (answer.exit_code, answer.output.partition(" · ")[0]) == (0, f"Unlinked {ana.email}")
    assert identities.of(ana) is None
    assert portal("unlink", ana.email).exit_code == 2


def test_an_empty_database_is_one_sentence(tmp_path):
    answer = CliRunner().invoke(main, ["users", "list"], env={"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"})

    assert (answer.exit_code, answer.output) == (2, "Error: The database is empty. Run `portal db migrate` first.\n")


def test_a_member_is_taken_off_a_job(portal, job):
    add(portal, "dee@example.test", "--job", "24-117")

    answer = portal("revoke", "dee@example.test", "--job", "24-117")

    assert answer.exit_code == 0
    assert Membership.select().count() == 0
    assert told(people.find("dee@example.test"))[-1] == ("job left", None, {"job": "24-117"})


def test_nobody_is_taken_off_a_job_they_are_not_on(portal, job):
    add(portal, "dee@example.test")

    answer = portal("revoke", "dee@example.test", "--job", "24-117")

    assert answer.exit_code == 2
    assert "is not a member of a job 24-117" in answer.output
