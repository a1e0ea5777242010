"""Mail that tells someone of exports that need a person: at most one an hour per person and trouble.

A trouble is a cause of failures as the page Failures groups them, or a kind: outcomes that are unknown, that differ, what waits.

The promise is made in the transaction of the trouble and kept some minutes later, so that what goes wrong together is
told together. Its text is read when it is sent; what was settled meanwhile is not told.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from portal import clock
from portal.domain import change_orders, events, outbox, people
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action
from portal.domain.exporting import failure_causes
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, DispatchOutcome, NotWanted, Task
from portal.domain.people import Level, User

UNKNOWN, DIFFERS, UNREACHABLE = "unknown", "differs", "unreachable"  # kinds beside the four classes of a failure
COLLECTED = timedelta(minutes=5)
HOUR = timedelta(hours=1)
TELL_WHY = (Action.FAILED, Action.SAID_PRESENT, Action.SAID_ABSENT, Action.LEFT_AS_WORKBOOK)  # events that end in Failed to Export
SHOWN = 25
KINDS = {
    "data": "Spectrum refused the data",
    "access": "Spectrum rejected the portal’s sign-in",
    "setup": "the settings must change",
    "temporary": "Spectrum could not be reached",
    UNKNOWN: "check Spectrum",
    DIFFERS: "Spectrum differs from what was exported",
    UNREACHABLE: "Spectrum cannot be reached; the portal sends them when it can",
}

STANDING = {UNKNOWN: "with unknown outcome", DIFFERS: "to check", UNREACHABLE: "waiting"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """What one person is told. Of `shown`, the oldest, `said` gives the reason by id; `total` is in US dollars, of all.

    kind   one of KINDS
    cause  of what failed: the one that the page shows it under
    """

    key: str
    to: User
    kind: str
    count: int
    total: Decimal
    shown: list[ChangeOrder]
    said: dict[int, str]
    cause: FailureCause | None = None

    @property
    def more(self) -> int:
        return self.count - len(self.shown)

    @property
    def standing(self) -> str:
        """How these exports stand, after their number."""
        return STANDING.get(self.kind, "failed")

    @property
    def in_words(self) -> str:
        return self.cause.title.rstrip(".") if self.cause else KINDS[self.kind]


def ring(kind: str, cause: int | None = None) -> None:
    """Enqueue the alert mail to everyone who asked for it; `cause`, by id, of a failure. Call inside the transaction of the trouble."""
    trouble = f"failed:{kind}:{cause}" if cause else f"failed:{kind}"
    for person in recipients():
        last = _last(trouble, person)
        if last is None or last.finished_at:  # else the mail that is promised tells this too
            outbox.promise(f"{trouble}:{last.id if last else 0}:{person.id}", MAIL, Task.FAILED_EXPORTS, person.id, _not_before(last))


def _last(trouble: str, person: User) -> Dispatch | None:
    """The last mail of it that the person was promised; the next one's key names it, so that two troubles at once make one mail."""
    theirs = Dispatch.task == Task.FAILED_EXPORTS, Dispatch.subject == person.id, Dispatch.key.startswith(f"{trouble}:")
    found: Dispatch | None = Dispatch.select().where(*theirs).order_by(Dispatch.id.desc()).first()
    return found


def _not_before(last: Dispatch | None) -> timedelta:
    """An hour after the last mail that went out, whichever hours of the clock they are in."""
    if last is None or last.outcome != DispatchOutcome.DONE:
        return COLLECTED
    left: timedelta = last.finished_at + HOUR - clock.now()
    return min(max(COLLECTED, left), HOUR)  # a clock that ran ahead puts nothing off


def recipients() -> list[User]:
    """Who asked for it; where no one did, the administrators, since someone has to know."""
    asked = User.active, User.wants_failures, User.level.in_((Level.STANDARD, Level.ADMIN)), User.email != ""
    return list(User.select().where(*asked).order_by(User.id)) or people.administrators()


def write(key: str, to: User) -> Alarm:
    """The promised mail as things are now. Raises NotWanted."""
    kind, *more = key.split(":")[1:-2]
    cause = failure_causes.group_of(int(more[0])) if more else None  # a mail that version 0.1 promised is of a whole class
    if not to.may_support:
        raise NotWanted("the person has no access any more")
    troubled, said = _troubled(kind, cause)
    if not troubled:
        raise NotWanted("all of it was settled meanwhile")
    total = sum((one.amount for one in troubled), Decimal("0.00"))
    return Alarm(key, to, kind, len(troubled), total, troubled[:SHOWN], said, cause)


def _troubled(kind: str, cause: FailureCause | None) -> tuple[list[ChangeOrder], dict[int, str]]:
    """The change orders that are in this trouble now, the oldest first, and why."""
    of_cause = (ChangeOrder.cause.in_(failure_causes.ids_of_group(cause.id)),) if cause else ()
    where = (*WHERE.get(kind, FAILED), *of_cause)
    found = list(change_orders.complete().where(*where).order_by(ChangeOrder.sent_at, ChangeOrder.id))
    why = REASONS.get(kind, _failures)(found, kind)
    return [one for one in found if why.get(one.id)], why


def _differences(found: list[ChangeOrder], _: str) -> dict[int, str]:
    return {one.id: one.differs for one in found}


def _promises(found: list[ChangeOrder], kind: str) -> dict[int, str]:
    """What the promises to send them say: those that wait for a person, or those that wait for Spectrum."""
    ended = Dispatch.finished_at.is_null(kind != UNKNOWN)
    said = Dispatch.select(Dispatch.subject, Dispatch.error).where(Dispatch.task == Task.EXPORT, ended)
    errors = {dispatch.subject: dispatch.error for dispatch in said.where(Dispatch.subject.in_([one.export for one in found]))}
    return {one.id: errors.get(one.export or 0, "") for one in found}


def _failures(found: list[ChangeOrder], kind: str) -> dict[int, str]:
    last = events.latest(SUBJECT, [one.id for one in found], of=TELL_WHY)
    return {id: str(event.facts.get("text", "")) for id, event in last.items() if event.facts.get("cause") == kind}


FAILED = (ChangeOrder.status == Status.FAILED,)
WHERE = {
    UNKNOWN: (ChangeOrder.status == Status.UNKNOWN,),
    UNREACHABLE: (ChangeOrder.status == Status.QUEUED,),
    DIFFERS: (ChangeOrder.status == Status.EXPORTED, ChangeOrder.differs != ""),
}
REASONS = {UNKNOWN: _promises, UNREACHABLE: _promises, DIFFERS: _differences}
