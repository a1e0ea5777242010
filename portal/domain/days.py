"""Days as programs and browsers write them: 2026-11-30."""

import re
from datetime import date

PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)


def read(text: str, first: date = FIRST, last: date = LAST) -> date:
    """The day. Raises ValueError with a plain sentence for anything else; without bounds, what cannot be the date of a change order."""
    if not PATTERN.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not a date. Write it like 2026-11-30.")
    return of(text, int(text[:4]), int(text[5:7]), int(text[8:]), first, last)


def of(text: str, year: int, month: int, day: int, first: date = FIRST, last: date = LAST) -> date:
    """The day that `text` names by these figures. Raises ValueError when no calendar has it, or it is out of reach."""
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is not a day of the calendar.") from None
    if not first <= found <= last:
        raise ValueError(f"“{text[:40]}” cannot be the date of a change order; it has to be from {first.year} to {last.year}.")
    return found
