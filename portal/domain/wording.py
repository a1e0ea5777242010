"""What an approver types with Accept."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Wording:
    """How a change order is to be worded in Spectrum.

    number              its Spectrum number
    title, description  take the place of its own; None where they stay
    accounting_date     None for today
    """

    number: str = ""
    title: str | None = None
    description: str | None = None
    accounting_date: date | None = None


PROPOSED = Wording()  # the proposed number, its own words, today
