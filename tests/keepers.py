"""A keeper as a process of its own that does nothing but plan summaries; a light module, so that many start quickly."""

from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier

from portal import clock, db
from portal.domain import companies
from portal.domain.mail import daily_summary

EARLY, LATE = timedelta(hours=1), timedelta(hours=3)  # before and after the summaries are due


def step(restarts: int) -> timedelta:
    """What passes between two starts of a morning."""
    return (EARLY + LATE) / restarts


def keep(url: str, together: Barrier, mornings: list[tuple[int, datetime]], restarts: int) -> None:
    """Start again and again, each time at once with the others and a little later; a morning is the company's hour and when that is."""
    for hour, due in mornings:
        for restart in range(restarts):
            moment = due - EARLY + restart * step(restarts)
            clock.system = lambda moment=moment: moment
            db.init(url)
            together.wait(60)
            with db.connected():
                if not restart:
                    with db.transaction():
                        companies.Company.update(summary_hour=hour).execute()
                daily_summary.plan()
