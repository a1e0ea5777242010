"""Writes of another weight than others: what must not be lost, and what may as well be left out."""

import time
from collections.abc import Callable

import structlog

from portal import db
from portal.db.errors import ERRORS, Busy

PATIENCE_S = 60.0  # of a write that must not be lost
PAUSE_S = 0.5  # between its tries

log = structlog.get_logger()


def write_with_retry(write: Callable[[], object]) -> None:
    """Write what must not be lost: while the database is busy or away, try again for a minute. Raises what the last try raised."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            write()
            return
        except (Busy, *ERRORS) as error:
            if time.monotonic() >= end:
                raise
            log.warning("could not write yet, trying again", error=str(error))
        db.let_go()
        time.sleep(PAUSE_S)


def attempt(write: Callable[[], object]) -> bool:
    """Write what may as well be left out, unless someone else is writing at this moment: no one is kept waiting for it.

    False: it was left out.
    """
    try:
        with db.transaction(waits=False):
            write()
    except Busy:
        return False
    return True
