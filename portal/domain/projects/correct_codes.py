"""The codes under which Spectrum knows a job's customer, a vendor and a subcontract, corrected by a person.

What was accepted under an old code does not go out under it (outdated). What waits is checked again; who set a code does not decide
about what is sent under it (contributing), and every administrator hears of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.db import lock, transaction
from portal.domain import events, keys, outbox, people
from portal.domain.commitments import UNDER, Commitment, Job, Vendor
from portal.domain.commitments import Kind as CommitmentKind
from portal.domain.exporting import outdated
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import NotPermitted, User
from portal.domain.rules import contributors, recheck
from portal.domain.rules.text_rules import KEY_CHARACTERS

CORRECTED = "code corrected"
LONGEST = 10
ONLY = "Only administrators and approvers correct codes. Ask an administrator."
Thing = Job | Vendor | Commitment
KIND = "kind of commitment"


class Moved(Exception):
    """Someone else changed it meanwhile; nothing was recorded. `now` is what it is."""

    def __init__(self, label: str, now: str) -> None:
        super().__init__(f"Nothing was recorded: someone else changed the {label} meanwhile. It is now {now or 'empty'}.")
        self.now = now


@dataclass(frozen=True, slots=True)
class Kind:
    """One code that can be corrected: what people call it, whose it is, and its column."""

    label: str
    of: Callable[[Commitment], Thing | None]
    field: str


KINDS = {
    "customer": Kind("customer code", lambda held: held.job, "customer"),
    "vendor_code": Kind("vendor code", lambda held: held.vendor, "code"),
    "subcontract": Kind("subcontract number", lambda held: held, "subcontract"),
}


def why_not(by: User) -> str:
    """Why this person may not correct codes, or an empty text."""
    return "" if by.may_administer or by.may_decide else ONLY


def correct(commitment: Commitment, kind: str, seen: str, typed: str, by: User, confirmed: int = 0) -> None:
    """Give one code of what the commitment's change orders are sent under another value. `seen`: what the person saw in its place.

    confirmed  of how many accepted change orders that carry the old one the person knows: they stop instead of being sent

    Raises NotPermitted, Moved, outdated.Unconfirmed, or ValueError for what is no code.
    """
    what = KINDS[kind]
    thing = what.of(commitment)
    if thing is None:
        raise ValueError("The commitment has no vendor. Choose its vendor first.")
    code = read(typed, what.label)
    with transaction():
        by = _held(by)
        thing = _locked(thing)
        old = str(getattr(thing, what.field))
        if old != seen.strip():
            raise Moved(what.label, old)
        if old == code:
            return
        if isinstance(thing, Vendor):
            _ensure_own_code(thing, code)
        under = UNDER[type(thing)] == thing
        outdated.ensure_known(outdated.code_carriers(under, what.field, old, code), confirmed)
        _write(thing, {what.field: code}, {what.field: old}, {what.field: code}, by)
    # a subcontract number is compared with those of all commitments of the job
    recheck.again(Commitment.job == commitment.job if kind == "subcontract" else under)


def give_vendor(commitment: Commitment, seen: int | None, wanted: int | None, name: str, code: str, by: User, confirmed: int = 0) -> None:
    """Another vendor for the commitment, or its first one: one that is known here, or a new one of this name and code.

    `seen`: the id of the vendor the person saw; `confirmed` as in `correct`. Raises what that raises.
    """
    with transaction():
        by = _held(by)
        commitment = _locked(commitment)
        before: Vendor | None = commitment.vendor
        if (before.id if before else None) != seen:
            raise Moved("vendor", commitment.vendor_name)
        company = commitment.job.company
        vendor = _known(company, wanted) if wanted else _new(company, name, code, by)
        if before and vendor.id == before.id:
            return
        if before:
            under = Commitment.id == commitment.id
            outdated.ensure_known(outdated.code_carriers(under, "code", str(before.code), str(vendor.code)), confirmed)
        _write(commitment, {"vendor": vendor.id}, {"vendor": _named(before)}, {"vendor": _named(vendor)}, by)
    recheck.again(Commitment.id == commitment.id)


def say_subcontract(commitment: Commitment, seen: bool, wanted: bool, by: User) -> None:
    """Whether a purchase order was entered in Spectrum as a subcontract. Raises NotPermitted or Moved."""
    with transaction():
        by = _held(by)
        commitment = _locked(commitment)
        old = bool(commitment.as_subcontract)
        if old != seen:
            raise Moved("way it was entered in Spectrum", "as a subcontract" if old else "not as a subcontract")
        if old == wanted:
            return
        _write(commitment, {"as_subcontract": wanted}, {"as_subcontract": old}, {"as_subcontract": wanted}, by)
    recheck.again(Commitment.id == commitment.id)


def give_kind(commitment: Commitment, seen: str, wanted: str, by: User) -> None:
    """Another kind for the commitment. Raises NotPermitted, Moved, or ValueError for what is no kind."""
    if wanted not in set(CommitmentKind):
        raise ValueError("Choose subcontract or purchase order.")
    with transaction():
        by = _held(by)
        commitment = _locked(commitment)
        old = str(commitment.kind)
        if old != seen:
            raise Moved(KIND, old)
        if old == wanted:
            return
        _write(commitment, {"kind": wanted}, {"kind": old}, {"kind": wanted}, by)
    recheck.again(Commitment.id == commitment.id)


def choices(commitment: Commitment) -> list[Vendor]:
    """The vendors to choose from, by name."""
    return list(Vendor.select().where(Vendor.company == commitment.job.company).order_by(Vendor.name, Vendor.code, Vendor.id))


def read(text: str, label: str) -> str:
    """A code as it is kept. Raises ValueError with the sentence to show."""
    code = keys.plain(text)
    if unseen := keys.odd(text):
        raise ValueError(f"The {label} {unseen}")
    if not 1 <= len(code) <= LONGEST or not code.isascii() or not code.isprintable() or KEY_CHARACTERS.search(code):
        raise ValueError(f"The {label} has 1 to {LONGEST} letters, digits and dashes, as in Spectrum.")
    return code


def _held(by: User) -> User:
    by = people.as_held(by)
    if why := why_not(by):
        raise NotPermitted(why)
    return by


def _locked(thing: Any) -> Any:
    """As it is now. No one accepts anything under it, or changes it, before the transaction ends; first of all locks, as at Accept."""
    model = type(thing)
    lock(model.select(model.id).where(model.id == thing.id), "FOR NO KEY UPDATE")
    return model.get_by_id(thing.id)


def _write(thing: Any, changes: dict[str, Any], old: dict[str, Any], new: dict[str, Any], by: User) -> None:
    model = type(thing)
    subject = model._meta.table_name
    model.update(**changes).where(model.id == thing.id).execute()
    contributors.record_code(UNDER[model] == thing, by)
    contributors.record_setting(subject, thing.id, changes, by)
    event = events.record(subject, thing.id, CORRECTED, by, old=old, new=new)
    for admin in people.administrators():
        outbox.promise(code_key(event.seq, admin.id), MAIL, Task.CODE, event.ref)


def _ensure_own_code(vendor: Vendor, code: str) -> None:
    """Two vendors of one code would be one vendor in Spectrum."""
    for other in Vendor.select().where(Vendor.company == vendor.company, Vendor.id != vendor.id, Vendor.code != ""):
        if keys.vendor(other.code) == keys.vendor(code):
            raise ValueError(
                f"{other.name} has the vendor code {other.code}. If it is the vendor meant, choose it as the vendor of the commitment."
            )


def _known(company: Any, id: int) -> Vendor:
    found: Vendor | None = Vendor.get_or_none(Vendor.id == id, Vendor.company == company)
    if found is None:
        raise ValueError("Choose a vendor from the list.")
    return found


def _new(company: Any, name: str, code: str, by: User) -> Vendor:
    name = keys.name(name)
    if not 1 <= len(name) <= Vendor.name.max_length or not name.isprintable():
        raise ValueError("Choose a vendor from the list, or write the name of a new one in 1 to 100 plain characters.")
    vendor = Vendor(company=company, name=name, code=read(code, "vendor code"))
    _ensure_own_code(vendor, vendor.code)
    vendor.save(force_insert=True)
    events.record("vendor", vendor.id, "created", by, name=vendor.name, code=vendor.code)
    contributors.record_setting("vendor", vendor.id, ["code"], by)
    return vendor


def _named(vendor: Vendor | None) -> str:
    return f"{vendor.name} ({vendor.code or 'no code'})" if vendor else ""


def code_key(seq: int, person: int) -> str:
    """`seq` is that of the event by which a code was corrected."""
    return f"code:{seq}:{person}"
