"""Promises of mail: their keys, and for how long they are kept. Mail never holds up or undoes an accounting fact."""

from datetime import date, timedelta

from portal.domain.change_orders import ChangeOrder

LEASE = timedelta(minutes=2)  # longer than the mail server's time-outs together
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (60, 120, 300, 900, 3600))
KEEPS_TRYING = timedelta(days=3)


def rejected_key(change_order: ChangeOrder, person: int) -> str:
    return f"rejected:{change_order.id}:{change_order.revision}:{person}"


def secret_expires_key(connection: int, ends_on: date, step: int, person: int) -> str:
    return f"secret-expires:{connection}:{ends_on.isoformat()}:{step}:{person}"


def four_eyes_key(seq: int, person: int) -> str:
    """`seq` is that of the event that switched it off."""
    return f"four-eyes:{seq}:{person}"


def recipient(key: str) -> int:
    """The person a promise of mail is to: the last part of every key."""
    return int(key.rpartition(":")[2])


def back_off(tries: int) -> timedelta:
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]
