"""The button that leaves what waits as a workbook, and the workbook."""

import io

from flask import Blueprint, abort, flash, redirect, send_file, url_for
from flask.typing import ResponseReturnValue

from portal import addin_workbook
from portal.domain.recovery import workbook
from portal.domain.recovery.workbook import Workbook
from portal.web.downloads import XLSX
from portal.web.visitors import me

bp = Blueprint("fallback", __name__, url_prefix="/exports/workbooks")


@bp.post("")
def leave() -> ResponseReturnValue:
    """Take everything that waits unsent out of the line; the workbook itself follows by its own address."""
    left = workbook.leave(me(), addin_workbook.write)
    if left is None:
        flash("There is nothing to write: no change order waits unsent.")
        return redirect(url_for("change_orders.index", view="progress"), 303)
    flash(told(left))
    return redirect(url_for(".show", name=left.name), 303)


@bp.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """The workbook, as often as it is asked for: those of its change orders that no one has dealt with since."""
    left = workbook.again(name, me(), addin_workbook.write) if workbook.NAME.fullmatch(name) else None
    if left is None:
        abort(404, "There is no such workbook, or everything in it was dealt with since.")
    return send_file(io.BytesIO(left.content), mimetype=XLSX, as_attachment=True, download_name=left.name)


def told(left: Workbook) -> str:
    count = len(left.left)
    return f"{count} change order{' is' if count == 1 else 's are'} in the workbook {left.name} and no longer in the line."
