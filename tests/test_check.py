"""`portal check`: a line for each part, and the one that is broken is named with what to do."""

import json
import os
import platform
from datetime import timedelta

import pytest
from click.testing import CliRunner

import config
from portal import clock, db
from portal.cli import main
from portal.domain import backups
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.processes import KINDS, Process
from portal.domain.status_totals import StatusTotal
from tests.conftest import KEY
from tests.faults.conftest import simulator, simulator_process  # noqa: F401
from tests.mail_server import mail_server as mail_server
from tests.ports import free_port

PARTS = ["Database", "Redis", "Keeper", "Exports", "Mail", "Imports", "Audit", "Clock", "Backup", "Counts", "Spectrum", "Mail server"]


@pytest.fixture
def running(company):
    """Keeper and workers, as they report themselves."""
    now = clock.now()
    for kind in KINDS:
        Process.create(kind=kind, machine=platform.node(), pid=os.getpid(), version="0.1.0", started_at=now, seen_at=now)
    backups.record(now, "portal.backup", 1, verified=True)


@pytest.fixture
def check(running, database_url, simulator, mail_server, valkey, tmp_path):  # noqa: F811
    """The parts by name, and the exit status, of a portal in order but for the changes."""
    fine = {"DATABASE_URL": database_url, "REDIS_URL": valkey.url, "SPECTRUM_URL": simulator.url, "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail_server.port), "SECRET_KEY": KEY, "PORTAL_DATA": str(tmp_path)}  # fmt: skip

    def run(**changes):
        none = dict.fromkeys((*config.Settings.model_fields, *(f"{name}_FILE" for name in config.SECRETS)))
        answer = CliRunner().invoke(main, ["check", "--json"], env=none | fine | changes)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        told = json.loads(answer.stdout)
        assert answer.exit_code == (0 if told["fit"] else 1)
        return told | {"parts": {one["name"]: one for one in told["parts"]}}

    return run


def broken(told):
    """The text of each part that is not in order, by name."""
    return {name: part["text"] for name, part in told["parts"].items() if not part["ok"]}


def test_a_portal_in_order_is_fit_part_by_part(check):
    told = check()

    assert (told["fit"], told["faults"], list(told["parts"])) == (True, [], PARTS)


def test_for_a_person_it_is_a_line_each(check, database_url, tmp_path):
    answer = CliRunner().invoke(main, ["check"], env={"DATABASE_URL": database_url, "PORTAL_DATA": str(tmp_path), "SECRET_KEY": KEY})

    assert answer.exit_code == 1
    assert "ok       Database: It answers." in answer.output.splitlines()
    assert "FAULT    Redis: REDIS_URL names none, so keeper and workers do not start." in answer.output.splitlines()


def test_1_a_setting_that_must_not_be(check):
    assert "SPECTRUM_CA_BUNDLE: /nowhere/ca.pem cannot be read" in check(SPECTRUM_CA_BUNDLE="/nowhere/ca.pem")["faults"][0]


def test_2_a_database_that_is_away(check):
    told = check(DATABASE_URL="postgresql:///portal?host=/nonexistent")

    assert "DATABASE_URL: the database cannot be used (" in broken(told)["Database"]
    assert "Keeper" not in told["parts"]


def test_3_a_database_without_its_migrations(check, tmp_path):
    db.database.execute_sql("DELETE FROM schema_migration WHERE name = '0001_initial'")

    assert broken(check()) == {"Database": "It lacks 0001_initial. Run `portal db migrate`."}
    assert broken(check(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}"))["Database"] == "It has no tables. Run `portal db migrate`."


def test_4_a_redis_that_does_not_answer(check):
    assert "Start it, or correct REDIS_URL." in broken(check(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"))["Redis"]


def test_5_no_keeper(check):
    Process.delete().where(Process.kind == "keeper").execute()

    assert broken(check()) == {"Keeper": "No keeper reports. Start it: `systemctl start portal-keeper`."}


def test_6_a_worker_that_went_silent(check):
    Process.update(seen_at=clock.now() - timedelta(minutes=5)).where(Process.kind == "mail").execute()

    assert broken(check()) == {"Mail": "No worker for mail reports. Start it: `systemctl start portal-worker@mail`."}


def test_7_a_clock_that_is_wrong(check):
    Process.update(seen_at=clock.now() + timedelta(minutes=5)).where(Process.kind == "exports").execute()

    assert "The clocks of two machines differ by" in broken(check())["Clock"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:{port}"])
def test_8_a_spectrum_that_is_not_there(check, url):
    assert broken(check(SPECTRUM_URL=url.format(port=free_port()))).keys() == {"Spectrum"}


def test_9_an_authorization_id_that_spectrum_does_not_take(check):
    assert "Authorization ID" in broken(check(SPECTRUM_AUTHORIZATION_ID="RETIRED"))["Spectrum"]


def test_10_a_mail_server_that_is_not_there_or_takes_nothing(check, mail_server):
    away = check(SMTP_PORT=str(free_port()))
    mail_server.says["EHLO"] = mail_server.says["HELO"] = "554 not from here"

    assert "mail server not available" in broken(away)["Mail server"]
    assert "554 not from here" in broken(check())["Mail server"]


def test_kept_counts_that_are_not_the_truth(check, make_change_order):
    make_change_order("ready")
    StatusTotal.update(change_orders=StatusTotal.change_orders + 2).where(StatusTotal.status == "ready").execute()

    assert broken(check())["Counts"].startswith("The kept total of ready is off by 2 change orders")


def test_spectrum_is_not_asked_while_a_worker_calls_it(check, company):
    Lane.take(company.lane, ONE_CALL)

    assert check()["parts"]["Spectrum"]["text"] == "A worker is calling it right now, so it was not asked."


def test_the_lane_is_free_again_afterwards(check, company):
    check()

    assert Lane.take(company.lane, ONE_CALL)


def test_secrets_are_not_told(check, company):
    told = check(SPECTRUM_AUTHORIZATION_ID="RETIRED", REDIS_URL=f"redis://:hunter2@127.0.0.1:{free_port()}/0")

    assert "hunter2" not in json.dumps(told)
