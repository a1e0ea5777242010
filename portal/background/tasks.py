"""What RQ runs: work through the due promises of one lane. Named by string, so that nothing else imports it."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from flask import current_app
from structlog.contextvars import bound_contextvars

from portal import db, failpoints
from portal.background import exports, imports, mail
from portal.domain import outbox
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import clock_repair, restored

BUDGET = timedelta(minutes=1)  # of one drain; the keeper rings again if more is due
LEASE = timedelta(seconds=15)

log = structlog.get_logger()


def drain(lane: str) -> None:
    """Take the lane, work through what is due for at most a minute, let go. Does nothing while another worker is on it."""
    with db.connected():
        failpoints.hit("claim.before_commit")
        clock_repair.put_right()
        restored.complete()
        claim = Lane.take(lane, LEASE)
        if claim is None:
            return
        failpoints.hit("claim.after_commit")
        work = STEPS[lane.partition(":")[0]]()
        try:
            for dispatch in outbox.due(lane, BUDGET):
                with bound_contextvars(lane=lane, claim=claim, task=dispatch.task, dispatch=dispatch.id):
                    work(dispatch, claim)
        except Lost:
            log.warning("lane taken over", lane=lane, claim=claim)
        except Exception:
            Lane.release(lane, claim)  # the promise stands, and no call is under way any more: others need not wait for the lease
            raise
        else:
            Lane.release(lane, claim)


def _exports() -> Callable[[Dispatch, int], None]:
    steps = exports.steps(current_app.config["SETTINGS"])
    return lambda dispatch, claim: steps[Task(dispatch.task)](dispatch, claim)


def _imports() -> Callable[[Dispatch, int], None]:
    steps = imports.steps()
    return lambda dispatch, claim: steps[Task(dispatch.task)](dispatch, claim)


STEPS: dict[str, Callable[[], Callable[[Dispatch, int], None]]] = {"exports": _exports, "mail": mail.steps, "imports": _imports}
