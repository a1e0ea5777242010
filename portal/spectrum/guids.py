"""The session label (GUID) of a group of records [D1]. It protects from nothing: a repeated one does not mark a duplicate."""

from datetime import datetime, timedelta

#: Unused for 24 hours a label has timed out [D1]; an hour is left for clocks that differ.
LIFE = timedelta(hours=23)


def guid_may_be_kept(last_used: datetime, now: datetime) -> bool:
    """Whether the next call of a group may carry the group's label; else take a new one. A clock that went back decides for a new one."""
    return timedelta(0) <= now - last_used < LIFE
