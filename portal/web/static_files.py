"""The files that browsers keep. Each is compressed when the process starts, and its address carries a digest of its content, so that a new
one is a new address."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request, session

from portal.web.compression import ENCODINGS, accepted

ONE_YEAR = "public, max-age=31536000, immutable"
# What may be asked for: its type, and the files it is made of. The scripts are one request, and listen before htmx begins.
FILES = {
    "icons.svg": ("image/svg+xml", ("icons.svg",)),
    "portal.css": ("text/css; charset=utf-8", ("portal.css",)),
    "scripts.js": (
        "text/javascript; charset=utf-8",
        ("portal.js", "line_editor.js", "draft_recovery.js", "review_sheet.js", "selection.js", "keys.js", "vendor/htmx.min.js"),
    ),
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file in all the encodings in which it can be sent; `None` is the file as it is."""

    content_type: str
    digest: str
    encoded: dict[str | None, bytes]


def init_app(app: Flask) -> None:
    files = load(Path(str(app.static_folder)))

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("v", files[values["filename"]].digest)

    def send(filename: str) -> Response:
        return respond(files.get(filename) or abort(404))

    app.view_functions["static"] = send
    app.after_request(keep_for_all_sessions)  # registered before Flask-Login, so called after it


@cache
def load(folder: Path) -> dict[str, StaticFile]:
    return {name: _static_file(kind, [folder / part for part in parts]) for name, (kind, parts) in FILES.items()}


def _static_file(content_type: str, parts: list[Path]) -> StaticFile:
    content = b"\n".join(part.read_bytes() for part in parts)
    encoded: dict[str | None, bytes] = {name: encoding.small(content) for name, encoding in ENCODINGS.items()}
    return StaticFile(content_type, hashlib.sha256(content).hexdigest()[:12], encoded | {None: content})


def respond(file: StaticFile) -> Response:
    """The file in the best encoding that the browser reads; 304 for a browser that has it."""
    encoding = accepted()
    response = Response(file.encoded[encoding], content_type=file.content_type)
    # While two versions run, a page of one may ask the other: what has another digest is not kept under this address.
    response.headers["Cache-Control"] = ONE_YEAR if request.args.get("v") == file.digest else "no-store"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(f"{file.digest}-{encoding or 'plain'}")
    response.make_conditional(request)
    return response


def keep_for_all_sessions(response: Response) -> Response:
    """Flask-Login has looked into the session, for which Flask would say `Vary: Cookie`, and each sign-in would fetch the files again."""
    if request.endpoint == "static":
        session.accessed = False
    return response
