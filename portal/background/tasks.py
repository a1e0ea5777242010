"""What RQ runs: work through the due promises of one lane. Named by string, so that nothing else imports it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from flask import current_app

from portal import db, failpoints, mail
from portal.background import exports, imports
from portal.domain import letters, mail_refusals, outbox, timekeeping
from portal.domain.outbox import Dispatch, Lane, Lost, Task

BUDGET = timedelta(minutes=1)  # of one drain; the keeper rings again if more is due
LEASE = timedelta(seconds=15)

log = structlog.get_logger()


def drain(lane: str) -> None:
    """Take the lane, work through what is due for at most a minute, let go. Does nothing while another worker is on it."""
    with db.connected():
        failpoints.reach("claim.before_commit")
        timekeeping.put_right()
        claim = Lane.take(lane, LEASE)
        if claim is None:
            return
        failpoints.reach("claim.after_commit")
        work = STEPS[lane.partition(":")[0]]()
        try:
            for dispatch in outbox.due(lane, BUDGET):
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


def _mail() -> Callable[[Dispatch, int], None]:
    settings = current_app.config["SETTINGS"]
    post: dict[Task, Callable[[Any, Any], None]] = {
        Task.REJECTED: mail.rejected,
        Task.REMINDER: mail.secret_expires,
        Task.DAILY: mail.daily_summary,
        Task.FAILED_EXPORTS: mail.failed_exports,
        Task.LINK: mail.password_link,
        Task.PRIVILEGE: mail.privilege,
        Task.FOUR_EYES: mail.four_eyes_off,
        Task.CODE: mail.code_corrected,
        Task.TRIAL: mail.trial,
        Task.STANDSTILL: mail.standstill,
        Task.CLOCK: mail.clock_ahead,
        Task.AUDIT: mail.audit_in_doubt,
    }

    def step(dispatch: Dispatch, claim: int) -> None:
        letter = letters.begin(dispatch, claim)
        if letter is None:
            return
        failpoints.reach("mail.claimed")
        try:
            post[Task(dispatch.task)](settings, letter)
        except mail.RefusesUs as error:
            until = mail_refusals.refused(dispatch, str(error))
            log.warning("the mail server refuses the portal, all mail waits", error=str(error), until=until.isoformat())
        except mail.Away as error:
            letters.not_now(dispatch, str(error))
        except mail.TryLater as error:
            mail_refusals.over()
            letters.not_now(dispatch, str(error))
        except mail.Undeliverable as error:
            mail_refusals.over()
            letters.refused(dispatch, str(error))
        else:
            failpoints.reach("mail.after_dot")
            outbox.finish(dispatch)
            mail_refusals.over()

    return step


STEPS: dict[str, Callable[[], Callable[[Dispatch, int], None]]] = {"exports": _exports, "mail": _mail, "imports": _imports}
