"""What the services work on, and the switches of the simulator."""

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from portal.spectrum.simulator.clock import Clock
from portal.spectrum.simulator.ledger import Ledger, Repeat
from portal.spectrum.simulator.master import Master

REPEATS = ("upsert", "append", "append-if-tied")


@dataclass
class Options:
    """How servers differ, or are set up differently.

    enhanced         enhanced authentication is on: every call needs a token [D5].
    strict_guid      a call without GUID is refused; the developer page calls it mandatory, the field tables do not [D1] [D12].
    used_guid_empty  a GUID used before gives one empty row on a Get; one firm saw it, another did not [O6] [O5].
    lead_s           seconds before ARChangeRequest does anything, as users know it from real integrations [P4].
    get_stop         rows after which a Get stops with a warning [O5]; 0: never.
    adds_amounts     a line sent again adds its amounts to those stored: the reading of the page that must not be true [A].
    repeat           what else a line sent again may do [A]. upsert: it replaces the one stored. append: it stands beside it.
                     append-if-tied: it stands beside one that came while this call was already at work.
    lag_s            seconds until Info-Link shows a row that is new.
    readback_company the one company whose rows Info-Link shows; blank: all.
    token_s          seconds a token lives.
    wrap_vendors     the vendor list comes as an object holding the array; its shape is not published.
    """

    enhanced: bool = False
    strict_guid: bool = False
    used_guid_empty: bool = False
    lead_s: float = 0
    get_stop: int = 500
    adds_amounts: bool = False
    repeat: str = "upsert"
    lag_s: float = 0
    readback_company: str = ""
    token_s: int = 3600
    wrap_vendors: bool = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the given ones. Raises ValueError for a name that does not exist or a value of the wrong kind."""
        names = {known.name for known in dataclasses.fields(self)}
        for name, value in wanted.items():
            if name not in names or not _fits(value, getattr(self, name)) or (name == "repeat" and value not in REPEATS):
                raise ValueError(f"There is no option {name} = {value!r}.")
        for name, value in wanted.items():
            setattr(self, name, value)


def _fits(value: object, present: object) -> bool:
    """Whether it is of the same kind: a switch, a number, or a text."""
    if isinstance(present, int | float) and not isinstance(present, bool):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(present)


@dataclass
class World:
    """The customer's master data, what is stored, the time, and the switches."""

    master: Master
    ledger: Ledger
    clock: Clock = field(default_factory=Clock)
    options: Options = field(default_factory=Options)

    def as_seen_now(self, values: Mapping[str, str]) -> Self:
        """The world as a call sees it that begins now: where ties append, a line that comes in later is not there for it."""
        if self.options.repeat != "append-if-tied":
            return self
        repeat = "upsert" if self.ledger.has_line(values) else "append"
        return dataclasses.replace(self, options=dataclasses.replace(self.options, repeat=repeat))

    def store(self, values: Mapping[str, str]) -> None:
        """Into the books, in the way of this server."""
        lag, repeat = self.options.lag_s, "add" if self.options.adds_amounts else self.options.repeat
        self.ledger.store(values, cast(Repeat, repeat), time.time() + lag if lag else 0)
