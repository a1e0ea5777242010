"""What is ticked in a list: the rows that a request names, or the whole page of the list that it came from."""

import re

from flask import abort, request

from portal.domain.review import lists, selection, views
from portal.domain.review.bulk_actions import MOST
from portal.domain.review.lists import Row
from portal.web import return_to
from portal.web.visitors import me

ROW = re.compile("([1-9][0-9]{0,17})(-[0-9a-f-]+)?", re.ASCII)  # a tick; a form says behind the id what it showed
BAD_ROWS = f"The address does not say which change orders are meant, or names more than {MOST}. Tick them in the list again."


def chosen() -> list[Row]:
    """As they are now, oldest first."""
    if "all" in request.values:
        return page_of_list()
    named = [ROW.fullmatch(row) for row in request.values.getlist("row")]
    ids = {int(row[1]) for row in named if row}
    return selection.rows(ids, me()) if len(ids) == len(named) <= MOST else abort(400, BAD_ROWS)


def page_of_list() -> list[Row]:
    """The rows of the page that the person came from."""
    place = return_to.current()
    view, after = (place.view, place.query.get("after", "")) if place else (None, "")
    try:
        return lists.page(view or views.BY_KEY["ready"], me(), after).rows
    except ValueError as error:
        abort(404, str(error))
