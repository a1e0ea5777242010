"""The simulated Spectrum as a WSGI application: WSDLs and services as a real server has them, a page for people, controls for tests."""

import copy
import json
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnprocessableEntity
from werkzeug.wrappers import Request, Response

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import page, wire
from portal.spectrum.simulator.faults import Call, Fault, Faults, xml
from portal.spectrum.simulator.ledger import Ledger
from portal.spectrum.simulator.master import Master
from portal.spectrum.simulator.services import SERVICES
from portal.spectrum.simulator.sockets import reset

BODY_LIMIT = 1024 * 1024  # bytes


class Simulator:
    """`controls` opens /__sim/: what a test needs and a real server has not."""

    def __init__(self, ledger: Ledger, master: Master, controls: bool = False) -> None:
        self.ledger = ledger
        self.master = copy.deepcopy(master)
        self._master_at_start = master
        self.controls = controls
        self.faults = Faults()
        self.over = threading.Event()  # set when waiting has become pointless: the end, or a fresh start

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = BODY_LIMIT
        try:
            response = self._dispatch(request)
        except HTTPException as error:
            response = error.get_response(environ)
        return response(environ, start_response)

    def stop(self) -> None:
        """End all waiting: the process is about to leave."""
        self.over.set()

    def _dispatch(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return page.show(self.ledger)
            case "GET", ["style.css"]:
                return page.style()
            case "GET", ["wsdls", file] if file.removesuffix(".jws") in SERVICES and file.endswith(".jws"):
                return xml(wire.wsdl(file.removesuffix(".jws"), request.host_url.rstrip("/")).encode())
            case "POST", ["ws", service] if service in SERVICES:
                return self._call(request, service)
            case _, ["ws", service] if service in SERVICES:
                raise MethodNotAllowed(["POST"])
            case _, ["__sim", what] if self.controls:
                return self._control(request, what)
        raise NotFound

    def _call(self, request: Request, service: str) -> Response:
        """Journal, perhaps wait, work, commit, and only then answer, or fail as told."""
        body, over = request.get_data(), self.over
        try:
            values = wire.read(body, service)
        except wire.MalformedError as error:
            with self.ledger:
                self.ledger.settled(self.ledger.received(service, {}), "fault", [Row("", str(error), "")])
            return xml(wire.fault(), 500)  # the status is assumed [A]
        with self.ledger:
            seq = self.ledger.received(service, values)
        fault = self.faults.take(service)
        if fault and fault.fault == "delay":
            fault.wait(over, 1)
            if over.is_set():
                reset(request)
        good = self._work(service, values, seq, fault)
        return fault.answer(Call(request, service, good, over)) if fault else xml(good)

    def _work(self, service: str, values: dict[str, str], seq: int, fault: Fault | None) -> bytes:
        """The answer the service gives. One call, one commit; nothing is done where a fault comes before it."""
        with self.ledger:
            if fault and not fault.commits:
                told = [Row(fault.code, fault.text, fault.column)] if fault.fault == "refuse" else []
                self.ledger.settled(seq, "refused" if told else "fault", told, fault.fault)
                return wire.answer(service, [])
            rows = SERVICES[service](values, self.master, self.ledger)
            outcome = "stored" if all(row.code in "GS" for row in rows) else "refused"
            self.ledger.settled(seq, outcome, rows, fault.fault if fault else "")
        return wire.answer(service, rows)

    def _control(self, request: Request, what: str) -> Response:
        match request.method, what:
            case "GET", "ready":
                return _json({"ready": True})
            case "GET", "ledger":
                with self.ledger:
                    return _json({"change_requests": self.ledger.change_requests(), "journal": self.ledger.journal()})
            case "DELETE", "ledger":
                return self._start_over()
            case "POST", "faults":
                return self._add_faults(request.get_json())
            case "DELETE", "faults":
                self.faults.clear()
                return _json({})
            case "POST", "authorization":
                return self._authorize(request.get_json())
        raise NotFound

    def _start_over(self) -> Response:
        """Empty books, no faults, master data as at the start: a fresh simulator for the next test. Calls still waiting are dropped."""
        self.over.set()
        self.over = threading.Event()
        with self.ledger:
            self.ledger.empty()
        self.master = copy.deepcopy(self._master_at_start)
        self.faults.clear()
        return _json({})

    def _add_faults(self, rows: Any) -> Response:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UnprocessableEntity("Give a list of faults.")
        try:
            self.faults.add(rows)
        except (ValueError, TypeError) as error:
            raise UnprocessableEntity(str(error)) from error
        return _json({})

    def _authorize(self, wanted: Any) -> Response:
        """`{"id": ..., "active": true|false}`, as an administrator would tick it in Spectrum."""
        found = self.master.authorization_ids.get(str(wanted.get("id"))) if isinstance(wanted, dict) else None
        if found is None:
            raise UnprocessableEntity("There is no such Authorization ID.")
        found.active = bool(wanted.get("active"))
        return _json({})


def _json(data: Any) -> Response:
    response = Response(content_type="application/json")
    response.set_data(json.dumps(data))
    return response
