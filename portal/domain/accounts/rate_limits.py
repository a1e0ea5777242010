"""Guessing passwords is made slow, and never locks anyone out for good.

Each try is counted before the password is looked at, so that many at once gain nothing, and taken back when it was right.
What is counted, and the failure from which on there is a wait of 1, 2, 4, 8, then 15 minutes:

- one account from one address: the 5th;
- one account from all addresses: the 20th, against guessing from many places;
- one address, of IPv6 one subscriber's network, against all accounts: the 30th, against trying one password everywhere.

An address where the person has signed in within 30 days counts for the first alone: someone else's guesses from elsewhere
never shut the person out of their own desk, nor do those of a colleague behind the same gateway. An address without an
account is counted alike. A day without a failure, a right password, a new one by link, or an administrator ends a wait.

The counts are in the database: neither a restart nor a lost Redis forgets them.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import people
from portal.hashing import fingerprint

FORGOTTEN = timedelta(days=1)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=15)


class TooMany(Exception):
    """Nothing was looked at: the tries before were too many. The text says how long to wait; `seconds` too."""

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, -(-wait // timedelta(seconds=1)))
        minutes = -(-self.seconds // 60)
        super().__init__(f"Too many tries. Wait {minutes} minute{'' if minutes == 1 else 's'} or ask an administrator.")


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted under a key; from the `first` failure on there is a wait."""

    key: str
    first: int

    def wait(self, tries: int) -> timedelta:
        """After so many failures."""
        beyond = min(tries - self.first, 10)
        return min(SHORTEST * 2**beyond, LONGEST) if beyond >= 0 else timedelta(0)


class Tries(Model):
    """Failures under one key, which holds no address of anyone: only hashes.

    until  before this moment nothing more is looked at
    """

    key = peewee.CharField(max_length=140, unique=True)
    count = peewee.IntegerField()
    last_at = UtcField(index=True)
    until = UtcField()


Counted = list[tuple[str, datetime]]


def at_sign_in(email: str, address: str, *, known: bool) -> list[Count]:
    """What a try at a password counts for. `known`: the person has signed in from there before."""
    account = digest(email)
    pair = Count(f"pair:{account}:{fingerprint(address)}", 5)
    return [pair] if known else [pair, Count(f"account:{account}", 20), Count(f"address:{fingerprint(network(address))}", 30)]


def at_mail(email: str, address: str) -> list[Count]:
    """What asking for a link by mail counts for: enough for people, too little to fill someone's mailbox."""
    return [Count(f"mail:{digest(email)}", 4), Count(f"mail-from:{fingerprint(network(address))}", 20)]


def count(counts: list[Count]) -> Counted:
    """Count one try; answers what `forgive` takes back. Raises TooMany, and counts nothing, while there is a wait."""
    now, counted = clock.now(), []
    waits = Tries.select(peewee.fn.MAX(Tries.until)).where(Tries.key.in_([one.key for one in counts]), Tries.until > now).scalar()
    if waits:  # most of a flood ends here, without a write
        raise TooMany(waits - now)
    with transaction():
        Tries.delete().where(Tries.last_at < now - FORGOTTEN).execute()
        for one in sorted(counts, key=lambda one: one.key):  # always in the same order: two at once never wait for each other
            again = {Tries.count: Tries.count + 1, Tries.last_at: now}
            Tries.insert(key=one.key, count=1, last_at=now, until=clock.EPOCH).on_conflict(
                conflict_target=[Tries.key], update=again
            ).execute()
            row = Tries.get(Tries.key == one.key)
            if row.until > now:
                raise TooMany(row.until - now)
            wait = one.wait(row.count)
            until = now + wait if wait else clock.EPOCH
            Tries.update(until=until).where(Tries.id == row.id).execute()
            counted.append((one.key, until))
    return counted


def forgive(counted: Counted) -> None:
    """It was the right one: forget this account's tries from there, and this one everywhere else."""
    with transaction():
        for key, until in counted:
            if key.startswith("pair:"):
                Tries.delete().where(Tries.key == key).execute()
                continue
            Tries.update(until=clock.EPOCH).where(Tries.key == key, Tries.until == until).execute()
            Tries.update(count=Tries.count - 1).where(Tries.key == key, Tries.count > 0).execute()


def unlock(email: str) -> int:
    """Forget all tries at the account; answers of how many places. Call inside the transaction of the cause."""
    return int(Tries.delete().where(_of(email)).execute())


def waits_until(email: str) -> datetime | None:
    """The end of the longest wait at the account, wherever; None when there is none."""
    found: datetime | None = Tries.select(peewee.fn.MAX(Tries.until)).where(_of(email), Tries.until > clock.now()).scalar()
    return found


def digest(email: str) -> str:
    """Stands for an address that was typed, in keys and in the log: it may be anything, even a password in the wrong field."""
    return fingerprint(people.handle_of(email))


def network(address: str) -> str:
    """The address, of IPv6 the network of one subscriber, who has more addresses than anyone can count."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def _of(email: str) -> peewee.Expression:
    account = digest(email)
    return Tries.key.in_([f"account:{account}", f"mail:{account}"]) | Tries.key.startswith(f"pair:{account}:")
