"""What the worker in the mail lane does with each promise."""

from collections.abc import Callable
from typing import Any

import structlog
from flask import current_app

from portal import failpoints, mail
from portal.domain import outbox
from portal.domain.mail import letters, refusals
from portal.domain.outbox import Dispatch, Task

log = structlog.get_logger()


def steps() -> Callable[[Dispatch, int], None]:
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
        failpoints.hit("mail.claimed")
        try:
            post[Task(dispatch.task)](settings, letter)
        except mail.RefusesUs as error:
            until = refusals.refused(dispatch, str(error))
            log.warning("the mail server refuses the portal, all mail waits", error=str(error), until=until.isoformat())
        except mail.Away as error:
            letters.not_now(dispatch, str(error))
        except mail.TryLater as error:
            refusals.over()
            letters.not_now(dispatch, str(error))
        except mail.Undeliverable as error:
            refusals.over()
            letters.refused(dispatch, str(error))
        else:
            failpoints.hit("mail.after_dot")
            outbox.finish(dispatch)
            refusals.over()

    return step
