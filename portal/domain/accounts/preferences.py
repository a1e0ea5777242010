"""Which mail a person wants, and whether keys press buttons. Everyone decides that for themselves, mail also by the link in one."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from itsdangerous import BadSignature, Signer

from portal.db import transaction
from portal.domain import events, people
from portal.domain.people import User


class Kind(StrEnum):
    """A kind of mail that a person can ask for and decline."""

    SUMMARY = "summary"
    FAILURES = "failures"
    RESUBMITTED = "resubmitted"

    @property
    def label(self) -> str:
        return LABELS[self]

    @property
    def asked_for(self) -> str:
        return f"{self.label} asked for"

    @property
    def declined(self) -> str:
        return f"{self.label} declined"

    @property
    def column(self) -> str:
        return f"wants_{self}"


LABELS = {
    Kind.SUMMARY: "daily summary",
    Kind.FAILURES: "mail on failed exports",
    Kind.RESUBMITTED: "mail on corrected change orders",
}


def prefer(by: User, kind: Kind, wanted: bool, **facts: Any) -> User:
    """Turn one kind of mail on or off; `facts` go into the event."""
    return _set(by, kind.column, kind.asked_for if wanted else kind.declined, wanted, facts)


def use_keys(by: User, wanted: bool) -> User:
    """Turn the keys on or off."""
    return _set(by, "uses_keys", "keys turned on" if wanted else "keys turned off", wanted, {})


def _set(by: User, column: str, action: str, wanted: bool, facts: dict[str, Any]) -> User:
    with transaction():
        by = people.as_now(by)
        if getattr(by, column) != wanted:
            User.update(**{column: wanted}).where(User.id == by.id).execute()
            setattr(by, column, wanted)
            events.record("user", by.id, action, by, **facts)
        return by


def link(keys: Sequence[str], person: User, kind: Kind) -> str:
    """The token of a link that stops this kind of mail for this person: signed, kept nowhere, good for nothing else."""
    return _signer(keys).sign(f"{kind}.{person.id}").decode()


def read(keys: Sequence[str], token: str) -> tuple[int, Kind] | None:
    """The id of the person and the kind of mail that a link is about; None for one that is not ours."""
    try:
        kind, _, person = _signer(keys).unsign(token).decode().partition(".")
        return int(person), Kind(kind)
    except (BadSignature, ValueError):
        return None


def stop(person: int, kind: Kind) -> None:
    """Decline this kind of mail by its link. A closed account gets no mail anyway."""
    found = people.by_id(person)
    if found and found.active:
        prefer(found, kind, wanted=False, road="the link in a mail")


def _signer(keys: Sequence[str]) -> Signer:
    """Signs with the first key and knows all of them, as the cookies do."""
    return Signer(list(reversed(keys)), salt=b"portal: unsubscribe, 1", digest_method=hashlib.sha256)
