"""A keeper as a process of its own that does nothing but plan summaries; a light module, so that many start quickly."""

from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier

from portal import clock, db
from portal.domain import companies
from portal.domain.mail import daily_summary

RESTARTS = 100  # per morning, from an hour before to three hours after the summaries are due
EARLY, STEP = timedelta(hours=1), timedelta(hours=4) / RESTARTS


def keep(url: str, together: Barrier, mornings: list[tuple[int, datetime]]) -> None:
    """Start again and again, each time at once with the others and a little later; a morning is the company's hour and when that is."""
    for hour, due in mornings:
        for restart in range(RESTARTS):
            moment = due - EARLY + restart * STEP
            clock.system = lambda moment=moment: moment
            db.init(url)
            together.wait(60)
            with db.connected():
                if not restart:
                    with db.transaction():
                        companies.Company.update(summary_hour=hour).execute()
                daily_summary.plan()
