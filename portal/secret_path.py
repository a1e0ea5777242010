"""The doorstep of a stand-in: it answers who knows its address, a random word and all, under its own name.

A stand-in listens on this machine, where each web page someone looks at can reach it. The word keeps out what does not know it,
and a page that has its own name lead to this machine (DNS rebinding) asks for another host than ours.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
MISDIRECTED = 421


def word(folder: Path) -> str:
    """The word in the address of the stand-in whose data are in `folder`, made the first time, so that links stay good."""
    file = folder / "word"
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / "word.new"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(12), encoding="ascii")
        draft.replace(file)  # whole or not at all
        return word(folder)


class Doorstep:
    """Lets requests for /WORD/... of this machine into the application behind it."""

    def __init__(self, app: Callable[[dict[str, Any], Any], Iterable[bytes]], word: str) -> None:
        self.app, self.root = app, f"/{word}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        root, path = self.root, environ.get("PATH_INFO", "")
        if not HERE.fullmatch(environ.get("HTTP_HOST", "")):
            return Response("Another host is asked for than this one.", MISDIRECTED)(environ, start_response)
        if path == root:
            return Response("", 308, headers={"Location": f"{root}/"})(environ, start_response)
        if not path.startswith(f"{root}/"):
            return NotFound()(environ, start_response)
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = environ.get("SCRIPT_NAME", "") + root, path.removeprefix(root)
        return self.app(environ, start_response)
