"""People at browsers, and the book in which every press of a button is written down: before it, and what became of it."""

import json
import re
import threading
from collections.abc import Callable
from html import unescape
from itertools import count
from pathlib import Path
from typing import Any

import requests

from portal import clock
from tests.chaos import ground

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
VERSION = re.compile(r'name="version" value="([0-9]+)"')
SEEN = re.compile(r'name="seen" value="([^"]*)"')
NUMBER = re.compile(r'name="number" value="([^"]*)"')
HTMX = {"HX-Request": "true"}
PATIENCE_S = 20.0  # for one answer; then it counts as none
AGAIN_S = 0.1
NOT_NOW = (400, 401, 503)  # an old form, an old session, a busy database: nothing was recorded, and the same press may be repeated


class Over(Exception):
    """The rehearsal ends while somebody still waits for an answer."""


class History:
    """history.jsonl: one line per fact, in the order in which they were known."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._lock, self._ids = threading.Lock(), count(1)

    def next_id(self) -> int:
        return next(self._ids)

    def note(self, id: int, event: str, **facts: Any) -> None:
        line = json.dumps({"at": clock.machine().timestamp(), "id": id, "event": event, **facts})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        self._file.close()


class Visitor:
    """A person who signs in again when the portal forgot them, and presses again until there is an answer."""

    def __init__(self, base: str, name: str, history: History, over: threading.Event) -> None:
        self.base, self.email, self.history, self.over = base, ground.address(name), history, over
        self.browser, self.token = requests.Session(), ""
        self.browser.trust_env = False

    def form(self, path: str) -> dict[str, str] | None:
        """The fields of the form behind `path`, once the portal gives a page at all; None when it says that there is no such form now."""
        while True:
            answer = self._asked(lambda: self.browser.get(self.base + path, headers=HTMX, timeout=PATIENCE_S, allow_redirects=False))
            if answer is not None and answer.status_code == 200 and (version := VERSION.search(answer.text)):
                number = NUMBER.search(answer.text)
                seen = SEEN.search(answer.text)
                found = {"number": number and number[1], "seen": seen and unescape(seen[1])}
                return {"version": version[1]} | {name: value for name, value in found.items() if value is not None}
            if answer is not None and 400 < answer.status_code < 500 and answer.status_code not in NOT_NOW:
                return None

    def look(self, path: str) -> int | None:
        """The status of a page; None where there was no answer at all, or the person has to sign in again."""
        answer = self._asked(lambda: self.browser.get(self.base + path, timeout=PATIENCE_S, allow_redirects=False))
        return None if answer is None or not self.token else answer.status_code

    def press(self, do: str, change_order: int, path: str, **fields: str) -> int:
        """The status of the first answer that says what is recorded."""
        while True:
            if not self.token:
                self.sign_in()
            status = self._press_once(do, change_order, path, fields)
            if status in NOT_NOW[:2]:
                self.token = ""
            elif status and status < 500:
                return status
            self.wait()

    def sign_in(self) -> None:
        self.browser.cookies.clear()
        while not self.token:
            page = self._asked(lambda: self.browser.get(f"{self.base}/login", timeout=PATIENCE_S), signed_in=False)
            if page is None or not (found := TOKEN.search(page.text)):
                continue
            words = {"csrf_token": found[1], "email": self.email, "password": ground.PASSWORD}
            home = self._asked(lambda words=words: self.browser.post(f"{self.base}/login", data=words, timeout=PATIENCE_S), signed_in=False)
            if home is not None and home.status_code == 200 and "/login" not in home.url and (found := TOKEN.search(home.text)):
                self.token = found[1]

    def wait(self) -> None:
        """A breath. Raises Over at the end of the rehearsal."""
        if self.over.wait(AGAIN_S):
            raise Over

    def _press_once(self, do: str, change_order: int, path: str, fields: dict[str, str]) -> int | None:
        call = self.history.next_id()
        facts = {"person": self.email, "do": do, "change_order": change_order, "version": int(fields["version"])}
        self.history.note(call, "invoke", **facts)
        data = {"csrf_token": self.token, **fields}
        try:
            answer = self.browser.post(self.base + path, data=data, headers=HTMX, timeout=PATIENCE_S, allow_redirects=False)
        except requests.RequestException as error:
            self.history.note(call, "info", **facts, status=None, said=type(error).__name__)
            return None
        status = 401 if "/login" in answer.headers.get("Location", "") else answer.status_code
        event = "ok" if status < 400 else "info" if status >= 500 and status not in NOT_NOW else "fail"
        self.history.note(call, event, **facts, status=status, said=said(answer.text) if event != "ok" else "")
        return status

    def _asked(self, ask: Callable[[], requests.Response], signed_in: bool = True) -> requests.Response | None:
        if signed_in and not self.token:
            self.sign_in()
        try:
            answer = ask()
        except requests.RequestException:
            self.wait()
            return None
        if answer.status_code == 401 or "/login" in answer.headers.get("Location", ""):
            self.token = ""
        elif answer.status_code >= 500:
            self.wait()
        return answer


def said(page: str) -> str:
    """The words of a page, for whoever reads the history."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())[:300]
