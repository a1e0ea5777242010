"""The simulated Spectrum as a WSGI application: WSDLs and services as a real server has them, and a page for people."""

import copy
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import page, rest, services, wire
from portal.spectrum.simulator.answering import unauthorized, xml
from portal.spectrum.simulator.by_hand import complete
from portal.spectrum.simulator.connections import hang_up, reset
from portal.spectrum.simulator.faults import Fault, Faults
from portal.spectrum.simulator.kinds import Call
from portal.spectrum.simulator.ledger import KEYS, Ledger
from portal.spectrum.simulator.master import Master
from portal.spectrum.simulator.schema import SECTIONS
from portal.spectrum.simulator.services import SERVICES
from portal.spectrum.simulator.world import Options, World

BODY_LIMIT = 1024 * 1024  # bytes
GIVEN = [name for section in SECTIONS.values() for name in section.given]  # without these a record is a header alone


class Simulator:
    def __init__(self, ledger: Ledger, master: Master, options: Options | None = None) -> None:
        self._at_start = (master, options or Options())
        self.world = World(copy.deepcopy(master), ledger, options=copy.copy(self._at_start[1]))
        self._read_back()
        self.faults = Faults()
        self._told: dict[str, tuple[tuple[str, bytes], ...]] = {}  # GUID and answer of the latest calls of each service
        self.over = threading.Event()  # set when waiting has become pointless: the end, or a fresh start
        self.hurry = threading.Event()  # set when no one need wait any longer

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
        self.release()

    def release(self) -> None:
        """Let every call that waits go on at once."""
        self.hurry.set()
        self.hurry = threading.Event()

    def start_over(self) -> None:
        """Empty books, no faults, everything else as at the start: a fresh simulator for the next test. Calls still waiting are dropped."""
        self.stop()
        self.over = threading.Event()
        master, options = self._at_start
        with self.world.ledger:
            self.world.ledger.empty()
        self.world = World(copy.deepcopy(master), self.world.ledger, options=copy.copy(options))
        self._read_back()
        self.faults.clear()

    def set_options(self, wanted: dict[str, Any]) -> None:
        """Raises ValueError, see `Options.change`."""
        self.world.options.change(wanted)
        self._read_back()

    def by_hand(self, records: Iterable[Mapping[str, str]]) -> None:
        """What a person does in Spectrum itself, all or nothing. Raises ValueError."""
        whole = [complete(record) for record in records]
        with self.world.ledger:
            for values in whole:
                self.world.ledger.store(values)

    def _read_back(self) -> None:
        """Tell Info-Link's views what to show."""
        with self.world.ledger:
            self.world.ledger.read_back_only(self.world.options.readback_company)

    def refuses_connection(self) -> bool:
        return self.faults.take("connection") is not None

    def _dispatch(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return page.show(self.world.ledger)
            case "GET", ["style.css"]:
                return page.style()
            case "GET", ["wsdls", file] if file.removesuffix(".jws") in SERVICES and file.endswith(".jws"):
                return self._wsdl(request, file.removesuffix(".jws"))
            case "POST", ["ws", service] if service in SERVICES:
                return self._soap(request, service)
            case _, ["ws", service] if service in SERVICES:
                raise MethodNotAllowed(["POST"])
            case "GET", ["vendors", company]:
                return self._rest(request, "vendors", {"Company_Code": company}, lambda: rest.vendors(request, company, self.world))
            case "POST", ["connect", "token"] if self.world.options.enhanced:
                return self._rest(request, "token", {}, lambda: rest.token(request.form, self.world))
            case "POST", ["secretRotation"] if self.world.options.enhanced:
                return self._rest(request, "secretRotation", {}, lambda: rest.rotation(request.form, self.world))
        raise NotFound

    def _wsdl(self, request: Request, service: str) -> Response:
        good = wire.wsdl(service, request.root_url.rstrip("/")).encode()
        fault = self.faults.take("wsdl")
        return fault.answer(Call(request, service, good, self.hurry)) if fault else xml(good)

    def _soap(self, request: Request, service: str) -> Response:
        """Journal, perhaps wait, work, commit, and only then answer, or fail as told."""
        body, over, hurry, world = request.get_data(), self.over, self.hurry, self.world
        if self._is_stranger(request):
            self._note(service, {}, "unauthorized")
            return unauthorized()
        try:
            values = wire.read(body, service)
        except wire.MalformedError as error:
            self._note(service, {}, "fault", [Row("", str(error), "")])
            return xml(wire.fault(), 500)  # the status is assumed [A]
        with world.ledger:
            seq = world.ledger.received(service, values, world.clock.moment())
            world = world.as_seen_now(values) if service == "ARChangeRequest" else world
        fault = self.faults.take(service)
        self._wait(request, service, fault, over, hurry)
        good = self._work(service, values, seq, fault, world)
        earlier = self._earlier(service, values.get("GUID", ""), good)
        return fault.answer(Call(request, service, good, hurry, earlier)) if fault else xml(good)

    def _is_stranger(self, request: Request) -> bool:
        with self.world.ledger:
            return self.world.options.enhanced and rest.caller(request.authorization, self.world) is None

    def _wait(self, request: Request, service: str, fault: Fault | None, over: threading.Event, hurry: threading.Event) -> None:
        """Before anything is done: the lead time that users know, and a delay that was asked for, with the client or without."""
        if service == "ARChangeRequest" and self.world.options.lead_s:
            hurry.wait(self.world.options.lead_s)
        if fault and fault.fault == "commit_later":
            hang_up(request)
        if fault and fault.fault in ("delay", "commit_later"):
            fault.wait(hurry, 1)
        if over.is_set():
            reset(request)

    def _earlier(self, service: str, guid: str, good: bytes) -> bytes:
        """What the latest call with another GUID was answered. Keeps this one's."""
        others = [one for one in self._told.get(service, ()) if one[0] != guid]
        self._told[service] = (*others[-1:], (guid, good))
        return others[-1][1] if others else b""

    def _work(self, service: str, values: dict[str, str], seq: int, fault: Fault | None, world: World) -> bytes:
        """The answer the service gives. One call, one commit; nothing is done where a fault comes before it."""
        ledger = world.ledger
        if fault and fault.fault == "person":
            self.by_hand([{**{name: values.get(name, "") for name in KEYS}, **fault.record}])
        with ledger:
            if fault and not fault.commits:
                told = [Row(fault.code, fault.text, fault.column)] if fault.fault == "refuse" else []
                ledger.settled(seq, "refused" if told else "fault", told, fault.fault)
                return wire.answer(service, [])
            if fault and fault.fault == "header_only":
                world.store({**values, **dict.fromkeys(GIVEN, "")})
                ledger.settled(seq, "header", fault=fault.fault)
                return wire.answer(service, [])
            done = services.answer(service, values, world)
            ledger.settled(seq, done.outcome, done.rows, fault.fault if fault else "")
        return done.body

    def _rest(self, request: Request, method: str, elements: dict[str, str], work: Callable[[], rest.Reply]) -> Response:
        """As a SOAP call; what it was signed with is not journaled."""
        fault = self.faults.take(method)
        self._wait(request, method, fault, self.over, self.hurry)
        if fault and not fault.commits:
            self._note(method, elements, "fault", [], fault.fault)
            return fault.answer(Call(request, method, b"[]", self.hurry))
        with self.world.ledger:
            reply = work()
            self._note(method, elements, "answered" if reply.status == 200 else "refused", reply.rows, fault.fault if fault else "")
        good = Response(reply.body, reply.status, content_type="application/json")
        return fault.answer(Call(request, method, reply.body, self.hurry)) if fault else good

    def _note(self, method: str, elements: dict[str, str], outcome: str, rows: Iterable[Row] = (), fault: str = "") -> None:
        ledger = self.world.ledger
        with ledger:
            ledger.settled(ledger.received(method, elements, self.world.clock.moment()), outcome, list(rows), fault)
