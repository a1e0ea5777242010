"""Tell a watcher outside that exports are up, for as long as they are: mail may be what is down. It alarms when the calls stop.

A call carries nothing, follows no redirect and believes no proxy. It is made in a thread of its own, so that the keeper waits for no one.
"""

import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import structlog

from portal import clock
from portal.domain import heartbeats
from portal.domain.status import facts, verdict

EVERY_S = 60.0
PATIENCE_S = 10.0
AGENT = "cco-portal"

log = structlog.get_logger()


class Call(threading.Thread):
    """One GET. `fault` is None while it is under way, then empty where it was taken."""

    def __init__(self, url: str, authority: str) -> None:
        super().__init__(name="outside heartbeat", daemon=True)
        self.fault: str | None = None
        self._begun = clock.steady()
        self._address, self._authority = urlsplit(url), authority
        self._connection: HTTPSConnection | None = None

    def run(self) -> None:
        try:
            fault = self._get()
        except (OSError, HTTPException, ValueError) as error:
            fault = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        if self.fault is None:
            self.fault = fault

    def end(self) -> None:
        """Give up on an answer that takes too long, however it drips in."""
        if self.fault is None and clock.steady() - self._begun > PATIENCE_S:
            self.fault = f"no answer within {PATIENCE_S:.0f} seconds"
            if self._connection and self._connection.sock:
                with suppress(OSError):
                    self._connection.sock.shutdown(socket.SHUT_RDWR)

    def _get(self) -> str:
        context = ssl.create_default_context(cafile=self._authority or None)
        self._connection = HTTPSConnection(self._address.hostname or "", self._address.port, timeout=PATIENCE_S, context=context)
        query = f"?{self._address.query}" if self._address.query else ""
        try:
            self._connection.request("GET", f"{self._address.path or '/'}{query}", headers={"User-Agent": AGENT})
            status = self._connection.getresponse().status
        finally:
            self._connection.close()
        return "" if 200 <= status < 300 else f"answered {status}"


class OutsideHeartbeat:
    """Makes at most one call a minute, however often it is asked to; without an address none."""

    def __init__(self, url: str, authority: str) -> None:
        self._url, self._authority = url, authority
        self._looked = -EVERY_S
        self._call: Call | None = None

    def __call__(self) -> None:
        """Note what became of the last call and, when it is time, begin the next one. Needs a connected database."""
        if self._call:
            self._call.end()
            self._note(self._call)
        if self._call is None and clock.steady() - self._looked >= EVERY_S:
            self._looked = clock.steady()
            self._begin()

    def _begin(self) -> None:
        if not self._url:
            heartbeats.forget(heartbeats.OUTSIDE)
        elif verdict.of(facts.gather()).exports_are_up:
            self._call = Call(self._url, self._authority)
            self._call.start()

    def _note(self, call: Call) -> None:
        if call.fault is None:
            return
        if call.fault:
            log.warning("outside heartbeat not taken", fault=call.fault)
            heartbeats.mark_bad(heartbeats.OUTSIDE, call.fault)
        else:
            heartbeats.mark_good(heartbeats.OUTSIDE)
        self._call = call if call.is_alive() else None
