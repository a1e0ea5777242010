"""One HTTP exchange, and the knowledge whether a byte of it has left this machine.

A general client cannot say that: it retries, follows redirects and applies its time-out to each read, so that an answer that drips
never ends. Here every exchange has a fresh connection, one deadline in all, no redirect, no retry, no proxy from the environment.
"""

import http.client
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

from portal import failpoints
from portal.spectrum import catalogue
from portal.spectrum.outcomes import NotSent, OutcomeUnknown, SpectrumError

ANSWER_LIMIT = 5 * 1024 * 1024  # bytes
NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


class Deadline:
    """The moment by which a call must be over, however many steps it has."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.until = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: any status, any body within the limit."""

    status: int
    body: bytes
    encoding: str = ""


class Watch:
    """Watches one connection: notes when its first byte leaves, and cuts it at the deadline whatever it is doing then."""

    def __init__(self, deadline: Deadline) -> None:
        self.sent = False
        self.expired = False
        self.broken_pipe = False
        self._deadline = deadline
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(deadline.left(), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        if self._socket:
            self._socket.close()

    @property
    def reached(self) -> bool:
        """Whether a connection was made, with or without a handshake on it."""
        return self._socket is not None

    def connected(self, connection: socket.socket) -> None:
        self._socket = connection.dup()  # a handle of our own: TLS takes the first one over

    def about_to_send(self) -> None:
        """Called before each piece goes out. From here on no one can prove that nothing arrived."""
        if self.expired or not self._deadline.left():
            raise TimeoutError("the deadline passed")
        self.sent = True

    def _cut(self) -> None:
        self.expired = True
        if self._socket:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was closed already


class _Watched:
    """Mixed into a urllib3 connection: tells the watch about its socket and its first byte."""

    watch: Watch
    sock: socket.socket | None

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.watch.connected(connection)
        failpoints.hit("send.connected")
        return connection

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        is_body = self.watch.sent  # the headers go first
        if is_body:
            failpoints.hit("send.half_body")
        self.watch.about_to_send()
        try:
            super().send(data)  # type: ignore[misc]
        except OSError:
            self.watch.broken_pipe = True  # urllib3 passes over a broken pipe and reads on: an answer to half a request is none
            raise
        if is_body:
            failpoints.hit("send.body_sent")


class _Adapter(HTTPAdapter):
    def __init__(self, watch: Watch) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self.watch = watch

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("Watched", (_Watched, pool.ConnectionCls), {"watch": self.watch})
        return pool


class Http:
    """Sends one request and reads one answer. Raises NotSent before the first byte has left, OutcomeUnknown after it."""

    def __init__(self, connect_s: float, ca_bundle: str = "") -> None:
        self.connect_s = connect_s
        self.verify: str | bool = ca_bundle or True

    def get(self, url: str, deadline: Deadline, headers: dict[str, str] | None = None) -> Reply:
        return self._exchange("GET", url, deadline, None, headers or {})

    def post(self, url: str, body: bytes, headers: dict[str, str], deadline: Deadline) -> Reply:
        return self._exchange("POST", url, deadline, body, headers)

    def _exchange(self, method: str, url: str, deadline: Deadline, body: bytes | None, headers: dict[str, str]) -> Reply:
        with Watch(deadline) as watch, requests.Session() as session:
            session.trust_env = False
            session.adapters.clear()  # also takes away any adapter for file://
            session.mount("https://", _Adapter(watch))
            session.mount("http://", _Adapter(watch))
            try:
                response = session.request(
                    method,
                    url,
                    data=body,
                    headers={"User-Agent": "CCO-Portal", "Accept-Encoding": "identity", "Connection": "close", **headers},
                    timeout=(min(self.connect_s, deadline.left() or 0.001), deadline.left() or 0.001),
                    allow_redirects=False,
                    stream=True,
                    verify=self.verify,
                )
                reply = Reply(response.status_code, _read(response), response.headers.get("Content-Encoding", ""))
            except NETWORK_ERRORS as error:
                raise self._classify(error, watch, url) from None
            failpoints.hit("send.answer_read")
            if watch.expired:
                raise self._classify(TimeoutError(), watch, url)  # cut off: what was read may only look whole
            if watch.broken_pipe:
                raise self._classify(ConnectionError(), watch, url)
            return reply

    def _classify(self, error: Exception, watch: Watch, url: str) -> SpectrumError:
        if not watch.sent:
            cause, why = self._why(error, url, watch.reached)
            return NotSent(f"Nothing was sent to Spectrum: {why}", cause=cause)
        cause = "timeout" if watch.expired or isinstance(error, requests.Timeout | TimeoutError) else "broken"
        return OutcomeUnknown(catalogue.find("answer", cause).meaning, cause=cause)

    def _why(self, error: Exception, url: str, reached: bool) -> tuple[str, str]:
        """The cause as the catalogue knows it, and the rest of a sentence."""
        place = urlsplit(url).netloc.rpartition("@")[2]
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "certificate", f"the certificate of {place} could not be verified. Check its validity and SPECTRUM_CA_BUNDLE."
        if isinstance(error, requests.exceptions.SSLError) or (
            reached and url.startswith("https:") and not isinstance(error, requests.Timeout | TimeoutError)
        ):
            return "tls", f"no secure connection could be made to {place}."
        if isinstance(reason, NameResolutionError):
            return "name", f"the name in {place} is not known. Check SPECTRUM_URL."
        if isinstance(error, requests.ConnectTimeout | TimeoutError):
            return "timeout", f"{place} did not answer within {self.connect_s:g} s. This server's address may not be allowed there."
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema):
            return "address", "its address is not usable. Check SPECTRUM_URL."
        return "refused", f"nothing could be reached at {place}."


def _read(response: requests.Response) -> bytes:
    """The body, up to one byte more than the limit. Not unpacked: no one asked for compression."""
    body: bytes = b""
    while len(body) <= ANSWER_LIMIT and (piece := response.raw.read(65536, decode_content=False)):
        body += piece
    return body
