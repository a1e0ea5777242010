"""A test mail to oneself: whether the mail server takes mail and it arrives. One promise per person, renewed at each press."""

from dataclasses import dataclass
from datetime import datetime

from portal.db import transaction
from portal.domain import companies, events, outbox, people
from portal.domain.lanes import MAIL
from portal.domain.mail import refusals
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import User


@dataclass(frozen=True, slots=True)
class Trial:
    """What a test mail says. `key` is another one for each press, so that no mailbox takes two for copies of one."""

    key: str
    to: User
    asked_at: datetime


def ask(by: User) -> None:
    """Promise a test mail to who asks; one that is on its way is only due now. Raises NotPermitted."""
    with transaction():
        by = people.require_administrator(by, "sends test mail")
        refusals.try_now()
        outbox.promise_again(_key(by), MAIL, Task.TRIAL, by.id)
        events.record("company", companies.current().id, "test mail asked for", by)


def latest(to: User) -> Dispatch | None:
    """The person's last test mail, sent or not."""
    found: Dispatch | None = Dispatch.get_or_none(Dispatch.key == _key(to))
    return found


def write(key: str, to: User) -> Trial:
    asked_at: datetime = Dispatch.get(Dispatch.key == key).promised_at
    return Trial(f"{key}:{asked_at.isoformat()}", to, asked_at)


def _key(person: User) -> str:
    return f"trial:{person.id}"
