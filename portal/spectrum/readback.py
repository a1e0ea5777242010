"""What Spectrum holds of a change request, and whether it is what was sent. Needs nothing but Python.

The web services give no change request back; only Info-Link's tables do (`infolink`). They show phase, cost type and amount of a line
[O7], not vendor or subcontract: two lines that differ by those alone are told apart by their amounts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Self


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One cost line as both sides can name it: codes trimmed and in capitals, phase without dashes."""

    phase_code: str
    cost_type: str
    amount: Decimal

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase_code", normal(self.phase_code).replace("-", ""))
        object.__setattr__(self, "cost_type", normal(self.cost_type))

    @classmethod
    def sent(cls, elements: Mapping[str, str]) -> Self:
        """The line of one call, from its elements 3-56."""
        return cls(elements["CR_Phase_Code"], elements["CR_Cost_Type"], Decimal(elements["Change_Request_Amount"]))


@dataclass(frozen=True, slots=True)
class Stored:
    """A change request with its lines. `change_order_number` blank: it is on no order."""

    status: str
    change_order_number: str
    lines: tuple[StoredLine, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`verdict`: absent; equal (exactly ours); part (some of our lines, each equal, nothing else); different (anything else).

    present  for each line that was sent, whether it is there with its amount.
    """

    verdict: Literal["absent", "equal", "part", "different"]
    present: tuple[bool, ...]


def compare(sent: Sequence[StoredLine], stored: Stored | None) -> Comparison:
    """What `stored` says about the lines that were `sent`. A header without lines counts as absent."""
    left = Counter(stored.lines if stored else ())
    if not left:
        return Comparison("absent", (False,) * len(sent))
    present = []
    for line in sent:
        present.append(left[line] > 0)
        left[line] -= present[-1]
    if +left:
        return Comparison("different", tuple(present))
    return Comparison("equal" if all(present) else "part", tuple(present))


def normal(code: object) -> str:
    """A code as it is compared: Spectrum pads and capitalises [O7]."""
    return str(code or "").strip().upper()
