"""Mail that tells someone of exports that need a person: at most one an hour per cause and person.

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
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, DispatchOutcome, NotWanted, Task
from portal.domain.people import Level, User

UNKNOWN, DIFFERS, UNREACHABLE = "unknown", "differs", "unreachable"  # beside the four classes of a failure
COLLECTED = timedelta(minutes=5)
HOUR = timedelta(hours=1)
TELL_WHY = (Action.FAILED, Action.SAID_PRESENT, Action.SAID_ABSENT, Action.LEFT_AS_WORKBOOK)  # events that end in Failed to Export
SHOWN = 25
CAUSES = {
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
    """What one person is told. Of `shown`, the oldest, `said` gives the reason by id; `total` is in US dollars, of all."""

    key: str
    to: User
    cause: str
    count: int
    total: Decimal
    shown: list[ChangeOrder]
    said: dict[int, str]

    @property
    def more(self) -> int:
        return self.count - len(self.shown)

    @property
    def standing(self) -> str:
        """How these exports stand, after their number."""
        return STANDING.get(self.cause, "failed")

    @property
    def in_words(self) -> str:
        return CAUSES[self.cause]


def ring(cause: str) -> None:
    """Enqueue the alert mail to everyone who asked for it. Call inside the transaction of the failure."""
    for person in recipients():
        last = _last(cause, person)
        if last is None or last.finished_at:  # else the mail that is promised tells this too
            outbox.promise(f"failed:{cause}:{last.id if last else 0}:{person.id}", MAIL, Task.FAILED_EXPORTS, person.id, _not_before(last))


def _last(cause: str, person: User) -> Dispatch | None:
    """The last mail of this cause that the person was promised; the next one's key names it, so that two troubles at once make one mail."""
    theirs = Dispatch.task == Task.FAILED_EXPORTS, Dispatch.subject == person.id, Dispatch.key.startswith(f"failed:{cause}:")
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
    cause = key.split(":")[1]
    if not to.may_support:
        raise NotWanted("the person has no access any more")
    troubled, said = _troubled(cause)
    if not troubled:
        raise NotWanted("all of it was settled meanwhile")
    total = sum((one.amount for one in troubled), Decimal("0.00"))
    return Alarm(key, to, cause, len(troubled), total, troubled[:SHOWN], said)


def _troubled(cause: str) -> tuple[list[ChangeOrder], dict[int, str]]:
    """The change orders that are in this trouble now, the oldest first, and why."""
    found = list(change_orders.complete().where(*WHERE.get(cause, FAILED)).order_by(ChangeOrder.sent_at, ChangeOrder.id))
    why = REASONS.get(cause, _failures)(found, cause)
    return [one for one in found if why.get(one.id)], why


def _differences(found: list[ChangeOrder], _: str) -> dict[int, str]:
    return {one.id: one.differs for one in found}


def _promises(found: list[ChangeOrder], cause: str) -> dict[int, str]:
    """What the promises to send them say: those that wait for a person, or those that wait for Spectrum."""
    ended = Dispatch.finished_at.is_null(cause != UNKNOWN)
    said = Dispatch.select(Dispatch.subject, Dispatch.error).where(Dispatch.task == Task.EXPORT, ended)
    errors = {dispatch.subject: dispatch.error for dispatch in said.where(Dispatch.subject.in_([one.export for one in found]))}
    return {one.id: errors.get(one.export or 0, "") for one in found}


def _failures(found: list[ChangeOrder], cause: str) -> dict[int, str]:
    last = events.latest(SUBJECT, [one.id for one in found], of=TELL_WHY)
    return {id: str(event.facts.get("text", "")) for id, event in last.items() if event.facts.get("cause") == cause}


FAILED = (ChangeOrder.status == Status.FAILED,)
WHERE = {
    UNKNOWN: (ChangeOrder.status == Status.UNKNOWN,),
    UNREACHABLE: (ChangeOrder.status == Status.QUEUED,),
    DIFFERS: (ChangeOrder.status == Status.EXPORTED, ChangeOrder.differs != ""),
}
REASONS = {UNKNOWN: _promises, UNREACHABLE: _promises, DIFFERS: _differences}
