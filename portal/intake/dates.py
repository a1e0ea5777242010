"""How a file writes its dates: found out for the file as a whole, told to the person, and read exactly or refused.

One file puts either the month or the day first. Where none of its dates shows which (`03/04/2026` in every row), it is the
month, as this company's people write; the preview says so. A year has four digits: two would be a guess.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from portal.domain import days

EPOCH, EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)  # of Excel's day numbers
MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$", re.ASCII)  # what databases and workbooks add to a day
YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
SHORT_YEAR = re.compile(r"[0-9]{1,2}([-/.])([0-9]{1,2}|[A-Za-z]{3})\1'?[0-9]{2}", re.ASCII)
NAMED = re.compile(r"(?P<day>[0-9]{1,2})[ -](?P<month>[A-Za-z]{3,9})\.?[ -](?P<year>[0-9]{4})", re.ASCII)
NAMED_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>[0-9]{1,2}),? (?P<year>[0-9]{4})", re.ASCII)
SERIAL = re.compile("[0-9]{5}", re.ASCII)
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
WORDS = {True: "day", False: "month"}


@dataclass(frozen=True, slots=True)
class Style:
    """`day_first`: 4 March is 04/03; `shown`: a date of the file shows that, or the opposite; `epoch`: of Excel's day numbers."""

    day_first: bool = False
    shown: bool = False
    epoch: date = EPOCH

    def read(self, text: str) -> date:
        """The day. Raises ValueError with a plain sentence for what is none, or is written in the other order."""
        bare = MIDNIGHT.sub("", text.strip())
        if found := YEAR_FIRST.fullmatch(bare):
            return days.of(text, int(found[1]), int(found[3]), int(found[4]))
        if found := YEAR_LAST.fullmatch(bare):
            return self._ordered(text, int(found[1]), found[2], int(found[3]), int(found[4]))
        if (found := NAMED.fullmatch(bare) or NAMED_FIRST.fullmatch(bare)) and (month := _month(found["month"])):
            return days.of(text, int(found["year"]), month, int(found["day"]))
        if SERIAL.fullmatch(bare):
            day = self.epoch + timedelta(days=int(bare))
            return days.of(text, day.year, day.month, day.day)
        if SHORT_YEAR.fullmatch(bare):
            raise ValueError(f"“{text[:40]}” has a year of two digits. Write four.")
        return days.read(bare)

    def plain(self, text: str) -> str:
        """As we write days: 2026-11-30. Raises ValueError."""
        return self.read(text).isoformat()

    def note(self, texts: Iterable[tuple[str, str]]) -> str:
        """How dates were read, by the first that another could read otherwise: (place, text). Empty when there is none."""
        for where, text in texts:
            if (day := self._day(text)) is None or text.strip() == day.isoformat():
                continue
            said = f"“{text.strip()[:40]}” at {where} is {day:%B} {day.day}, {day.year}."
            if not YEAR_LAST.fullmatch(MIDNIGHT.sub("", text.strip())):
                return f"Dates are read so: {said}"
            doubt = "" if self.shown else " No date of the file shows whether the day comes first; if it does, write 2026-11-30."
            return f"Dates are read with the {WORDS[self.day_first]} first: {said}{doubt}"
        return ""

    def _ordered(self, text: str, first: int, mark: str, second: int, year: int) -> date:
        shows = _shows(first, mark, second)
        if shows is not None and shows is not self.day_first:
            raise ValueError(f"“{text[:40]}” has the {WORDS[shows]} first; the file writes the {WORDS[self.day_first]} first.")
        day, month = (first, second) if self.day_first else (second, first)
        return days.of(text, year, month, day)

    def _day(self, text: str) -> date | None:
        try:
            return self.read(text)
        except ValueError:
            return None


def style_of(texts: Iterable[str], epoch: date = EPOCH) -> Style:
    """The order that more of the texts show; the month first where none does, or as many show the one as the other."""
    shown = [_order(text) for text in texts]
    days_first, months_first = shown.count(True), shown.count(False)
    return Style(days_first > months_first, bool(days_first or months_first), epoch)


def _order(text: str) -> bool | None:
    found = YEAR_LAST.fullmatch(MIDNIGHT.sub("", text.strip()))
    return _shows(int(found[1]), found[2], int(found[3])) if found else None


def _shows(first: int, mark: str, second: int) -> bool | None:
    """Whether the day comes first; None where either could. With points (04.03.2026) it always does."""
    if mark == "." or first > 12 >= second:
        return True
    return False if second > 12 >= first else None


def _month(name: str) -> int:
    """1 to 12 for Mar, Sept, March; 0 for what is none."""
    found = [number for number, month in enumerate(MONTHS, 1) if month.upper().startswith(name.upper())]
    return found[0] if found else 9 if name.upper() == "SEPT" else 0
