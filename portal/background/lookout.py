"""What a worker sees to between two tasks: that someone is told when work stands still, also where the keeper or Redis is what is gone.

Then no ring reaches the mail worker, and mail stands still as well. So whichever worker sees that sends what mail is due.
"""

import structlog

from portal import clock, db
from portal.background import tasks
from portal.db.errors import ERRORS, Busy
from portal.domain.lanes import MAIL
from portal.domain.recovery import stalled_work

EVERY_S = 60.0

log = structlog.get_logger()


class Watch:
    """Looks once a minute, however often it is called."""

    def __init__(self) -> None:
        self._looked = -EVERY_S

    def __call__(self) -> None:
        if clock.steady() - self._looked >= EVERY_S:
            self._looked = clock.steady()
            look()


def look() -> None:
    """Promise the mail on what stands still; where mail itself does, send it from here."""
    try:
        with db.connected():
            stalled_work.tell()
            still = [one.lane for one in stalled_work.standstills(stalled_work.MAILED_AFTER)]
        if MAIL in still:
            log.warning("mail stands still, sending it from here")
            tasks.drain(MAIL)
    except (Busy, *ERRORS) as error:
        log.warning("database not available, looking again later", error=str(error))
