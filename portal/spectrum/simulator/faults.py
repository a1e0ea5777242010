"""Ways in which the simulator can be told to fail, and when."""

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from itertools import accumulate
from typing import Any

from werkzeug.wrappers import Response

from portal.spectrum.simulator.by_hand import known
from portal.spectrum.simulator.kinds import KINDS, Call, FaultDetails


@dataclass
class Fault:
    """One way to fail, for calls of `method` ("*" for all).

    method   a service, or wsdl, vendors, token, secretRotation.
    nth      only that call, counted from when the fault was set;  every  each so-many-th call;  times  the first so many calls;
             none of them: every call.
    probability  strikes only so often (0 to 1) among those calls; the same `seed` gives the same sequence.
    seconds  how long to wait: before working (delay, commit_later), before hanging up (commit_then_hang), per byte (drip);
    longest  where given, each wait is of its own length between `seconds` and this.
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
    longest: float = 0
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
            self.times = 1  # else no one could get in to end it
        self._chance = random.Random(self.seed)  # noqa: S311 -- the same faults again for the same seed
        self._lengths = random.Random(self.seed)  # noqa: S311 -- apart, since threads draw from it in any order

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

    def answer(self, call: Call) -> Response:
        """What the client gets in place of `call.good`; does not return where the connection is dropped."""
        return KINDS[self.fault].answer(FaultDetails(self.code, self.text, self.column, self.wait), call)

    def wait(self, hurry: threading.Event, usual: float) -> None:
        seconds = usual if self.seconds is None else self.seconds
        hurry.wait(self._lengths.uniform(seconds, self.longest) if self.longest > seconds else seconds)


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
    **dict.fromkeys(("nth", "every", "times", "seed"), int),
    **dict.fromkeys(("seconds", "longest", "probability"), float),
    **dict.fromkeys(("code", "text", "column"), str),
    "commit": lambda text: text == "true",
}


class Mix:
    """A seeded share of all calls of `method` that fails, each call in one of several ways: `rates` says how often which.

    `settings` are those of every fault in it.
    """

    def __init__(self, rates: Mapping[str, float], seed: int = 0, method: str = "ARChangeRequest", **settings: Any) -> None:
        self._method, self._rates = method, [float(rate) for rate in rates.values()]
        if min(self._rates, default=0) < 0 or sum(self._rates) > 1:
            raise ValueError("Rates are shares of all calls, and not more than 1 together.")
        self._faults = [Fault(fault, method, seed=seed, **settings) for fault in rates]
        self._chance = random.Random(seed)  # noqa: S311 -- the same mix again for the same seed

    def take(self, method: str) -> Fault | None:
        """What becomes of this call: a fault, or nothing special."""
        if self._method not in ("*", method):
            return None
        drawn = self._chance.random()
        for fault, until in zip(self._faults, accumulate(self._rates), strict=True):
            if drawn < until:
                return fault
        return None


class Faults:
    """The faults that are set. The first that strikes wins, before any mix."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._mixes: list[Mix] = []
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

    def mix(self, rates: Mapping[str, float], **settings: Any) -> None:
        """Raises ValueError or TypeError where the mix makes no sense."""
        mixed = Mix(rates, **settings)
        with self._lock:
            self._mixes.append(mixed)

    def clear(self) -> None:
        with self._lock:
            self._set.clear()
            self._mixes.clear()

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if one strikes."""
        with self._lock:
            striking = [fault for fault in self._set if fault.strikes(method)]
            mixed = [mix.take(method) for mix in self._mixes]
        return next((fault for fault in [*striking, *mixed] if fault), None)
