"""What the worker in the mail lane does with each promise."""

from collections.abc import Callable

import structlog
from flask import current_app

from portal import failpoints, mail, messages
from portal.domain import outbox
from portal.domain.mail import letters, refusals
from portal.domain.outbox import Dispatch, Task

log = structlog.get_logger()


def steps() -> Callable[[Dispatch, int], None]:
    settings = current_app.config["SETTINGS"]

    def step(dispatch: Dispatch, claim: int) -> None:
        letter = letters.begin(dispatch, claim)
        if letter is None:
            return
        failpoints.hit("mail.claimed")
        try:
            mail.send(settings, messages.COMPOSE[Task(dispatch.task)](settings, letter))
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
