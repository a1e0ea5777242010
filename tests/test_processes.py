"""Every keeper and worker reports itself; what was killed is told apart from what stopped in good order."""

import os
import subprocess
import sys

import pytest

from portal import clock as clocks
from portal.domain import processes
from portal.domain.processes import Process, Reporter
from portal.version import VERSION

pytestmark = pytest.mark.databases_differ("locks and races")


def row(pid, kind="exports", machine="elsewhere", **columns):
    now = clocks.now()
    return Process.create(**{"kind": kind, "machine": machine, "pid": pid, "version": VERSION, "started_at": now, "seen_at": now} | columns)


def a_pid_that_is_gone():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_process_reports_what_it_is(database, clock):
    Reporter("exports")()

    [process] = processes.reported()
    assert (process.kind, process.pid, process.version) == ("exports", os.getpid(), VERSION)
    assert process.seen_at == clock.now()


def test_a_process_reports_at_most_every_ten_seconds(database, clock):
    report = Reporter("mail")
    report()
    begun = clock.now()

    clock.tick(seconds=9)
    report()
    assert processes.reported()[0].seen_at == begun

    clock.tick(seconds=2)
    report()
    assert processes.reported()[0].seen_at == clock.now()


def test_the_first_report_waits_for_a_database_that_is_busy_and_later_ones_are_made_up_for(database, clock, monkeypatch):
    report, free = Reporter("mail"), processes.attempt
    monkeypatch.setattr(processes, "attempt", lambda _: False)
    report()
    begun = clock.now()
    clock.tick(seconds=20)
    report()
    assert [process.seen_at for process in processes.reported()] == [begun]

    monkeypatch.setattr(processes, "attempt", free)
    clock.tick(seconds=1)
    report()

    assert processes.reported()[0].seen_at == clock.now()


def test_a_process_that_stops_in_good_order_leaves_no_row(database):
    report = Reporter("keeper")
    report()

    report.leave()

    assert processes.reported() == []


def test_a_process_that_says_nothing_for_three_minutes_is_silent(database, clock):
    Reporter("keeper")()
    clock.tick(minutes=3)
    assert not processes.reported()[0].is_silent

    clock.tick(seconds=1)

    assert processes.reported()[0].is_silent


def test_the_next_of_its_kind_sweeps_away_what_was_killed_on_its_machine(database):
    report = Reporter("exports")
    row(a_pid_that_is_gone(), machine=report._machine)
    row(os.getpid(), machine=report._machine, kind="mail")
    elsewhere = row(a_pid_that_is_gone())

    report()

    assert {(process.kind, process.machine, process.pid) for process in processes.reported()} == {
        ("exports", report._machine, os.getpid()),
        ("mail", report._machine, os.getpid()),
        ("exports", "elsewhere", elsewhere.pid),
    }


def test_what_has_been_silent_for_a_day_is_forgotten(database, clock):
    row(7)
    clock.tick(hours=24)
    processes.forget()
    assert len(processes.reported()) == 1

    clock.tick(seconds=1)
    processes.forget()

    assert processes.reported() == []


def test_a_fork_reports_nothing(database, monkeypatch):
    report = Reporter("exports")
    monkeypatch.setattr(os, "getpid", lambda: report._pid + 1)

    report()

    assert processes.reported() == []


def test_a_database_that_is_away_stops_no_process(database):
    report = Reporter("exports")
    database.close()
    database.init("/nowhere/portal.db")

    report()
    report.leave()
