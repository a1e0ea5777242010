"""Actions a person may take on a change order: the buttons of its row. Transitions check permissions again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from portal import clock
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps, side_by_side
from portal.domain import events, outbox
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action, Event
from portal.domain.exporting import exports, outdated, quiet_window, readback
from portal.domain.exporting.exports import Export
from portal.domain.exporting.readback import LOOKUP_STATES
from portal.domain.outbox import Dispatch
from portal.domain.people import User
from portal.domain.recovery import resolutions
from portal.domain.review import decisions
from portal.domain.rules import four_eyes
from portal.domain.rules.contributors import Contributors

NO_DECISION = {"recall", "look_up"}
UNDOING = {"mark_entered_manually", "unlink"}  # for administrators with the privilege
FROZEN = Statement(Shape(Export), query=Export.select)


@dataclass(frozen=True, slots=True)
class UnknownOutcome:
    """What the portal itself does about an unknown outcome. `next_look`: when it goes on; None when it waits for a person."""

    quiet_until: datetime
    said: str = ""
    next_look: datetime | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """What can be done about one change order, by this person and by the portal.

    available       out of recall, retry, review, reject, look_up, resolve, mark_entered_manually, unlink
    unknown         what the portal does about it while its outcome is unknown
    lookup_running  a person asked to look into Spectrum, and the worker has not answered yet
    last_lookup     the last answer to that
    outdated        what was accepted and is different now, in words: why a failed one is not retried
    own             the actions that only four eyes keep from this person; why_own says so
    """

    available: frozenset[str] = frozenset()
    unknown: UnknownOutcome | None = None
    lookup_running: bool = False
    last_lookup: Event | None = None
    outdated: str = ""
    own: frozenset[str] = frozenset()
    why_own: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far change orders have come on their way, where that decides what can be done.

    tried       Exports, by id: queued ones of which a line was tried, failed ones of which one is or may be in Spectrum
    outdated    of failed ones, by id, what was accepted and is different now, in words
    promised    what the portal is to do about them, by key
    looked_up   the last answers to looks into Spectrum, by id
    last_sends  when unknown Exports were last known to be busy with Spectrum
    """

    tried: set[int]
    outdated: dict[int, str]
    promised: dict[str, Dispatch]
    looked_up: dict[int, Event]
    last_sends: dict[int, datetime]


@Asks
def progress(shown: list[ChangeOrder]) -> Steps[Progress]:
    """How far these have come, in one query."""
    looked_into = [one for one in shown if one.state in LOOKUP_STATES]
    attempted, standing, *found = yield from side_by_side(
        exports.attempted.steps(_exports(shown, Status.QUEUED)),
        exports.standing.steps(_exports(shown, Status.FAILED)),
        _outdated(shown),
        outbox.promised.steps([key for one in looked_into for key in _keys(one)]),
        events.latest.steps(SUBJECT, [one.id for one in looked_into], of=(Action.LOOKED_UP,)),
        quiet_window.last_sends.steps(_exports(shown, Status.UNKNOWN)),
    )
    return Progress(attempted | standing, *found)


def of(
    shown: list[ChangeOrder],
    viewer: User,
    progress: Progress,
    said: dict[int, Event],
    contributed: dict[int, Contributors],
    approvers: Callable[[], list[User]],
) -> dict[int, Actions]:
    """The actions of each by its id.

    `said`: their last events; `contributed`: their contributors; `approvers` are asked for where someone has to be named.
    """
    changed = progress.outdated
    unknown = _unknown_outcomes(shown, progress)
    found = {}
    for one in shown:
        available = frozenset(action for action, offered in _available(one, viewer, said.get(one.id), progress.tried).items() if offered)
        available -= {"retry"} if one.id in changed else set()
        own, why_own = _kept_from(one, viewer, contributed[one.id], available, approvers)
        reading = progress.promised.get(readback.key(one.export))
        lookup_running = reading is not None and reading.finished_at is None
        look = _since(said.get(one.id), progress.looked_up.get(one.id))
        found[one.id] = Actions(available - own, unknown.get(one.id), lookup_running, look, changed.get(one.id, ""), own, why_own)
    return found


def _outdated(shown: list[ChangeOrder]) -> Steps[dict[int, str]]:
    if not (failed := _exports(shown, Status.FAILED)):
        return {}
    (found,) = yield [FROZEN.where(f"id IN {places(failed)}", failed)]
    frozen = {export.id: export for (export,) in found}
    said = {one.id: outdated.in_words(outdated.changes(one, frozen[one.export])) for one in shown if one.export in frozen}
    return {id: words for id, words in said.items() if words}


def _kept_from(
    one: ChangeOrder, viewer: User, contributed: Contributors, available: frozenset[str], approvers: Callable[[], list[User]]
) -> tuple[frozenset[str], str]:
    """Which of the actions are decisions about what the person shaped, and why they are not offered."""
    own = available - NO_DECISION
    if not own or not four_eyes.why_not(one, viewer, contributed):
        return frozenset(), ""
    undoing = own <= UNDOING
    return own, four_eyes.why_not(
        one, viewer, contributed, lambda: [person for person in approvers() if resolutions.may_undo(person) or not undoing]
    )


def _unknown_outcomes(shown: list[ChangeOrder], progress: Progress) -> dict[int, UnknownOutcome]:
    unknown = {}
    for one in shown:
        if one.state is Status.UNKNOWN and one.export:
            work = progress.promised[exports.key(one.export)]
            quiet = progress.last_sends.get(one.export, clock.EPOCH) + quiet_window.LASTS
            unknown[one.id] = UnknownOutcome(quiet, work.error, None if work.finished_at else work.due_at)
    return unknown


def _since(last: Event | None, look: Event | None) -> Event | None:
    """A look that is older than what happened last tells nothing any more."""
    return look if look and last and look.seq > last.seq else None


def _keys(one: ChangeOrder) -> list[str]:
    return [exports.key(one.export), readback.key(one.export)] if one.export else []


def _available(one: ChangeOrder, viewer: User, last: Event | None, tried: set[int]) -> dict[str, bool]:
    """What rights and state offer; four eyes are asked of all of them at once."""
    match one.state:
        case Status.QUEUED:
            return {"recall": one.export not in tried and not decisions.why_not_recall(one, viewer)}
        case Status.FAILED:
            return {
                "retry": not resolutions.why_not_retry(one, viewer, last),
                "look_up": viewer.may_support,
                "review": one.export not in tried and viewer.may_decide,
                "reject": viewer.may_decide,
                "mark_entered_manually": resolutions.may_undo(viewer),
            }
        case Status.UNKNOWN:
            return {"look_up": viewer.may_support, "resolve": viewer.may_decide}
        case Status.EXPORTED:
            return {"look_up": resolutions.may_undo(viewer), "unlink": resolutions.may_undo(viewer)}
    return {}


def _exports(shown: list[ChangeOrder], state: Status) -> list[int]:
    return [one.export for one in shown if one.state is state and one.export is not None]
