"""What surrounds every answer: the company in whose zone times are shown, the counts of all views, and what the notices tell."""

from dataclasses import dataclass

from portal.db.steps import Asks, Steps, side_by_side
from portal.domain import companies, heartbeats, lanes
from portal.domain.accounts import privilege_requests
from portal.domain.companies import Company
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import Lane
from portal.domain.mail import undelivered
from portal.domain.recovery import stalled_work
from portal.domain.recovery.stalled_work import Due
from portal.domain.review import lists
from portal.domain.status_totals import Totals
from portal.web import memory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """As the database has it.

    company   to be read, not to be changed
    totals    counts and sums of all views, by key
    stopped   lanes that are paused or refused, by name
    due       the oldest unfinished promise of each lane
    troubles  how many mails failed or are late
    requests  how many requests for the privilege no one has answered
    """

    company: Company
    totals: dict[str, Totals]
    stopped: dict[str, Lane]
    due: list[Due]
    signs: dict[str, Heartbeat]
    troubles: int
    requests: int


@Asks
def read() -> Steps[Surroundings]:
    """In one query."""
    return Surroundings(
        *(
            yield from side_by_side(
                companies.current.steps(),
                lists.totals.steps(),
                lanes.stopped.steps(),
                stalled_work.oldest_due.steps(),
                heartbeats.signs.steps(),
                undelivered.count.steps(),
                privilege_requests.count.steps(),
            )
        )
    )


def now() -> Surroundings:
    """Asked for once per answer, and only where a template shows them."""
    return memory.remembered("surroundings", read)
