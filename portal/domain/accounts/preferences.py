"""Which mail a person wants. Everyone decides that for themselves."""

from portal.db import transaction
from portal.domain import events, people
from portal.domain.people import User


def set_summary(by: User, wanted: bool) -> User:
    """Turn the daily summary on or off."""
    return _set(by, "wants_summary", "daily summary asked for" if wanted else "daily summary declined", wanted)


def set_failure_mail(by: User, wanted: bool) -> User:
    """Turn mail on failed exports on or off."""
    return _set(by, "wants_failures", "mail on failed exports asked for" if wanted else "mail on failed exports declined", wanted)


def _set(by: User, column: str, action: str, wanted: bool) -> User:
    with transaction():
        by = people.as_now(by)
        if getattr(by, column) != wanted:
            User.update(**{column: wanted}).where(User.id == by.id).execute()
            setattr(by, column, wanted)
            events.record("user", by.id, action, by)
        return by
