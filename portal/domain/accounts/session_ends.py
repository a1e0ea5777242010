"""What ends a session, and what its person is told."""

from enum import StrEnum

MOST = 3  # sessions of one person at a time


class EndReason(StrEnum):
    """What ended a session before its time."""

    SIGNED_OUT = "signed out"
    ELSEWHERE = "ended elsewhere"  # by its own person, from another session
    FOURTH = "fourth sign-in"
    ADMINISTRATOR = "administrator"
    PASSWORD = "new password"  # noqa: S105 -- a reason
    CLOSED = "account closed"
    RESTORED = "database restored"


MESSAGES = {  # to the person who finds the session over; who ended it themselves knows
    EndReason.ELSEWHERE: "This session was ended from another one of yours. Sign in to continue where you were.",
    EndReason.FOURTH: f"You were signed out here because you signed in elsewhere: a person has at most {MOST} sessions. "
    "If that was not you, choose a new password and tell an administrator.",
    EndReason.ADMINISTRATOR: "An administrator ended this session. Sign in to continue where you were.",
    EndReason.PASSWORD: "Your password was changed, which ended this session: sign in with the new one. "
    "If that was not you, tell an administrator.",
    EndReason.RESTORED: "The portal was restored from a backup, which ended all sessions. Sign in, and look at what you did last: "
    "it may be missing.",
}
