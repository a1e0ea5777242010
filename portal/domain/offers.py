"""Which ways on a change order in trouble offers to one person: the buttons of its row. The transitions ask again for themselves."""

from dataclasses import dataclass
from datetime import datetime

from portal import clock
from portal.domain import deciding, exports, resolving
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.events import Event
from portal.domain.people import User


@dataclass(frozen=True, slots=True)
class Offers:
    """`ways` out of recall, retry, reject, resolve, by_hand, unlink. `quiet_until`: while an outcome is unknown, when its window ends."""

    ways: frozenset[str] = frozenset()
    quiet_until: datetime | None = None


NONE = Offers()


def of(shown: list[ChangeOrder], viewer: User, said: dict[int, Event], hands: dict[int, set[int]]) -> dict[int, Offers]:
    """The offers of each change order by its id, in at most two queries. `said` are their last events, `hands` who worked on them."""
    attempted = exports.attempted(_exports(shown, Status.QUEUED))
    sends = exports.last_sends(_exports(shown, Status.UNKNOWN))
    found = {}
    for one in shown:
        ways = {way for way, offered in _ways(one, viewer, said.get(one.id), hands[one.id], attempted).items() if offered}
        quiet = sends.get(one.export or 0, clock.EPOCH) + exports.QUIET if one.state is Status.UNKNOWN else None
        found[one.id] = Offers(frozenset(ways), quiet) if ways or quiet else NONE
    return found


def _ways(one: ChangeOrder, viewer: User, last: Event | None, hands: set[int], attempted: set[int]) -> dict[str, bool]:
    match one.state:
        case Status.QUEUED:
            return {"recall": one.export not in attempted and not deciding.why_not_recall(one, viewer)}
        case Status.FAILED:
            return {
                "retry": not resolving.why_not_retry(one, viewer, resolving.cause_of(last)),
                "reject": not deciding.why_not(one, viewer, hands),
                "by_hand": resolving.may_undo(viewer),
            }
        case Status.UNKNOWN:
            return {"resolve": viewer.may_decide}
        case Status.EXPORTED:
            return {"unlink": resolving.may_undo(viewer)}
    return {}


def _exports(shown: list[ChangeOrder], state: Status) -> list[int]:
    return [one.export for one in shown if one.state is state and one.export is not None]
