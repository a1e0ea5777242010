"""Sending what the forge makes, as one person or another, and gathering what was wrong with the answers."""

import sqlite3
import time
from collections import Counter

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from portal import db
from tests.attacks.forging import SAFE
from tests.attacks.judging import faults, state

BATCH = 40  # requests that may change something before everything is put back
MOST_TOLD = 12
FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost.evil.example"},
)


class Assault:
    """On one application and its town. `people` are the headers of everybody at a browser, `systems` those of programs."""

    def __init__(self, app, people, systems):
        self.app, self.people, self.systems = app, people, systems
        self.found, self.codes, self.slowest, self.written = {}, Counter(), (0.0, ""), 0
        self.kept, self.before = sqlite3.connect(":memory:"), state()
        db.database.connection().backup(self.kept)

    def look(self, forge, count):
        """Ask, by all sorts of people. Nothing changes by it."""
        for _ in range(count):
            self._harmless(self._by(forge.safe(), self._somebody(forge, "nobody"), forge))

    def intrude(self, forge, count):
        """Write without the right to: nobody signed in, the form of another site, no token of ours. Nothing changes, nothing is let in."""
        for _ in range(count):
            request, way = forge.unsafe(), forge.rng.choice(("nobody", "foreign", "no token"))
            who = "nobody" if way == "nobody" else forge.rng.choice(list(self.people))
            request.who, request.headers = who, self.people.get(who, {}) | request.headers  # to the interface too, in vain
            if way == "foreign":
                request.headers |= {"Host": "localhost"} | forge.rng.choice(FOREIGN)
            elif way == "no token":
                request.headers.pop("X-CSRFToken", None)
            code = self._harmless(request)
            if code < 300 and request.method.upper() not in SAFE:
                self.tell(f"let in with {way}", request)

    def write(self, forge, count):
        """Write with every right that somebody has; then put everything back."""
        for done in range(count):
            changes = db.database.connection().total_changes
            self._send(self._by(forge.unsafe(), self._somebody(forge), forge))
            self.written += db.database.connection().total_changes != changes
            if done % BATCH == BATCH - 1 or done == count - 1:
                self.kept.backup(db.database.connection())

    def _somebody(self, forge, *others):
        """Every second time one of those who may do most here."""
        return forge.rng.choice(forge.able if forge.rng.random() < 0.5 else (*self.people, *others))

    def _by(self, request, who, forge):
        """The request with the cookie and the token of a person; in the interface with the token of a system."""
        request.who = who
        mine = self.systems[forge.rng.choice(list(self.systems))] if forge.is_api and who != "nobody" else self.people.get(who, {})
        request.headers = mine | request.headers
        return request

    def _harmless(self, request):
        changes = db.database.connection().total_changes
        code = self._send(request)
        if db.database.connection().total_changes != changes and state() != self.before:
            self.tell("changed what is recorded", request)
            self.kept.backup(db.database.connection())
        return code

    def _send(self, request):
        """The status. What is wrong with the answer is kept."""
        begun = time.thread_time()
        try:
            answer = Response(*run_wsgi_app(self.app, request.environ(), buffered=True))
            seconds = time.thread_time() - begun
            self.slowest = max(self.slowest, (seconds, str(request)))
            wrong, code = faults(answer, seconds), answer.status_code
        except Exception as error:  # noqa: BLE001 -- in a test the application passes its faults on, and each is a finding
            wrong, code = [f"raised {type(error).__name__} at {where(error)}: {error!s:.100}"], 500
        self.codes[code] += 1
        for fault in wrong:
            self.tell(fault, request)
        return code

    def tell(self, fault, request):
        self.found.setdefault(fault, str(request))

    def report(self):
        """Each kind of fault once, with the first request that found it; and what took longest."""
        return "\n".join(f"{fault}\n    {request}" for fault, request in [*list(self.found.items())[:MOST_TOLD], self.slowest])


def where(error):
    trace, ours = error.__traceback__, ""
    while trace:
        name = trace.tb_frame.f_code.co_filename
        ours = f"{name.rpartition('/')[2]}:{trace.tb_lineno}" if "/portal/" in name else ours
        last, trace = f"{name.rpartition('/')[2]}:{trace.tb_lineno}", trace.tb_next
    return f"{ours} {last}"
