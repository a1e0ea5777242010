"""The Views menu: which states each view shows, and in which order."""

from dataclasses import dataclass, field

from portal.domain.change_orders import Status
from portal.domain.review.filters import Filter
from portal.domain.statuses import SENT_IN


@dataclass(frozen=True, slots=True)
class View:
    """One entry of the Views menu, as it is asked for.

    newest_first  for what is at rest; what waits is listed oldest first
    sort          another order (paging.SORTS), or an empty text
    sections      what needs a look stands above what is clean, where that is told apart
    """

    key: str
    label: str
    heading: str
    statuses: tuple[Status, ...]
    empty: str
    newest_first: bool = False
    filter: Filter = field(default_factory=Filter)
    sort: str = ""
    sections: bool = True

    @property
    def condition(self) -> str:
        """What a change order in it fulfills, as an index has it; besides the filter."""
        return SENT_IN.get(self.key, f"status = '{self.statuses[0]}' AND sent_at IS NOT NULL")

    @property
    def order(self) -> str:
        """How it is sorted, by the key of paging.SORTS."""
        return self.sort or ("newest" if self.newest_first else "oldest")

    @property
    def is_filtered(self) -> bool:
        return self.filter != Filter()


SENT = tuple(status for status in Status if status not in (Status.DRAFT, Status.VOID))
VIEWS = (
    View(
        "ready",
        "Ready to Export",
        "Change Orders - Ready to be Exported to Spectrum",
        (Status.READY,),
        "Nothing is waiting. Change orders appear here when a project team sends them for accounting acceptance.",
    ),
    View("progress", "In progress", "In progress", (Status.QUEUED, Status.EXPORTING), "Nothing is on its way to Spectrum."),
    View("failed", "Failed to Export", "Failed to Export", (Status.FAILED, Status.UNKNOWN), "No failed exports."),
    View("exported", "Exported", "Exported", (Status.EXPORTED,), "Nothing has been exported yet.", newest_first=True),
    View("returned", "Sent back", "Sent back", (Status.REJECTED, Status.RETRIEVED), "Nothing was sent back.", newest_first=True),
    View("all", "All", "All change orders", SENT, "No change orders have arrived yet.", newest_first=True),
)
BY_KEY = {view.key: view for view in VIEWS}
