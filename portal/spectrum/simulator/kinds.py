"""The ways to fail, one function each: what the client gets in place of a good answer."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import wire
from portal.spectrum.simulator.answering import unauthorized, xml
from portal.spectrum.simulator.connections import reset

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
LOGIN = "<html><head><title>Sign in</title></head><body><form method='post'><input name='user'></form></body></html>"
ANOTHER = "Z999-999"  # a number no one sends


@dataclass
class Call:
    """A call as a fault sees it: the request, the answer it would get, what ends all waiting, and the answer to an earlier call."""

    request: Request
    service: str
    good: bytes
    hurry: threading.Event
    earlier: bytes = b""


@dataclass(frozen=True)
class FaultDetails:
    """What a fault says of its answer.

    code, text, column   the row of refuse and unknown_code
    wait                 waits as long as the fault says, else the usual seconds
    """

    code: str
    text: str
    column: str
    wait: Callable[[threading.Event, float], None]


@dataclass(frozen=True)
class Kind:
    """`commits`: whether the record is usually stored."""

    commits: bool
    answer: Callable[[FaultDetails, Call], Response]
    stage: str = "call"


def _html(status: int, title: str) -> Callable[[FaultDetails, Call], Response]:
    return lambda fault, call: Response(HTML.format(title), status, content_type="text/html")


def _delay(fault: FaultDetails, call: Call) -> Response:
    return xml(call.good)  # the wait, or what a person did, was before the work; see app.py


def _row(fault: FaultDetails, call: Call) -> Response:
    return xml(wire.answer(call.service, [Row(fault.code, fault.text, fault.column)]))


def _unknown_code(fault: FaultDetails, call: Call) -> Response:
    code = fault.code if fault.code != "I" else "Q"
    return xml(wire.answer(call.service, [Row(code, fault.text, fault.column)]))


def _another_number(fault: FaultDetails, call: Call) -> Response:
    return xml(wire.answer(call.service, [Row("G", ANOTHER, "Change_Request_Number")]))


def _earlier(fault: FaultDetails, call: Call) -> Response:
    return xml(call.earlier or call.good)


def _hang(fault: FaultDetails, call: Call) -> Response:
    fault.wait(call.hurry, 600)
    return reset(call.request)


def _reset(fault: FaultDetails, call: Call) -> Response:
    return reset(call.request)


def _truncated(fault: FaultDetails, call: Call) -> Response:
    return xml(call.good[: len(call.good) // 2])


def _redirect(status: int) -> Callable[[FaultDetails, Call], Response]:
    """To the same address: a client that follows it sends the record again (307), or asks for nothing with a GET (302)."""
    return lambda fault, call: Response("", status, headers={"Location": call.request.url})


def _drip(fault: FaultDetails, call: Call) -> Response:
    def drops() -> Iterator[bytes]:
        for place in range(len(call.good)):
            yield call.good[place : place + 1]
            fault.wait(call.hurry, 1)

    return Response(drops(), headers={"Content-Length": str(len(call.good))}, content_type="text/xml; charset=utf-8")


def _dtd(fault: FaultDetails, call: Call) -> Response:
    return xml(b'<!DOCTYPE bomb [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + call.good)


def _oversize(fault: FaultDetails, call: Call) -> Response:
    return xml(call.good + b" " * 6_000_000)


def _missing_tail(fault: FaultDetails, call: Call) -> Response:
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
    "commit_later": Kind(True, _reset),
    "commit_then_500": Kind(True, _html(500, "Internal Server Error")),
    "commit_then_hang": Kind(True, _hang),
    "commit_then_reset": Kind(True, _reset),
    "reset_before_commit": Kind(False, _reset),
    "header_only": Kind(True, _html(500, "Internal Server Error")),
    "another_number": Kind(True, _another_number),
    "earlier_answer": Kind(True, _earlier),
    "truncated": Kind(True, _truncated),
    "missing_tail": Kind(True, _missing_tail),
    "empty_200": Kind(False, lambda fault, call: xml(b"")),
    "html_200": Kind(False, lambda fault, call: Response(LOGIN, content_type="text/html")),
    "unknown_code": Kind(False, _unknown_code),
    "refuse": Kind(False, _row),
    "redirect": Kind(False, _redirect(307)),
    "redirect_302": Kind(False, _redirect(302)),
    "drip": Kind(True, _drip),
    "dtd": Kind(True, _dtd),
    "oversize": Kind(True, _oversize),
}
