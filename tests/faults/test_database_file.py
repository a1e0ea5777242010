"""What can happen to the file of a SQLite database: no room, another file in its place, an old backup."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from portal import db
from portal.background import keeper
from portal.domain import events, heartbeats
from portal.domain.change_orders import Status, load
from tests.cast import seen, signed
from tests.conftest import sign_in
from tests.processes import ROOT, environment

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")


@pytest.fixture
def database_url(file_url):
    """These faults need a file."""
    return file_url


@pytest.fixture
def file(database_url):
    return Path(database_url.removeprefix("sqlite:///"))


def press_accept(client, change_order):
    return client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order))


def pragma(name, value=""):
    return db.database.execute_sql(f"PRAGMA {name}{value}").fetchone()[0]


def test_on_a_full_disk_accept_is_refused_truthfully_pages_go_on_and_so_does_work_when_there_is_room(client, make_change_order, ana):
    """F46"""
    orders = [make_change_order(lines=[(f"16-{2000 + line}", "SUB", "1.00") for line in range(60)]) for _ in range(6)]
    sign_in(client, ana)
    pragma("max_page_count", f"={pragma('page_count')}")

    answers = [press_accept(client, change_order) for change_order in orders]

    refused = [change_order for change_order, answer in zip(orders, answers, strict=True) if answer.status_code == 503]
    assert {answer.status_code for answer in answers} <= {303, 503}
    assert refused, "nothing was full"
    assert "The disk of the database is full. Nothing was recorded." in answers[orders.index(refused[0])].text
    assert {load(change_order.id).state for change_order in refused} == {Status.READY}
    assert {event.action for event in events.history("change_order", refused[0].id)} == {"created", "sent"}
    assert client.get("/change-orders").status_code == client.get(f"/change-orders/{refused[0].id}").status_code == 200

    pragma("max_page_count", "=1000000")
    assert press_accept(client, refused[0]).status_code == 303


@pytest.fixture
def alarms(monkeypatch):
    """What the log was told as an error."""

    told = []
    monkeypatch.setattr(db, "log", SimpleNamespace(error=lambda event, **_: told.append(event)))
    return told


def replace(file):
    """Another file under the same name, as a restore beside a running portal would put it."""
    other = shutil.copy(file, file.with_name("other.db"))
    other.replace(file)


def remove_log(file):
    file.with_name(f"{file.name}-wal").unlink()


@pytest.mark.parametrize("fault", [replace, remove_log, os.remove])
def test_a_database_file_that_was_replaced_is_not_written_to(client, change_order, ana, file, fault, alarms):
    """F47"""
    sign_in(client, ana)

    fault(file)
    answer = press_accept(client, change_order)

    assert answer.status_code == 503
    assert "while the portal ran. Nothing was recorded." in answer.text
    assert alarms == ["database replaced"]
    assert load(change_order.id).state is Status.READY


def test_the_beat_of_the_keeper_and_the_readiness_of_the_web_notice_a_replaced_file(client, change_order, file, valkey, tmp_path, alarms):
    """F47"""
    replace(file)
    rounds = iter([False, True])

    keeper.run(valkey.url, lambda: next(rounds), tmp_path / "heads.jsonl", lambda: None)

    assert "keeper" not in heartbeats.signs()
    assert client.get("/readyz").status_code == 503
    assert alarms == ["database replaced"] * 3  # told by the beat, by the keeper that signs off, and by the web


def test_a_commit_waits_for_the_disk(database_url):
    """F48: what a power cut may not undo was written through"""
    program = (
        "import sys; from portal import db; db.init(sys.argv[1]); db.database.connect(); "
        "print([db.database.execute_sql(f'PRAGMA {name}').fetchone()[0] for name in ('journal_mode', 'synchronous', 'foreign_keys')])"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, database_url], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "['wal', 2, 1]"  # 2: FULL


def test_after_the_restore_of_an_old_backup_lost_decisions_are_made_again_and_nothing_is_sent_twice(
    make_change_order, erp, simulator, drain, ana, database_url, file
):
    """F49"""
    change_order = make_change_order()
    with sqlite3.connect(file) as source, sqlite3.connect(file.with_name("backup.db")) as backup:
        source.backup(backup)
    signed(change_order.id, by=ana, version=change_order.version)
    drain(erp)
    assert load(change_order.id).state is Status.EXPORTED
    db.database.close()
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    file.with_name("backup.db").rename(file)
    db.init(database_url)
    db.database.connect()
    assert load(change_order.id).state is Status.READY

    signed(change_order.id, by=ana, version=change_order.version)
    drain(erp)

    assert load(change_order.id).state is Status.EXPORTED
    assert events.history("change_order", change_order.id)[-1].action == "adopted"
    assert len(simulator.journal()) == 1
