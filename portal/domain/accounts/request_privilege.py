"""Asking for *Can Push to Accounting*, and an administrator's answer: each in one transaction with its event and its mail."""

import peewee

from portal.db import lock, transaction
from portal.domain import events, people
from portal.domain.accounts import privilege_requests, rights
from portal.domain.accounts.privilege_requests import LONGEST_NOTE, PrivilegeRequest
from portal.domain.accounts.rights import Refused
from portal.domain.people import Level, User


class Answered(Exception):
    """Someone else answered the request meanwhile; it is as they left it."""

    def __init__(self, request: PrivilegeRequest) -> None:
        super().__init__(f"request {request.id} was answered")
        self.request = request


def ask(by: User, note: str = "") -> PrivilegeRequest:
    """Ask for the privilege. Asking again while no one has answered changes nothing. Raises NotPermitted or Refused."""
    note = _note(note)
    try:
        with transaction():
            by = people.as_held(by)
            if by.may_decide:
                raise Refused("You have ‘Can Push to Accounting’ already: reload the page to see the buttons.")
            latest = privilege_requests.latest_of(by)
            if latest and latest.is_open:
                return latest
            request = PrivilegeRequest.create(person=by, note=note)
            privilege_requests.tell(events.record(rights.SUBJECT, by.id, privilege_requests.ASKED, by, note=note))
            return request
    except peewee.IntegrityError:  # two clicks at the same moment, and the database let one through
        latest = privilege_requests.latest_of(by)
        if latest is None or not latest.is_open:
            raise
        return latest


def grant(id: int, by: User, note: str = "", *, raise_level: bool = False) -> PrivilegeRequest:
    """Grant what was asked for; with `raise_level` the level Standard too, where the person's is lower.

    Raises NotPermitted, Refused, Answered, or PrivilegeRequest.DoesNotExist. The same administrator's repeat changes nothing.
    """
    note = _note(note)
    with transaction():
        request, by = _hold(id, by, granted=True)
        if not request.is_open:
            return request
        person = request.person
        if not person.active:
            raise Refused(f"The account of {person.name} is deactivated. Reactivate it first, or decline the request.")
        if request.needs_level and not raise_level:
            raise Refused(
                f"{person.name} has level {person.level}. Can Push to Accounting needs at least Standard. Raise the level too, or decline."
            )
        if request.needs_level:
            rights.set_level(person.id, Level.STANDARD, by, note)
        rights.set_privilege(person.id, True, by, note)
        return PrivilegeRequest.get_by_id(id)


def decline(id: int, by: User, note: str = "") -> PrivilegeRequest:
    """Decline what was asked for; the person may ask again. Raises as `grant` does."""
    note = _note(note)
    with transaction():
        request, by = _hold(id, by, granted=False)
        if not request.is_open:
            return request
        privilege_requests.settle(request.person, by, granted=False, answer=note)
        privilege_requests.tell(events.record(rights.SUBJECT, request.person_id, privilege_requests.DECLINED, by, note=note))
        return PrivilegeRequest.get_by_id(id)


def _hold(id: int, by: User, *, granted: bool) -> tuple[PrivilegeRequest, User]:
    """The request as it is now, no one else answering it; open, or answered so by this very administrator. Raises Answered."""
    known: PrivilegeRequest = PrivilegeRequest.get_by_id(id)
    person = rights.changeable(known.person_id, by)
    lock(PrivilegeRequest.select(PrivilegeRequest.id).where(PrivilegeRequest.id == id))
    request: PrivilegeRequest = PrivilegeRequest.get_by_id(id)
    request.person = person
    if not request.is_open and (request.answered_by_id != by.id or request.granted != granted):
        raise Answered(request)
    return request, people.as_held(by)


def _note(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_NOTE or not text.isprintable():
        raise Refused(f"A note is one line of at most {LONGEST_NOTE} characters.")
    return text
