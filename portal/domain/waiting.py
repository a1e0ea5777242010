"""What a change order waits for while an approver has not decided it: an answer of its sender, or a day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from portal import clock
from portal.db import UtcField
from portal.domain import keys
from portal.domain.keyed import Keyed


class Waiting(Keyed):
    """Base of change orders. All of it is about the last revision.

    asked_at     when an approver last put a question to the sender
    answered_at  when that was answered
    answering_s  seconds for which earlier questions waited for their answers
    held_until   the day from which it is no longer on hold
    search_text  its number and title as searches read them (keys.searched)
    looks        why it needs a look, as far as that is kept (rules.attention); not about what an approver did, so it counts no version
    """

    asked_at = UtcField(null=True)
    answered_at = UtcField(null=True)
    answering_s = peewee.IntegerField(default=0)
    held_until = peewee.DateField(null=True)
    looks = peewee.TextField(default="")
    search_text = peewee.TextField(default="")
    title: Any
    version: Any
    sent_at: Any
    company: Any

    @property
    def is_asked(self) -> bool:
        """Whether a question has no answer yet."""
        return self.asked_at is not None and self.answered_at is None

    @property
    def is_answered(self) -> bool:
        """Whether the last question has an answer."""
        return self.answered_at is not None

    @property
    def waited(self) -> timedelta:
        """How long it has waited since it was sent."""
        return clock.now() - (self.sent_at or clock.now())

    @property
    def answering(self) -> timedelta:
        """How long it has waited for answers."""
        begun: datetime | None = self.asked_at
        last = (self.answered_at or clock.now()) - begun if begun else timedelta(0)
        return timedelta(seconds=self.answering_s) + last

    def is_on_hold(self) -> bool:
        """Whether its day has not come yet, by the calendar of the company."""
        return self.held_until is not None and today(self.company) < self.held_until

    @property
    def new_revision(self) -> dict[str, Any]:
        """What goes with the sending of a revision: it is not decided, waits for nothing yet, and is found by its own words."""
        waits_for = {"asked_at": None, "answered_at": None, "answering_s": 0, "held_until": None}
        return waits_for | {"decided_by": None, "decided_at": None, "search_text": keys.searched(f"{self.number} {self.title}")}

    def keep(self, version: int, **changes: Any) -> None:
        """Write these columns and the next version; the state stays. The caller has locked the row and compared the version."""
        type(self).update(version=version + 1, **changes).where(type(self).id == self.id, type(self).version == version).execute()
        self.__data__.update(changes)
        self.version = version + 1


def today(company: Any) -> date:
    """The day of the company's calendar. Watched: what is worked out with it holds until midnight."""
    zone = ZoneInfo(company.time_zone)
    here = clock.present().astimezone(zone).date()
    clock.changes_at(datetime.combine(here + timedelta(days=1), time(), zone).astimezone(UTC))
    return here
