"""The keepers and workers that run, as each reports itself every few seconds."""

import os
import platform
from datetime import datetime, timedelta

import peewee
import structlog

from portal import clock, db
from portal.db import Model, UtcField, transaction
from portal.db.errors import ERRORS, Busy
from portal.db.writes import attempt
from portal.version import VERSION

KEEPER = "keeper"
WORKERS = ("exports", "mail", "imports")
KINDS = (KEEPER, *WORKERS)  # each is needed once at least
REPORTS_EVERY_S = 10.0
SILENT = timedelta(minutes=3)  # an idle worker looks up every 75 s
FORGOTTEN = timedelta(days=1)

log = structlog.get_logger()


class Process(Model):
    """One running process; a process that stops in good order removes its row.

    kind     one of KINDS
    machine  its host name
    version  of the portal it runs
    seen_at  when it last reported, by its own clock
    """

    kind = peewee.CharField(max_length=20)
    machine = peewee.CharField(max_length=100)
    pid = peewee.IntegerField()
    version = peewee.CharField(max_length=50)
    started_at = UtcField()
    seen_at = UtcField()

    class Meta:
        indexes = ((("kind", "machine", "pid"), True),)

    @property
    def is_silent(self) -> bool:
        return bool(clock.now() - self.seen_at > SILENT)

    @property
    def ahead(self) -> timedelta:
        """How far the clock of its machine is ahead of ours, at least."""
        ahead: timedelta = self.seen_at - clock.now()
        return max(ahead, timedelta(0))


class Reporter:
    """Reports this process at most every ten seconds, however often it is called. In a process forked from it, it does nothing."""

    def __init__(self, kind: str) -> None:
        self._kind, self._pid, self._machine = kind, os.getpid(), platform.node()[:100]
        self._reported = -REPORTS_EVERY_S
        self._is_known = False

    def __call__(self) -> None:
        if os.getpid() != self._pid or clock.steady() - self._reported < REPORTS_EVERY_S:
            return
        try:
            with db.connected():
                if self._is_known and not attempt(self._report):
                    return  # busy: the next call tries again
                if not self._is_known:
                    self._begin()
        except (Busy, *ERRORS) as error:
            log.warning("database not available, this process is not reported", error=str(error))
        self._reported = clock.steady()

    def _begin(self) -> None:
        """The first report waits for its turn: an idle worker makes the next one more than a minute later."""
        with transaction():
            self._sweep()
            self._report()
        self._is_known = True

    def leave(self) -> None:
        """The process stops in good order."""
        try:
            with db.connected(), transaction():
                Process.delete().where(self._is_this()).execute()
        except (Busy, *ERRORS) as error:
            log.warning("database not available, this process counts as silent", error=str(error))

    def _report(self) -> None:
        now = clock.now()
        row = {"version": VERSION, "started_at": now - clock.up(), "seen_at": now}
        Process.insert(kind=self._kind, machine=self._machine, pid=self._pid, **row).on_conflict(
            conflict_target=[Process.kind, Process.machine, Process.pid], update=row
        ).execute()

    def _sweep(self) -> None:
        """Remove the rows of processes that were killed on this machine: this one probably stands in for one of them."""
        here = Process.select().where(Process.kind == self._kind, Process.machine == self._machine)
        gone = [process.id for process in here if not _runs(process.pid)]
        Process.delete().where(Process.id.in_(gone)).execute()

    def _is_this(self) -> peewee.Expression:
        return (Process.kind == self._kind) & (Process.machine == self._machine) & (Process.pid == self._pid)


def reported() -> list[Process]:
    """Every process that reported within the last day."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(Process.select(), key=lambda process: (order.get(process.kind, len(order)), process.machine, process.pid))


def running() -> list[Process]:
    """Those that have not stopped: on this machine by their process id, elsewhere by their last report."""
    here = platform.node()[:100]
    return [one for one in reported() if (_runs(one.pid) if one.machine == here else not one.is_silent)]


def forget() -> None:
    """Remove the rows of processes that have been silent for a day: their machines are gone."""
    long_ago: datetime = clock.now() - FORGOTTEN
    silent = Process.select().where(Process.seen_at < long_ago)
    if silent.exists():
        with transaction():
            Process.delete().where(Process.seen_at < long_ago).execute()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # as another user
    return True
