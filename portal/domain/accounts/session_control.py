"""Ending sessions and waits: one's own, and as an administrator anyone's."""

from portal.db import transaction
from portal.domain import events, people
from portal.domain.accounts import rate_limits, sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.accounts.sessions import Session
from portal.domain.people import User

SUBJECT = "user"


class Gone(Exception):
    """The session is not there any more: it ended meanwhile, or is someone else's."""

    def __init__(self) -> None:
        super().__init__("This session had ended already.")


def end(person: User, session: int, by: User) -> Session:
    """End one session of the person. Raises NotPermitted or Gone."""
    with transaction():
        why = _why(person, by)
        found = next((one for one in sessions.live(person) if one.id == session), None)
        if found is None:
            raise Gone
        sessions.end_one(found, why)
        events.record(SUBJECT, person.id, "session ended", by, browser=found.browser, address=found.address)
        return found


def end_all(person: User, by: User, *, but: str = "") -> int:
    """End all sessions of the person but the one of the token; answers how many. Raises NotPermitted."""
    with transaction():
        why = _why(person, by)
        count = len(sessions.live(person)) - bool(but)
        sessions.end_all(person, why, but=but)
        if count:
            events.record(SUBJECT, person.id, "sessions ended", by, count=count)
        return count


def unlock(person: User, by: User | None = None) -> bool:
    """End the wait after too many tries, and forget them; answers whether there were any. Raises NotPermitted.

    `by` None is the command line.
    """
    with transaction():
        if by is not None:
            by = people.require_administrator(by, "ends other people’s sessions and waits")
        forgotten = rate_limits.unlock(person.email)
        if forgotten:
            events.record(SUBJECT, person.id, "sign-in unlocked", by)
        return bool(forgotten)


def _why(person: User, by: User) -> EndReason:
    if person.id == by.id:
        return EndReason.ELSEWHERE
    people.require_administrator(by, "ends other people’s sessions and waits")
    return EndReason.ADMINISTRATOR
