"""The keeper: a small loop that rings for lanes with due work and says that it lives. It decides nothing.

It is the only process besides the workers that talks to Redis, and it outlives Redis. Several may run.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import peewee
import structlog
from redis import Redis, RedisError

from portal import clock, db, failpoints
from portal.background import doorbell
from portal.domain import heartbeats, outbox, processes, status_totals
from portal.domain.audit import chain, heads
from portal.domain.mail import daily_summary
from portal.domain.recovery import clock_repair, reconcile, recount, restored, stalled_work
from portal.domain.settings import refresh_lists, spectrum_sign_in

PERIOD_S = 1.0
BEAT_EVERY = timedelta(seconds=10)

log = structlog.get_logger()


def run(redis_url: str, stopping: Callable[[], bool], file: Path, tell_outside: Callable[[], None]) -> None:
    """Look once a second until told to stop. `file` is for the heads of the audit trail; `tell_outside` is called every few seconds."""
    redis = doorbell.connect(redis_url)
    warn_of_eviction(redis)
    report = processes.Reporter(processes.KEEPER)
    beaten = clock.EPOCH
    while not stopping():
        try:
            with db.connected():
                ring(redis)
                if clock.now() - beaten >= BEAT_EVERY:
                    heartbeats.beat(processes.KEEPER)
                    report()
                    look_at(redis)
                    plan()
                    write_head(file)
                    tell_outside()
                    beaten = clock.now()
        except (peewee.OperationalError, db.Busy) as error:
            log.warning("database not available, trying again", error=str(error))
        time.sleep(PERIOD_S)
    report.leave()


def look_at(redis: Redis) -> None:
    """Note whether Redis answers, for people who watch: no other process but the workers would know."""
    try:
        redis.ping()
    except RedisError as error:
        heartbeats.mark_bad(heartbeats.REDIS, " ".join(str(error).split())[:200])
    else:
        heartbeats.mark_good(heartbeats.REDIS)


def warn_of_eviction(redis: Redis) -> None:
    """A Redis that throws keys away loses rings: work is late then, never lost."""
    policy = doorbell.policy(redis)
    if policy not in ("", "noeviction"):
        log.warning("Redis may throw rings away, exports will be late; set maxmemory-policy noeviction", policy=policy)


def plan() -> None:
    """Promise what recurs: each time is a unique row, so any number of keepers promise it once. Then tidy up."""
    refresh_lists.plan()
    reconcile.plan()
    recount.plan()
    spectrum_sign_in.plan_reminders()
    daily_summary.plan()
    clock_repair.put_right()
    restored.complete()
    stalled_work.tell()
    processes.forget()
    status_totals.fold()


def write_head(file: Path) -> None:
    """Once an hour, to a file and to the log: both are out of reach of a person who can change only the database."""
    try:
        written = heads.keep(file)
    except chain.Broken as fault:
        log.error("audit trail not as it was written", file=str(file), fault=str(fault))
        return
    except (OSError, heads.Unreadable) as error:
        log.error("audit head not written", file=str(file), error=str(error))
        return
    if written:
        log.info("audit head", date=written.date, seq=written.seq, hash=written.hash)


def ring(redis: Redis) -> None:
    """Ring once per queue for every lane that has due work and no one on it."""
    queues = defaultdict(list)
    for lane in outbox.lanes_with_due_work():
        queues[lane.queue].append(lane.name)
        failpoints.hit("keeper.mid_scan")
    try:
        for queue, lanes in queues.items():
            failpoints.hit("wake.before")
            doorbell.ring(redis, queue, lanes)
    except RedisError as error:
        log.warning("Redis not available, work waits in the database", error=str(error))
