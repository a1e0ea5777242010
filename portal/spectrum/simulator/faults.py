"""Ways in which the simulator can be told to fail, and when."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from werkzeug.wrappers import Request, Response

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import wire
from portal.spectrum.simulator.answering import unauthorized, xml
from portal.spectrum.simulator.by_hand import known
from portal.spectrum.simulator.sockets import reset

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
LOGIN = "<html><head><title>Sign in</title></head><body><form method='post'><input name='user'></form></body></html>"


@dataclass
class Fault:
    """One way to fail, for calls of `method` ("*" for all).

    method   a service, or wsdl, vendors, token, secretRotation.
    nth      only that call, counted from when the fault was set;  every  each so-many-th call;  times  the first so many calls;
             none of them: every call.
    probability  strikes only so often (0 to 1) among those calls; the same `seed` gives the same sequence.
    seconds  how long to wait: before working (delay), before hanging up (commit_then_hang), per byte (drip).
    commit   whether the record is stored all the same; None leaves what is usual for the fault.
    code, text, column   the row of refuse and unknown_code.
    record   elements that a person changes before the call is worked on (person); the keys are the call's own where left out.
    """

    fault: str
    method: str = "*"
    nth: int = 0
    every: int = 0
    times: int = 0
    seconds: float | None = None
    commit: bool | None = None
    code: str = "I"
    text: str = "Refused by the simulator"
    column: str = "CR_Phase_Code"
    probability: float = 1
    seed: int = 0
    record: dict[str, str] = field(default_factory=dict)
    calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"There is no fault {self.fault!r}. Choose one of {', '.join(sorted(KINDS))}.")
        if not 0 <= self.probability <= 1:
            raise ValueError("A probability is between 0 and 1.")
        known(self.record)
        if self.fault == "tls_refused" and not (self.nth or self.every or self.times):
            self.times = 1  # else nobody could get in to end it
        self._chance = random.Random(self.seed)  # noqa: S311 -- the same faults again for the same seed

    @property
    def commits(self) -> bool:
        return KINDS[self.fault].commits if self.commit is None else self.commit

    def strikes(self, method: str) -> bool:
        """Whether this call fails. Counts it."""
        if not self._concerns(method):
            return False
        self.calls += 1
        return self._due() and self._chance.random() < self.probability

    def _concerns(self, method: str) -> bool:
        if "connection" in (method, KINDS[self.fault].stage):
            return method == KINDS[self.fault].stage
        return self.method in ("*", method)

    def _due(self) -> bool:
        if self.nth:
            return self.calls == self.nth
        if self.every:
            return self.calls % self.every == 0
        return not self.times or self.calls <= self.times

    def answer(self, call: "Call") -> Response:
        """What the client gets in place of `call.good`; does not return where the connection is dropped."""
        return KINDS[self.fault].answer(self, call)

    def wait(self, over: threading.Event, usual: float) -> None:
        over.wait(usual if self.seconds is None else self.seconds)


@dataclass
class Call:
    """A call as a fault sees it: the request, the answer it would get, and an event that ends all waiting."""

    request: Request
    service: str
    good: bytes
    over: threading.Event


@dataclass(frozen=True)
class Kind:
    commits: bool
    answer: Callable[[Fault, Call], Response]
    stage: str = "call"


def parse(text: str) -> Fault:
    """A fault as it is given on the command line: `METHOD:FAULT` or `METHOD:FAULT:nth=2,seconds=3`. Raises ValueError."""
    method, _, told = text.partition(":")
    fault, *rest = told.split(":", 1)
    row: dict[str, Any] = {"method": method, "fault": fault}
    for setting in filter(None, ",".join(rest).split(",")):
        name, given, value = setting.partition("=")
        kind = TYPED.get(name)
        if not given or kind is None:
            raise ValueError(f"A fault has no setting {setting!r}.")
        row[name] = kind(value)
    return Fault(**row)


TYPED: dict[str, Callable[[str], Any]] = {
    "nth": int, "every": int, "times": int, "seed": int, "seconds": float, "probability": float, "commit": lambda text: text == "true",
    "code": str, "text": str, "column": str,
}  # fmt: skip


class Faults:
    """The faults that are set. The first that strikes wins."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Raises ValueError for a fault or a setting that does not exist."""
        names = {one.name for one in fields(Fault) if one.init}
        for row in rows:
            if unknown := set(row) - names:
                raise ValueError(f"A fault has no setting {', '.join(sorted(unknown))}.")
        self.put([Fault(**row) for row in rows])

    def put(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._set += faults

    def clear(self) -> None:
        with self._lock:
            self._set.clear()

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if one strikes."""
        with self._lock:
            striking = [fault for fault in self._set if fault.strikes(method)]
        return striking[0] if striking else None


def _html(status: int, title: str) -> Callable[[Fault, Call], Response]:
    return lambda fault, call: Response(HTML.format(title), status, content_type="text/html")


def _delay(fault: Fault, call: Call) -> Response:
    return xml(call.good)  # the wait, or what a person did, was before the work; see app.py


def _row(fault: Fault, call: Call) -> Response:
    return xml(wire.answer(call.service, [Row(fault.code, fault.text, fault.column)]))


def _unknown_code(fault: Fault, call: Call) -> Response:
    code = fault.code if fault.code != "I" else "Q"
    return xml(wire.answer(call.service, [Row(code, fault.text, fault.column)]))


def _hang(fault: Fault, call: Call) -> Response:
    fault.wait(call.over, 600)
    return reset(call.request)


def _reset(fault: Fault, call: Call) -> Response:
    return reset(call.request)


def _truncated(fault: Fault, call: Call) -> Response:
    return xml(call.good[: len(call.good) // 2])


def _redirect(fault: Fault, call: Call) -> Response:
    return Response("", 307, headers={"Location": call.request.url})  # a client that follows it sends the record again


def _drip(fault: Fault, call: Call) -> Response:
    def drops() -> Iterator[bytes]:
        for place in range(len(call.good)):
            yield call.good[place : place + 1]
            fault.wait(call.over, 1)

    return Response(drops(), headers={"Content-Length": str(len(call.good))}, content_type="text/xml; charset=utf-8")


def _dtd(fault: Fault, call: Call) -> Response:
    return xml(b'<!DOCTYPE bomb [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + call.good)


def _oversize(fault: Fault, call: Call) -> Response:
    return xml(call.good + b" " * 6_000_000)


def _missing_tail(fault: Fault, call: Call) -> Response:
    return xml(call.good.partition(b"</SOAP-ENV:Body>")[0])


KINDS = {
    "soap_fault": Kind(False, lambda fault, call: xml(wire.fault(), 500)),
    "http_500": Kind(False, _html(500, "Internal Server Error")),
    "http_502": Kind(False, _html(502, "Bad Gateway")),
    "http_503": Kind(False, _html(503, "Service Unavailable")),
    "unauthorized": Kind(False, lambda fault, call: unauthorized()),
    "forbidden": Kind(False, _html(403, "Forbidden")),
    "not_found": Kind(False, _html(404, "Not Found")),
    "tls_refused": Kind(False, _reset, "connection"),
    "person": Kind(True, _delay),
    "delay": Kind(True, _delay),
    "commit_then_hang": Kind(True, _hang),
    "commit_then_reset": Kind(True, _reset),
    "reset_before_commit": Kind(False, _reset),
    "truncated": Kind(True, _truncated),
    "missing_tail": Kind(True, _missing_tail),
    "empty_200": Kind(False, lambda fault, call: xml(b"")),
    "html_200": Kind(False, lambda fault, call: Response(LOGIN, content_type="text/html")),
    "unknown_code": Kind(False, _unknown_code),
    "refuse": Kind(False, _row),
    "redirect": Kind(False, _redirect),
    "drip": Kind(True, _drip),
    "dtd": Kind(True, _dtd),
    "oversize": Kind(True, _oversize),
}
