"""What a change order leaves in Spectrum when it goes back: the portal takes nothing out there, so a person has to say that it is gone.

What was left as a workbook may have been entered from there by someone, which the portal cannot know: a person says that as well.
"""

from portal.domain import events
from portal.domain.change_orders import SUBJECT, ChangeOrder, Status
from portal.domain.events import Action, Event
from portal.domain.exporting.exports import Export, stored, uncertain_lines
from portal.domain.rules.findings import ACCOUNTING, Finding


def of(change_order: ChangeOrder) -> list[int]:
    """The lines of a failed change order that are, or may be, in Spectrum; of one reviewed again, those whose answer came late."""
    if change_order.state not in (Status.READY, Status.FAILED):
        return []
    tried = Export.select().where(Export.change_order == change_order, Export.revision == change_order.revision)
    return sorted({line for export in tried for line in (*stored(export), *uncertain_lines(export))})


def workbook_of(failure: Event | None) -> str:
    """The workbook in which a failed change order was left, by the event that says why it failed; empty where it failed otherwise."""
    return str(failure.facts["workbook"]) if failure and failure.action == Action.LEFT_AS_WORKBOOK else ""


def against_second_entry(workbook: str, *, not_entered: bool) -> list[Finding]:
    """Nothing goes on that someone may have entered from the workbook. `not_entered`: an approver says that no one did."""
    if not workbook or not_entered:
        return []
    text = f"It was left as the workbook {workbook}, and may have been entered in Spectrum from there."
    return [Finding(25, "not_entered", text, ACCOUNTING, "Ask who has the workbook and look in Spectrum, then tick the box.")]


def said_of(workbook: str) -> dict[str, str]:
    """The fact that an event keeps of that tick: whose workbook no one entered it from."""
    return {"not_entered": workbook} if workbook else {}


def last_failure(change_order: ChangeOrder) -> Event | None:
    """The event that says why it failed; None where it has not."""
    if change_order.state is not Status.FAILED:
        return None
    failures = (event for event in reversed(events.history(SUBJECT, change_order.id)) if "cause" in event.facts)
    return next(failures, None)


def against_accept(change_order: ChangeOrder) -> list[Finding]:
    """What waits is not accepted once more beside lines of its own that reached Spectrum after all."""
    if not (left := of(change_order)):
        return []
    text = f"Line {', '.join(map(str, left))} of an earlier export of it is, or may be, in Spectrum: an answer came late."
    return [Finding(24, "lines", text, ACCOUNTING, "Look in Spectrum, remove it there, and reject this one.")]


def against_reject(left: list[int]) -> list[Finding]:
    """What stands in Spectrum would stay there unseen when the change order goes back."""
    if not left:
        return []
    named = f"Line{'' if len(left) == 1 else 's'} {', '.join(map(str, left))}"
    fix = "Remove it there and tick the box." if len(left) == 1 else "Remove them there and tick the box."
    return [Finding(4, "removed", f"{named} of it {'is' if len(left) == 1 else 'are'} in Spectrum.", ACCOUNTING, fix)]


def against_review(change_order: ChangeOrder) -> list[Finding]:
    """A second frozen copy would stand beside the first one."""
    if not (left := of(change_order)):
        return []
    one = len(left) == 1
    text = f"Line{'' if one else 's'} {', '.join(map(str, left))} of it {'is' if one else 'are'}, or may be, in Spectrum."
    fix = "Retry sends what is missing; or remove in Spectrum what is there, and reject it."
    return [Finding(24, "lines", text, ACCOUNTING, fix)]
