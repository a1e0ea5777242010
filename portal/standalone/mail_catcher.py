"""A mail server for a laptop: it takes every mail, delivers none, and shows them on a web page.

Mails stay in `mails.jsonl` of the data folder, one line each, only ever appended to.
"""

import json
import os
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug.exceptions import NotFound
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from portal import clock
from portal.secret_path import Doorstep, word

HOST = "127.0.0.1"
SANDBOX = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"}
PLAIN = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff"}


class Mailbox:
    """The caught mails, oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "mails.jsonl"
        self.lock = threading.Lock()
        self.mails = [read(json.loads(line)) for line in self._whole_lines()]

    def _whole_lines(self) -> list[bytes]:
        """What was written completely; a line cut short by a crash was never acknowledged and is dropped."""
        lines = self.file.read_bytes().splitlines(keepends=True) if self.file.exists() else []
        if lines and not lines[-1].endswith(b"\n"):
            os.truncate(self.file, sum(map(len, lines[:-1])))
            lines.pop()
        return lines

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep one mail; returns when it is on disk."""
        with self.lock:
            kept = {"id": len(self.mails) + 1, "from": sender, "to": recipients, "raw": content.decode("latin-1")}
            with self.file.open("ab") as file:
                file.write(json.dumps(kept | {"caught": clock.now().isoformat()}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.mails.append(read(kept))


def read(kept: dict[str, Any]) -> dict[str, Any]:
    """A kept mail as `/mails.json` shows it; `to` and `from` are those of the envelope, `headers` what the mail says."""
    message = message_from_bytes(kept["raw"].encode("latin-1"), policy=policy.default)
    return {
        "id": kept["id"],
        "to": kept["to"],
        "from": kept["from"],
        "subject": str(message["Subject"] or ""),
        "message_id": str(message["Message-ID"] or ""),
        "date": str(message["Date"] or ""),
        "text": body(message, "plain"),
        "html": body(message, "html"),
        "headers": [[name, str(value)] for name, value in message.items()],
    }


def body(message: EmailMessage, kind: str) -> str:
    """The plain or HTML text of a mail, empty when it has none."""
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    payload = cast(bytes, part.get_payload(decode=True))
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a character set no one knows
        return payload.decode("utf-8", "replace")


class Handler:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mailbox.add(envelope.mail_from or "", list(envelope.rcpt_tos), cast(bytes, envelope.content))
        return "250 Caught"


class Pages:
    """The web side, below /WORD: `/` for people, `/mails.json` for scripts, `/mails/<id>.html` for one HTML part, locked in."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.answer(Request(environ).path)(environ, start_response)

    def answer(self, path: str) -> Response:
        mails = list(self.mailbox.mails)
        if path == "/":
            return Response(page(mails), mimetype="text/html", headers=PLAIN)
        if path == "/mails.json":
            return Response(json.dumps(mails, ensure_ascii=False), mimetype="application/json", headers=PLAIN)
        shown = {f"/mails/{mail['id']}.html": mail["html"] for mail in mails if mail["html"]}
        if path in shown:
            return Response(shown[path], mimetype="text/html", headers=PLAIN | SANDBOX)
        return Response("There is no such page.", NotFound.code, headers=PLAIN)


def page(mails: list[dict[str, Any]]) -> str:
    """All mails, the newest first, as a page without style or script."""
    articles = "".join(map(article, reversed(mails))) or "<p>Nothing was sent yet.</p>"
    title = f"Caught mail ({len(mails)})"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{articles}</html>'


def article(mail: dict[str, Any]) -> str:
    facts = {"To": ", ".join(mail["to"]), "From": mail["from"], "Date": mail["date"], "Message-ID": mail["message_id"]}
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    link = f'<p><a href="mails/{mail["id"]}.html">HTML part</a></p>' if mail["html"] else ""
    return f"<article><h2>{escape(mail['subject'])}</h2><dl>{rows}</dl><pre>{escape(mail['text'])}</pre>{link}</article><hr>"


class QuietRequests(WSGIRequestHandler):
    """A reader that polls need not fill the terminal."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def serve(smtp_port: int, http_port: int, folder: Path) -> None:
    """Take mail, and show it under the word of the folder, until the process is ended. Raises OSError when a port is taken."""
    mailbox = Mailbox(folder)
    smtp = Controller(Handler(mailbox), hostname=HOST, port=smtp_port, decode_data=False, enable_SMTPUTF8=True)
    smtp.start()
    try:
        make_server(HOST, http_port, Doorstep(Pages(mailbox), word(folder)), threaded=True, request_handler=QuietRequests).serve_forever()
    finally:
        smtp.stop()
