"""All that the status page, `portal status` and the metrics tell, in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime

from portal import clock
from portal.domain import backups, heartbeats, processes
from portal.domain.audit import heads
from portal.domain.backups import Backup
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import MAIL
from portal.domain.processes import Process
from portal.domain.recovery import stalled_work
from portal.domain.recovery.stalled_work import Standstill
from portal.domain.status import attempts, database, queues
from portal.domain.status.attempts import Hour, Success
from portal.domain.status.database import Server
from portal.domain.status.queues import Backlog

EXPORTS, IMPORTS = "exports", "imports"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is the case at one moment.

    states        change orders by the states that call for something to happen
    standstills   lanes that do not move although work is due
    hours         of the last day in which attempts ended, the latest first
    out_of_reach  since when no line has reached Spectrum
    mail_failed   mail that will not be tried again
    doubts        what is wrong with the audit trail or its files of heads
    signs         the signs of life, by name
    """

    at: datetime
    processes: list[Process]
    queues: list[Backlog]
    states: dict[str, int]
    standstills: list[Standstill]
    hours: list[Hour]
    last_success: Success | None
    out_of_reach: datetime | None
    mail_failed: int
    backup: Backup | None
    doubts: list[Heartbeat]
    signs: dict[str, Heartbeat]
    database: Server

    def queue(self, kind: str) -> Backlog:
        """The lane of this kind."""
        return next(queue for queue in self.queues if queue.kind == kind)

    def running(self, kind: str) -> list[Process]:
        """The processes of this kind that report."""
        return [process for process in self.processes if process.kind == kind and not process.is_silent]

    @property
    def exports(self) -> Backlog:
        return self.queue(EXPORTS)

    @property
    def mail(self) -> Backlog:
        return self.queue(MAIL)


def gather() -> Facts:
    success, signs = attempts.last_success(), heartbeats.signs()
    return Facts(
        at=clock.now(),
        processes=processes.reported(),
        queues=queues.all_queues(),
        states=queues.states(),
        standstills=stalled_work.recorded(),
        hours=attempts.by_hour(),
        last_success=success,
        out_of_reach=attempts.out_of_reach_since(success),
        mail_failed=queues.failed_mail(),
        backup=backups.latest(),
        doubts=heads.in_doubt(signs.values()),
        signs=signs,
        database=database.server(),
    )
