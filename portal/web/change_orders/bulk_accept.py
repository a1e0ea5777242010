"""Accept many clean change orders at once: the sheet that is read first, and Export."""

import re
from typing import Any

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from portal.db import cents
from portal.domain import companies
from portal.domain.people import NotPermitted
from portal.domain.review import bulk_accept
from portal.domain.review.bulk_accept import Seen
from portal.domain.review.bulk_actions import MOST, Chosen
from portal.web.change_orders.bulk_actions import matched_rows, recorded, seen_key
from portal.web.change_orders.selection import chosen
from portal.web.visitors import me

bp = Blueprint("accepting", __name__, url_prefix="/change-orders/acceptances")

ROW = re.compile("([1-9][0-9]{0,17})-([0-9]{1,9})-(-?[0-9]{1,15})-([0-9a-f]{64})", re.ASCII)


@bp.get("")
def sheet() -> ResponseReturnValue:
    """What would be accepted, and what can't go."""
    return page_of()


@bp.post("")
def accept() -> ResponseReturnValue:
    """Export each that is still what the sheet showed; the record says what became of each."""
    rows, seen = seen_sheet()
    try:
        action = bulk_accept.accept(rows, seen, me(), seen_key())
    except NotPermitted as error:
        return page_of(403, error=str(error))
    return recorded(action)


def page_of(status: int = 200, **shown: Any) -> ResponseReturnValue:
    """What was ticked, or the page of the list."""
    page = {"sheet": bulk_accept.sheet(chosen()), "reads_all": companies.current().bulk_read_all, **shown}
    return make_response(render_template("change_orders/acceptances.html", **page), status)


def seen_sheet() -> tuple[list[Chosen], dict[int, Seen]]:
    """The change orders that the sheet showed, in their order, and what it showed of each."""
    read = matched_rows(ROW, MOST)
    return [Chosen(int(row[1]), int(row[2])) for row in read], {int(row[1]): Seen(row[4], cents(int(row[3]))) for row in read}
