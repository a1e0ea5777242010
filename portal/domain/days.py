"""Days as programs write them: 2026-11-30, and nothing that cannot be the date of a change order."""

import re
from datetime import date

PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)


def read(text: str) -> date:
    """The day. Raises ValueError with a plain sentence for anything else, 1970-01-01 and 9999-12-31 among it."""
    if not PATTERN.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not a date. Write it like 2026-11-30.")
    return of(text, int(text[:4]), int(text[5:7]), int(text[8:]))


def of(text: str, year: int, month: int, day: int) -> date:
    """The day that `text` names by these figures. Raises ValueError when no calendar has it, or it is out of reach."""
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is not a day of the calendar.") from None
    if not FIRST <= found <= LAST:
        raise ValueError(f"“{text[:40]}” cannot be the date of a change order; it has to be from {FIRST.year} to {LAST.year}.")
    return found
