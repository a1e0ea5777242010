"""Promises of mail: their keys, and for how long they are kept. Mail never holds up or undoes an accounting fact."""

from datetime import timedelta

LEASE = timedelta(minutes=2)  # longer than the mail server's time-outs together
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (60, 120, 300, 900, 3600))
KEEPS_TRYING = timedelta(days=3)


def recipient(key: str) -> int:
    """The person a promise of mail is to: the last part of every key."""
    return int(key.rpartition(":")[2])


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]
