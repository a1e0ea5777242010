"""What a change order leaves in Spectrum when it goes back: the portal takes nothing out there, so a person has to say that it is gone."""

from portal.domain import checks
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.checks import Finding
from portal.domain.exports import Export, doubtful, stored


def of(change_order: ChangeOrder) -> list[int]:
    """The lines of a failed change order that are, or may be, in Spectrum; of one reviewed again, those whose answer came late."""
    if change_order.state not in (Status.READY, Status.FAILED):
        return []
    tried = Export.select().where(Export.change_order == change_order, Export.revision == change_order.revision)
    return sorted({line for export in tried for line in (*stored(export), *doubtful(export))})


def against_accept(change_order: ChangeOrder) -> list[Finding]:
    """What waits is not accepted once more beside lines of its own that reached Spectrum after all."""
    if not (left := of(change_order)):
        return []
    text = f"Line {', '.join(map(str, left))} of an earlier export of it is, or may be, in Spectrum: an answer came late."
    return [Finding(24, "lines", text, checks.ACCOUNTING, "Look in Spectrum, remove it there, and reject this one.")]


def against_reject(left: list[int]) -> list[Finding]:
    """What stands in Spectrum would stay there unseen when the change order goes back."""
    if not left:
        return []
    named = f"Line{'' if len(left) == 1 else 's'} {', '.join(map(str, left))}"
    fix = "Remove it there and tick the box." if len(left) == 1 else "Remove them there and tick the box."
    return [Finding(4, "removed", f"{named} of it {'is' if len(left) == 1 else 'are'} in Spectrum.", checks.ACCOUNTING, fix)]


def against_review(change_order: ChangeOrder) -> list[Finding]:
    """A second copy, frozen anew, would stand beside the first one."""
    if not (left := of(change_order)):
        return []
    one = len(left) == 1
    text = f"Line{'' if one else 's'} {', '.join(map(str, left))} of it {'is' if one else 'are'}, or may be, in Spectrum."
    fix = "Retry sends what is missing; or remove in Spectrum what is there, and reject it."
    return [Finding(24, "lines", text, checks.ACCOUNTING, fix)]
