"""A list as a file, as it is filtered and sorted on the page: CSV and XLSX."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from portal import clock
from portal.domain.review import lists, views
from portal.domain.review.views import View
from portal.web import downloads, formats, list_filters
from portal.web.list_filters import Invalid
from portal.web.visitors import me

bp = Blueprint("list_files", __name__)

MOST_IN_WORKBOOK = 100_000
TOO_MANY = f"A workbook takes {MOST_IN_WORKBOOK:,} change orders at most. Filter the list, or download it as CSV."
COLUMNS = (
    "CCO",
    "Revision",
    "Title",
    "Project",
    "Project name",
    "Commitment",
    "Kind",
    "Vendor",
    "Vendor code",
    "Amount",
    "Currency",
    "Status",
    "Sent by",
    "Sent",
    "Decided by",
    "Decided",
    "Spectrum number",
    "On hold until",
)


@bp.get("/change-orders.csv", defaults={"kind": "csv"})
@bp.get("/change-orders.xlsx", defaults={"kind": "xlsx"})
def download(kind: str) -> ResponseReturnValue:
    """Everything that the filter lets through, whatever the page."""
    view = asked_view()
    name = f"change-orders-{view.key}-{clock.now():%Y%m%d-%H%M%S}.{kind}"
    if kind == "csv":
        return downloads.as_csv(name, COLUMNS, (map(as_text, row) for row in rows(view)))
    if lists.matching(view, MOST_IN_WORKBOOK).count > MOST_IN_WORKBOOK:
        abort(422, TOO_MANY)
    return downloads.as_xlsx(name, COLUMNS, rows(view))


def asked_view() -> View:
    """The view as the address narrows it; 404 where that is none."""
    view = views.BY_KEY.get(request.args.get("view", "ready"))
    try:
        return list_filters.narrowed(view, request.args) if view else abort(404)
    except Invalid as error:
        abort(404, str(error))


def rows(view: View) -> Iterator[tuple[Any, ...]]:
    """A change order in each, as the reader may read it; moments are the company's, without their zone, as spreadsheets have them."""
    zone, viewer = formats.zone(), me()
    for one, number in lists.everything(view, viewer):
        commitment, job = one.commitment, one.job
        place = (job.number, job.name, commitment.number, commitment.kind, commitment.vendor_name, commitment.vendor_code)
        sent = (one.sent_by.name if one.sent_by else "", one.sent_at and one.sent_at.astimezone(zone).replace(tzinfo=None))
        decided = (one.decided_by.name if one.decided_by else "", one.decided_at and one.decided_at.astimezone(zone).replace(tzinfo=None))
        yield (one.number, one.revision, one.title, *place, one.amount, one.currency, one.label, *sent, *decided, number, one.held_until)


def as_text(cell: Any) -> Any:
    """Moments to the second; what is not there as an empty cell."""
    return "" if cell is None else f"{cell:%Y-%m-%d %H:%M:%S}" if hasattr(cell, "hour") else cell
