"""A command that lacks what it needs says so in a sentence and ends with status 2, with no trace and nothing half done."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import config
from portal import clock, db
from portal.cli import COMMANDS as COMMANDS_BY_NAME
from portal.cli import main
from portal.crypto import Sealer
from portal.domain import events, outbox
from portal.domain.change_orders import Status, load
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch, DispatchOutcome
from portal.domain.recovery import restored
from portal.domain.review import decisions
from tests.cast import signed
from tests.conftest import KEY
from tests.ports import free_port
from tests.processes import ROOT, environment

COMMANDS = (
    "exports drain",
    "exports status",
    "exports look 1",
    "exports pause maintenance --by eve@example.test",
    "exports resume --by eve@example.test",
    "exports xlsx --by eve@example.test",
    "summary send",
    "summary send --dry-run",
    "users list",
    "users add ana@example.test --name Ana --level Admin",
    "audit verify",
    "audit head",
    "db migrate",
    "db status",
    "reseal",
    "backup . --unencrypted",
    "status",
)
AWAY = ("sqlite:////nonexistent/portal.db", "postgresql:///portal?host=/nonexistent")


def run(command, **environ):
    settings = dict.fromkeys((*config.Settings.model_fields, *(f"{name}_FILE" for name in config.SECRETS)))
    return CliRunner().invoke(main, command.split(), env=settings | {name: str(value) for name, value in environ.items()})


def told(answer, status=2):
    """The one sentence with which the command ended."""
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    assert answer.exit_code == status, answer.output
    return answer.output.splitlines()[-1]


@pytest.mark.parametrize("url", AWAY)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_is_away_is_one_sentence(tmp_path, command, url):
    answer = run(command, DATABASE_URL=url, SECRET_KEY=KEY, PORTAL_DATA=tmp_path)

    assert told(answer).startswith("Error: DATABASE_URL: the database cannot be used (")
    assert told(answer).endswith("Nothing is half done: run the command again when it is back.")
    assert len(answer.output.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.startswith(("db ", "users "))])
def test_a_database_without_tables_is_one_sentence(tmp_path, command):
    answer = run(command, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}", SECRET_KEY=KEY, PORTAL_DATA=tmp_path)

    assert told(answer) == "Error: The database is not set up for this version of the portal. Run `portal db migrate` first."


def test_a_defect_of_ours_is_not_told_as_a_fault_of_the_database(database, database_url, tmp_path, monkeypatch):
    def broken(*_):
        database.execute_sql("SELEKT 1")

    monkeypatch.setattr("portal.domain.people.everybody", broken)

    answer = run("users list", DATABASE_URL=database_url, SECRET_KEY=KEY, PORTAL_DATA=tmp_path)

    assert "SELEKT" in str(answer.exception)


@pytest.mark.parametrize("command", ["exports drain", "summary send", "reseal"])
def test_without_a_key_what_needs_one_says_so(database_url, tmp_path, command):
    answer = run(command, DATABASE_URL=database_url, PORTAL_DATA=tmp_path)

    assert told(answer).startswith(f"Error: SECRET_KEY: is not set, and there is none in {tmp_path / 'secret_key'}. ")


@pytest.mark.parametrize("command", ["users list", "audit verify", "db migrate", "db status", "exports status"])
def test_what_needs_no_key_asks_for_none(database, company, database_url, tmp_path, command):
    assert run(command, DATABASE_URL=database_url, PORTAL_DATA=tmp_path).exit_code == 0


def test_the_key_of_the_data_folder_is_used_by_whatever_has_no_other(tmp_path):
    (tmp_path / "secret_key").write_text(f"{KEY}\n")

    ours, named = config.load({"PORTAL_DATA": str(tmp_path)}), config.load({"PORTAL_DATA": str(tmp_path), "SECRET_KEY": "another" * 6})

    assert Sealer(*ours.keys).open(Sealer(KEY).seal("text")) == "text"
    assert named.SECRET_KEY == "another" * 6


def test_after_a_restore_the_command_line_asks_for_an_approver_too(company, ana, eve, database_url, tmp_path):
    restored.hold(clock.now())

    refused = run("exports resume --by eve@example.test", DATABASE_URL=database_url, PORTAL_DATA=tmp_path)
    resumed = run("exports resume --by ana@example.test", DATABASE_URL=database_url, PORTAL_DATA=tmp_path)

    assert told(refused) == "Error: Only an approver, who has looked in Spectrum, resumes exports."
    assert resumed.exit_code == 0
    assert not Lane.is_paused(company.lane)


@pytest.fixture
def refused_mail(make_change_order, ana):
    """One mail is due, and nothing else."""
    change_order = make_change_order()
    decisions.reject(change_order.id, by=ana, version=change_order.version, reason="No")


@pytest.fixture
def place(database_url, tmp_path):
    return {"DATABASE_URL": database_url, "PORTAL_DATA": tmp_path, "SECRET_KEY": KEY}


def test_a_drain_says_what_it_did(place, refused_mail, catcher):
    answer = run("exports drain", **place, SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    assert (answer.exit_code, answer.output) == (0, "Exports: nothing is due.\nMail: 1 done.\n")


def test_a_drain_says_what_still_waits(place, refused_mail):
    answer = run("exports drain", **place, SMTP_HOST="127.0.0.1", SMTP_PORT=free_port())

    assert answer.output.splitlines()[-1] == "Mail: none done, 1 waits: see `portal exports status` or Settings, Mail."


def test_a_drain_beside_a_worker_says_that_it_did_nothing(place, refused_mail):
    Lane.take(MAIL, outbox.timedelta(minutes=1))

    assert run("exports drain", **place).output.splitlines()[-1] == "Mail: another worker is on it, 1 waits."


def test_without_an_address_of_spectrum_no_export_is_touched_and_mail_goes(place, make_change_order, refused_mail, ana, company, catcher):
    company.export_delay = 0
    company.save()
    change_order = make_change_order()
    signed(change_order.id, ana, change_order.version)

    answer = run("exports drain", **place, SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    assert answer.exit_code == 2
    assert answer.output.splitlines()[:2] == [
        "Mail: 1 done.",
        "Error: SPECTRUM_URL: is not set, so no export was touched; 1 is due. Set it to https://HOST:8482, or beside a running "
        "`portal up` to the address of its simulator.",
    ]
    assert load(change_order.id).state is Status.QUEUED
    assert Dispatch.get(Dispatch.lane == company.lane).tries == 0


def test_without_a_mail_server_mail_waits_and_says_why(place, refused_mail):
    run("exports drain", **place)

    dispatch = Dispatch.get(Dispatch.lane == MAIL)
    assert (dispatch.outcome, dispatch.error) != (DispatchOutcome.FAILED, "")
    assert "SMTP_HOST is not set" in dispatch.error


def test_a_migration_that_is_done_is_told_before_the_next_one_fails(tmp_path, monkeypatch):
    file = f"sqlite:///{tmp_path / 'new.db'}"
    from playhouse.migrations import Runner

    up, names = Runner.up, []

    def fail_at_the_third(self, name):
        names.append(name)
        if len(names) == 3:
            raise db.peewee.OperationalError("the server closed the connection")
        return up(self, name)

    monkeypatch.setattr(Runner, "up", fail_at_the_third)

    answer = run("db migrate", DATABASE_URL=file, PORTAL_DATA=tmp_path)

    assert answer.output.splitlines()[:2] == [f"applied {name}" for name in names[:2]]
    assert "the server closed the connection" in told(answer)


def test_a_migration_with_nothing_to_do_says_so(database, database_url, tmp_path):
    assert run("db migrate", DATABASE_URL=database_url, PORTAL_DATA=tmp_path).output == "The database is up to date.\n"


@pytest.mark.parametrize("command", ["exports", "mail", "imports"])
def test_a_worker_without_redis_says_so(place, command):
    import worker

    with pytest.MonkeyPatch.context() as patch:
        for name in (*config.Settings.model_fields, *(f"{name}_FILE" for name in config.SECRETS)):
            patch.delenv(name, raising=False)
        for name, value in place.items():
            patch.setenv(name, str(value))
        assert worker.main([command]) == 2


def test_the_command_line_completes_commands_and_options():
    complete = {"COMP_WORDS": "portal exports p", "COMP_CWORD": "2", "_PORTAL_COMPLETE": "bash_complete"}

    done = subprocess.run([sys.executable, "-m", "portal.cli"], env=environment(**complete), cwd=ROOT, capture_output=True, text=True)

    assert done.stdout.split() == ["plain,pause"]


@pytest.mark.parametrize("name", sorted(set(COMMANDS_BY_NAME) - {"up", "keeper", "simulator", "catcher"}))
def test_every_command_that_ends_can_tell_its_result_as_json(name):
    command = main.get_command(click.Context(main), name)
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]

    assert [leaf.name for leaf in leaves if not any(option.name == "as_json" for option in leaf.params)] == []


@pytest.mark.parametrize(
    "command",
    [
        *("users add", "users reset", "users unlock", "users unlink", "users grant", "users revoke"),
        *("exports pause", "exports resume", "exports xlsx", "reseal", "restore"),
    ],
)
def test_what_a_person_changes_on_the_command_line_says_who_did_it(command):
    group, *leaf = command.split()
    found = main.get_command(click.Context(main), group)
    found = found.commands[leaf[0]] if leaf else found

    assert any("--as" in option.opts for option in found.params)


@pytest.mark.parametrize(
    ("command", "facts"),
    [
        ("users list --json", {"people": [{"email": "eve@example.test", "name": "Eve Laurent", "level": "Admin", "can_push": False,
                                           "active": True, "jobs": []}]}),
        ("users grant eve@example.test --push --json", {"email": "eve@example.test", "can_push": True}),
        ("exports status --json", {"waiting": [], "paused_at": None}),
        ("exports pause maintenance --as eve@example.test --json", {"paused": True, "reason": "maintenance"}),
        ("exports resume --as eve@example.test --json", {"paused": False}),
        ("audit verify --json", {"good": True, "events": 0, "fault": ""}),
        ("audit head --json", {"seq": 0, "hash": "0" * 64}),
        ("db migrate --json", {"applied": []}),
        ("reseal --json", {"resealed": []}),
    ],
)  # fmt: skip
def test_the_result_of_a_command_is_one_line_of_json(place, company, eve, command, facts):
    answer = run(command, **place)

    assert answer.exit_code == 0, answer.output
    (line,) = answer.stdout.splitlines()
    assert facts.items() <= json.loads(line).items()


def test_who_acts_on_the_command_line_is_in_the_audit_trail(place, company, eve, ben):
    granted = run("users grant ben@example.test --level Standard --as eve@example.test", **place)
    refused = run("users grant ben@example.test --push --as ben@example.test", **place)

    event = events.history("user", ben.id)[-1]
    assert granted.exit_code == 0
    assert (event.action, event.actor) == ("level changed", eve)
    assert told(refused).startswith("Error: ")


def test_a_link_for_a_password_is_made_by_an_administrator(place, company, eve, ben):
    made = run("users reset ben@example.test --as eve@example.test", **place)
    refused = run("users reset eve@example.test --as ben@example.test", **place)

    event = events.history("user", ben.id)[-1]
    assert (made.exit_code, event.action, event.actor) == (0, "password link made", eve)
    assert told(refused) == "Error: Only an administrator makes links for passwords."
    assert not events.history("user", eve.id)
