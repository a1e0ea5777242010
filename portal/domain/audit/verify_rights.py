"""Rights as they are, beside the last events that tell of them: a right that no event gave was written around the portal."""

from typing import Any

from portal.domain import events
from portal.domain.accounts import privilege_requests, rights
from portal.domain.events import Event
from portal.domain.people import User

# of each right: the fact of the event that made the account, and the later events whose `new` is its value
RIGHTS = {
    "level": ("level", (rights.LEVEL,)),
    "can_push": ("can_push", (privilege_requests.GRANTED, privilege_requests.REMOVED)),
    "active": ("", (rights.OPENED, rights.CLOSED)),
}
MOST_NAMED = 20
CALLED = {"level": "level", "can_push": "Can Push to Accounting", "active": "account open"}


def differences() -> list[str]:
    """A sentence for each right that is another than its last event says; people without an event of their making are left out."""
    people = {user.id: user for user in User.select().order_by(User.id)}
    made = events.latest(rights.SUBJECT, people, of=(rights.CREATED,))
    found = []
    for right, (fact, actions) in RIGHTS.items():
        last = events.latest(rights.SUBJECT, people, of=actions)
        for id in made:
            told: Any = last[id].facts["new"] if id in last else made[id].facts[fact] if fact else True
            if getattr(people[id], right) != told:
                found.append(_sentence(people[id], right, told))
    return found


def unvouched() -> list[str]:
    """A sentence that names the accounts of which no event tells how they were made, if there are any."""
    made = Event.select(Event.ref).where(Event.subject == rights.SUBJECT, Event.action == rights.CREATED)
    without = [user.email for user in User.select(User.email).where(User.id.not_in(made)).order_by(User.id)]
    if not without:
        return []
    more = f" and {len(without) - MOST_NAMED:,} more" if len(without) > MOST_NAMED else ""
    return [f"Not vouched for: the rights of accounts without an event of their making: {', '.join(without[:MOST_NAMED])}{more}."]


def _sentence(user: User, right: str, told: Any) -> str:
    here = getattr(user, right)
    return f"{user.email}: {CALLED[right]} is {_said(here)}, but the last event says {_said(told)}. It was changed around the portal."


def _said(value: Any) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
