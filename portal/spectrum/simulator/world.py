"""What the services work on, and the switches of the simulator."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from portal.spectrum.simulator.clock import Clock
from portal.spectrum.simulator.ledger import Ledger
from portal.spectrum.simulator.master import Master


@dataclass
class Options:
    """How servers differ, or are set up differently.

    enhanced         enhanced authentication is on: every call needs a token [D5].
    strict_guid      a call without GUID is refused; the developer page calls it mandatory, the field tables do not [D1] [D12].
    used_guid_empty  a GUID used before gives one empty row on a Get; one firm saw it, another did not [O6] [O5].
    lead_s           seconds before ARChangeRequest does anything, as users know it from real integrations [P4].
    get_stop         rows after which a Get stops with a warning [O5]; 0: never.
    adds_amounts     a line sent again adds its amounts to those stored: the reading of the page that must not be true [A].
    token_s          seconds a token lives.
    wrap_vendors     the vendor list comes as an object holding the array; its shape is not published.
    """

    enhanced: bool = False
    strict_guid: bool = False
    used_guid_empty: bool = False
    lead_s: float = 0
    get_stop: int = 500
    adds_amounts: bool = False
    token_s: int = 3600
    wrap_vendors: bool = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the given ones. Raises ValueError for a name that does not exist or a value of the wrong kind."""
        for name, value in wanted.items():
            one = getattr(self, name, None) if name in {known.name for known in dataclasses.fields(self)} else None
            if one is None or isinstance(one, bool) != isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"There is no option {name} = {value!r}.")
        for name, value in wanted.items():
            setattr(self, name, value)


@dataclass
class World:
    """The customer's master data, what is stored, the time, and the switches."""

    master: Master
    ledger: Ledger
    clock: Clock = field(default_factory=Clock)
    options: Options = field(default_factory=Options)
