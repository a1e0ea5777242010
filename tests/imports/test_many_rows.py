"""A large file: nobody waits long for the database, and a kill leaves nothing half done for good."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from benchmarks import import_lines
from portal import db
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.events import Event
from portal.domain.imports import import_run
from portal.domain.imports.staging import Import, RowOutcome, Staged
from portal.domain.lanes import Lane, Lost
from portal.domain.people import User
from portal.intake import files
from tests.conftest import count_queries

READ = """
import resource, sys
from pathlib import Path
from portal.intake import files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reading = files.understand(Path(sys.argv[1]).read_bytes(), "large.csv")
assert (len(reading.entries), reading.problems) == (25_000, [])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def silent(*_):
    pass


@pytest.fixture
def brought(length):
    """How many change orders `thousand` brings."""
    return length(250, 100)


@pytest.fixture
def thousand(tmp_path, brought):
    """A file with four rows for each change order: a thousand in a long run."""
    path = tmp_path / "thousand.csv"
    import_lines.write(path, 4 * brought)
    return path


def stage(run, path, sender=None):
    return run.stage(import_run.prepare(files.read(path).entries), path.name, "", sender, silent)


def state():
    """All that an import leaves behind, without ids and times."""
    orders = ChangeOrder.select().order_by(ChangeOrder.number)
    lines = LineItem.select(LineItem.phase_code, LineItem.amount, ChangeOrder.number).join(ChangeOrder)
    return (
        [(order.number, order.title, order.amount, order.status, order.version, order.checks) for order in orders],
        sorted(lines.tuples()),
        sorted((event.subject, event.action) for event in Event.select() if event.subject != "import"),
    )


def test_no_transaction_of_an_import_grows_with_its_file(tmp_path, database, company, make_user, monkeypatch):
    """Who else wants to write waits for a turn and the step in which it ends; benchmarks/import_lines.py says how long."""
    monkeypatch.setattr(import_run, "HOLD_S", 0)
    monkeypatch.setattr(import_run, "PAUSE_S", 0)
    monkeypatch.setattr(import_run, "BATCH", 20)
    dee = make_user("Dee Sørensen")

    few, many = (most_statements(tmp_path / f"{rows}.csv", rows, dee, monkeypatch) for rows in (80, 240))

    assert 0 < many <= few


def most_statements(path, rows, sender, monkeypatch):
    """Of the transactions of an import with sending, the most statements in one."""
    import_lines.write(path, rows)
    counts, real = [], import_run.transaction
    with count_queries() as sent, monkeypatch.context() as patch, import_run.alone() as run:

        @contextmanager
        def counted():
            before = len(sent)
            with real():
                yield
            counts.append(len(sent) - before)

        patch.setattr(import_run, "transaction", counted)
        summary = run.complete(stage(run, path, sender), silent)
    assert sum(summary.counts.values()) == rows / import_lines.LINES
    return max(counts)


@pytest.mark.timeout(600)
def test_reading_the_largest_file_takes_no_more_than_300_mb(tmp_path):
    """docs/import.md states it"""
    header = (
        "job_number,vendor_name,commitment_number,commitment_kind,cco_number,title,status,phase_code,cost_type,amount,line_description\n"
    )
    rows = (f"24-117,Volt,SC-1,sc,{row // 4},Change,Approved,{row % 4},SUB,{row}.25,{'Concrete ' * 4}{row}\n" for row in range(100_000))
    path = tmp_path / "large.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    assert 9_000_000 < path.stat().st_size < files.LARGEST

    ran = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=280, check=True)

    assert int(ran.stdout) < 300_000  # KB


def test_what_was_staged_and_not_confirmed_is_never_seen_and_thrown_away(thousand, database, company, monkeypatch):
    with pytest.raises(KeyboardInterrupt), import_run.alone() as run:
        run.stage(import_run.prepare(files.read(thousand).entries), "thousand.csv", "", None, lambda *_: _stop())
    assert Staged.select().exists()
    assert not ChangeOrder.select().exists()

    with import_run.alone() as run:
        assert run.unfinished() is None

    assert not Staged.select().exists()
    assert not ChangeOrder.select().exists()
    assert Event.get().action == "abandoned"


@pytest.mark.parametrize("phase", ["Importing", "Sending"])
def test_an_interrupted_import_is_completed_by_the_next_one(thousand, brought, database, company, make_user, monkeypatch, phase):
    monkeypatch.setattr(import_run, "HOLD_S", 0.01)
    monkeypatch.setattr(import_run, "PAUSE_S", 0)
    dee = make_user("Dee Sørensen")

    with pytest.raises(KeyboardInterrupt), import_run.alone() as run:
        run.complete(stage(run, thousand, dee), lambda at, done, _: _stop() if at == phase and done > brought // 3 else None)
    seen = ChangeOrder.select().count()

    with import_run.alone() as run:
        summary = run.complete(run.unfinished(), silent)
        assert run.unfinished() is None

    assert brought // 3 < seen <= brought
    assert (summary.counts[RowOutcome.NEW], summary.sent) == (brought, brought)
    assert ChangeOrder.select().where(ChangeOrder.status == "ready").count() == brought
    assert Event.select().where(Event.action == "sent").count() == brought
    assert Event.select().where(Event.action == "created", Event.subject == "change_order").count() == brought
    assert not Staged.select().exists()


@pytest.mark.timeout(600)
def test_a_killed_process_leaves_nothing_or_what_the_next_run_completes(thousand, database_url, tmp_path):
    db.init(database_url)
    with db.connected():
        User.create(email="dee@example.test", handle="dee@example.test", name="Dee Sørensen")
    command = [sys.executable, "-m", "portal.cli", "import", str(thousand), "--send", "dee@example.test"]
    environ = os.environ | {"DATABASE_URL": database_url}
    for _ in range(2):
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.8, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()

    last = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=280, check=True)

    with db.connected():
        survived = state()
        assert not Staged.select().exists()
        assert not Import.select().where(Import.finished_at.is_null()).exists()
        assert survived == _undisturbed(thousand, tmp_path, command)
    assert "Imported: " in last.stdout


def test_a_second_import_can_not_work_beside_the_first(thousand, brought, database, company):
    with import_run.alone() as run:
        origin = stage(run, thousand)
        Lane.update(until=import_run.clock.now() - timedelta(seconds=1)).execute()
        with import_run.alone() as other:
            with pytest.raises(Lost):
                run.complete(origin, silent)

            assert other.complete(other.unfinished(), silent).counts[RowOutcome.NEW] == brought


def _stop():
    raise KeyboardInterrupt


def _undisturbed(path, tmp_path, command):
    """What the same import leaves behind in a database of its own when nobody kills it."""
    url = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    db.init(url)
    with db.connected():
        db.migrate()
        User.create(email="dee@example.test", handle="dee@example.test", name="Dee Sørensen")
    subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, timeout=280, check=True)
    with db.connected():
        return state()
