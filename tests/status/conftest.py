"""A portal in which everything runs, and ways to break one thing in it."""

import pytest

from portal import clock as clocks
from portal.domain import backups, heartbeats, processes
from portal.domain.processes import Process
from portal.version import VERSION


def run_process(kind, pid=1, machine="srv", version=VERSION):
    """A process that has reported just now and has run for an hour."""
    now = clocks.now()
    return Process.create(kind=kind, machine=machine, pid=pid, version=version, started_at=now - processes.FORGOTTEN / 24, seen_at=now)


@pytest.fixture
def healthy(company, clock):
    """Each process reports, Redis answers the keeper, and last night's backup is good."""
    for kind in processes.KINDS:
        run_process(kind)
    heartbeats.beat(processes.KEEPER)
    heartbeats.mark_good(heartbeats.REDIS)
    backups.record(clocks.now(), "portal.tar", 4096, True)
    return company


@pytest.fixture
def report_all():
    """Every process reports again."""
    return lambda: Process.update(seen_at=clocks.now()).execute()
