"""Change orders from a file: hand it in, look at what it would do, confirm or withdraw; and what was imported before."""

import json
import re
from decimal import Decimal
from typing import Any

from flask import Blueprint, Flask, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import url_ids
from portal.domain.imports import history, send_drafts, uploads
from portal.domain.imports.uploads import NotNow, Upload
from portal.intake import files, template
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("imports", __name__, url_prefix="/imports")
bp.record(url_ids.register)

LARGEST_REQUEST = files.LARGEST + 2_000_000  # the form around the file; a little more, to be told on the page
NO_FILE = "Choose a file first."
NO_UPLOAD = "There is no such file, or it belongs to someone else."
NOT_SEEN = "The form does not say which change orders to send. Load the page of the import again."
SEEN = re.compile(f"({url_ids.ID.pattern})-([1-9][0-9]{{0,8}})", re.ASCII)  # a change order and the version on the page
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def init_app(app: Flask) -> None:
    """Before anything reads the form: the guard against forged forms does."""
    app.before_request(make_room)
    app.add_template_filter(Decimal, "decimal")
    app.add_template_filter(history.in_words, "told_counts")


def make_room() -> None:
    """A file may be larger than any other form."""
    if request.endpoint == "imports.create":
        request.max_content_length = LARGEST_REQUEST
        if (request.content_length or 0) > LARGEST_REQUEST:
            abort(413, f"{files.TOO_LARGE} Nothing was recorded.")


@bp.get("")
def index() -> ResponseReturnValue:
    return page()


@bp.post("")
def create() -> ResponseReturnValue:
    """Take the file; the worker reads it."""
    file = request.files.get("file")
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2] if file else ""
    content = file.read(files.LARGEST + 1) if file else b""
    if not name:
        return page(NO_FILE), 422
    if len(content) > files.LARGEST:
        return page(files.TOO_LARGE), 422
    try:
        upload = uploads.receive("".join(one for one in name if one.isprintable()) or "file", content, me())
    except NotNow as error:
        return page(str(error)), 429
    return redirect(url_for(".show", id=upload.id), 303)


@bp.get("/<key:id>")
def show(id: int) -> ResponseReturnValue:
    """What the file would do, or what became of it."""
    return render_template("imports/show.html", **shown(mine(id)))


@bp.post("/<key:id>")
def send(id: int) -> ResponseReturnValue:
    """What the page offered, to accounting; the page again, with what became of each. Reloading it only repeats what was sent."""
    done = history.of_upload(mine(id).id)
    asked = [SEEN.fullmatch(text) for text in request.form.getlist("seen")]
    seen = [(int(one[1]), int(one[2])) for one in asked if one]
    if not done or not seen or len(seen) != len(asked):
        abort(400, NOT_SEEN)
    try:
        results = send_drafts.send(done.id, me(), seen)
    except ValueError as error:
        abort(400, f"{error} Load the page of the import again.")
    return render_template("imports/show.html", **shown(mine(id)), results=results)


@bp.get("/<key:id>/progress")
def progress(id: int) -> ResponseReturnValue:
    """How far it is, for the page itself."""
    if not wants_fragment():
        return redirect(url_for(".show", id=id), 303)
    found = shown(mine(id))
    said = "" if found["moving"] else f"{found['upload'].file}: {found['upload'].state}."
    return render_template("imports/_upload.html", **found, said=said)


@bp.post("/<key:id>/confirmation")
def confirm(id: int) -> ResponseReturnValue:
    return answered(id, confirmed=True)


@bp.post("/<key:id>/withdrawal")
def withdraw(id: int) -> ResponseReturnValue:
    return answered(id, confirmed=False)


@bp.get("/template.csv")
def csv_template() -> ResponseReturnValue:
    return download("change-orders.csv", template.as_csv().encode(), "text/csv")


@bp.get("/template.xlsx")
def workbook_template() -> ResponseReturnValue:
    return download("change-orders.xlsx", template.as_workbook(), WORKBOOK)


def answered(id: int, *, confirmed: bool) -> ResponseReturnValue:
    mine(id)
    try:
        upload = uploads.confirm(id, me(), request.form.getlist("ticked")) if confirmed else uploads.withdraw(id, me())
    except NotNow as error:
        flash(str(error))
        return redirect(url_for(".show", id=id), 303)
    if confirmed:
        return redirect(url_for(".show", id=id), 303)
    flash(f"{upload.file} was discarded. Nothing was imported.")
    return redirect(url_for(".index"), 303)


def mine(id: int) -> Upload:
    try:
        return uploads.find(id, me())
    except Upload.DoesNotExist:  # type: ignore[attr-defined]
        abort(404, NO_UPLOAD)


def shown(upload: Upload) -> dict[str, Any]:
    done = history.of_upload(upload.id)
    return {
        "upload": upload,
        "preview": json.loads(upload.preview or "{}"),
        "moving": upload.state in (uploads.State.READING, uploads.State.IMPORTING),
        "done": done,
        "waiting": send_drafts.waiting(done.id, me()) if done and upload.state is uploads.State.IMPORTED else None,
    }


def page(error: str = "") -> str:
    return render_template(
        "imports/index.html",
        error=error,
        may_import=uploads.may_import(me()),
        nobody=uploads.NOBODY,
        waiting=uploads.waiting(me()),
        past=history.latest(me()),
        most=history.MOST,
    )


def download(name: str, content: bytes, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
