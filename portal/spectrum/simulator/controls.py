"""`/__sim/`: what a test or a demonstration needs and a real server has not."""

from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound, UnprocessableEntity
from werkzeug.wrappers import Request, Response

from portal.spectrum.simulator import credentials
from portal.spectrum.simulator.answering import as_json
from portal.spectrum.simulator.app import BODY_LIMIT, Simulator


class Controls:
    """The simulator with `/__sim/` in front of it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        match request.path.strip("/").split("/"):
            case ["__sim", what]:
                return self._answer(request, what)(environ, start_response)
        return self.simulator(environ, start_response)

    def _answer(self, request: Request, what: str) -> Response:
        request.max_content_length = BODY_LIMIT
        try:
            return control(self.simulator, request, what)
        except HTTPException as error:
            return Response.force_type(error.get_response(request.environ), request.environ)


def control(simulator: Simulator, request: Request, what: str) -> Response:
    """Raises NotFound, or UnprocessableEntity with a sentence."""
    world = simulator.world
    match request.method, what:
        case "GET", "ready":
            return as_json({"ready": True})
        case "GET", "ledger":
            with world.ledger:
                return as_json({"change_requests": world.ledger.change_requests(), "journal": world.ledger.journal()})
        case "DELETE", "ledger":
            simulator.start_over()
            return as_json({})
        case "DELETE", "faults":
            simulator.faults.clear()
            return as_json({})
        case "POST", _ if what in ACTIONS:
            return _act(simulator, what, request.get_json())
    raise NotFound


def _act(simulator: Simulator, what: str, wanted: Any) -> Response:
    try:
        ACTIONS[what](simulator, wanted)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UnprocessableEntity(str(error)) from error
    return as_json({"now": simulator.world.clock.moment().isoformat()} if what == "clock" else {})


def _faults(simulator: Simulator, wanted: Any) -> None:
    if not isinstance(wanted, list) or not all(isinstance(row, dict) for row in wanted):
        raise ValueError("Give a list of faults.")
    simulator.faults.add(wanted)


def _mix(simulator: Simulator, wanted: Any) -> None:
    """`{"rates": {"commit_then_hang": 0.1, "http_500": 0.05}, "seed": 7}`; see `faults.Mix`."""
    simulator.faults.mix(**wanted)


def _authorization(simulator: Simulator, wanted: Any) -> None:
    """`{"id": ..., "active": true|false, "services": [...], "companies": [...]}`, as an administrator would tick it in Spectrum."""
    found = _identity(simulator, wanted)
    found.active = bool(wanted.get("active", found.active))
    found.services = [*map(str, wanted.get("services", found.services))]
    found.companies = [*map(str, wanted.get("companies", found.companies))]


def _clock(simulator: Simulator, wanted: Any) -> None:
    """`{"now": ISO 8601}`, `{"advance_s": seconds}`, or `{}` for real time."""
    simulator.world.clock.set(wanted.get("now"), float(wanted.get("advance_s", 0)))


def _release(simulator: Simulator, wanted: Any) -> None:
    """Calls that wait, for whatever reason, go on now."""
    simulator.release()


def _options(simulator: Simulator, wanted: Any) -> None:
    simulator.set_options(wanted)


def _change_requests(simulator: Simulator, wanted: Any) -> None:
    """A person at work in Spectrum: creates or edits change requests, no rule asked. A list of elements, the four keys among them."""
    simulator.by_hand(wanted)


def _secret(simulator: Simulator, wanted: Any) -> None:
    """`{"id": ..., "do": "expire" | "rotate" | "expire_tokens"}`: time, an administrator, or a restart of the server."""
    identity, do = (
        _identity(simulator, wanted),
        {
            "expire": credentials.expire_secret,
            "rotate": credentials.rotate,
            "expire_tokens": credentials.expire_tokens,
        },
    )
    with simulator.world.ledger:
        do[wanted["do"]](simulator.world, identity)


def _identity(simulator: Simulator, wanted: Any) -> Any:
    found = simulator.world.master.authorization_ids.get(str(wanted.get("id")))
    if found is None:
        raise ValueError("There is no such Authorization ID.")
    return found


ACTIONS = {
    "authorization": _authorization,
    "change-requests": _change_requests,
    "clock": _clock,
    "faults": _faults,
    "mix": _mix,
    "options": _options,
    "release": _release,
    "secret": _secret,
}
