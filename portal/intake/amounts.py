"""How a file writes its amounts: found out for the file as a whole, told to the person, and read exactly or refused.

One file has one style. A point is the decimal mark unless the file shows otherwise (`1.234,50`): where neither is shown,
`1,234` is one thousand two hundred and thirty-four, as this company's people write it. Nothing is ever rounded. A currency
beside an amount is told apart from it, and belongs to the change order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from portal.domain import currencies, money
from portal.intake.cells import Number

COLUMNS = {"amount", "original_amount", "total", "tax"}
LONGEST = 60  # characters that can be an amount with its currency
MINUSES = str.maketrans("−–", "--")
BLANKS = " \u00a0\u202f"
POINT = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[0-9]+(\.[0-9]+)?", re.ASCII)
COMMA = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|[0-9]+(,[0-9]+)?", re.ASCII)
SHOWS_POINT = re.compile(r"[0-9,]*\.([0-9]{1,2}|[0-9]{4,})|[0-9]{1,3}(,[0-9]{3}){2,}|[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", re.ASCII)
SHOWS_COMMA = re.compile(r"[0-9.]*,([0-9]{1,2}|[0-9]{4,})|[0-9]{1,3}(\.[0-9]{3}){2,}|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+", re.ASCII)
MARK = "|".join(map(re.escape, sorted([*currencies.SIGNS, currencies.DOLLAR, *currencies.COMMON], key=len, reverse=True)))
BEFORE, AFTER = re.compile(MARK, re.ASCII | re.IGNORECASE), re.compile(rf"(?:{MARK})\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """`comma`: the decimal mark is a comma and thousands are parted by points; else the other way round."""

    comma: bool = False

    def plain(self, text: str) -> str:
        """`$1,234.50` -> `1234.50`, `(5.00)` and `5.00-` -> `-5.00`. What does not fit stays as it is. Raises ValueError."""
        if isinstance(text, Number):
            return str(text)
        sign, digits, _ = _parts(text)
        if not (COMMA if self.comma else POINT).fullmatch(digits):
            if (POINT if self.comma else COMMA).fullmatch(digits):
                marks = ("comma", "point") if self.comma else ("point", "comma")
                raise ValueError(f"“{text[:40]}” has a decimal {marks[1]}; the file writes amounts with a decimal {marks[0]}.")
            return text
        return sign + (digits.replace(".", "").replace(",", ".") if self.comma else digits.replace(",", ""))

    def note(self, texts: Iterable[tuple[str, str]]) -> str:
        """How amounts were read, by the first that needed it: (place, text). Empty when all were plain."""
        for where, text in texts:
            read = self._read(text)
            if not isinstance(text, Number) and read != text.strip():
                mark, code = "a decimal comma" if self.comma else "a decimal point", currencies.read(currency_of(text))
                return f"Amounts are read with {mark}: “{text.strip()[:40]}” at {where} is {f'{read} {code}'.strip()}."
        return ""

    def _read(self, text: str) -> str:
        try:
            return self.plain(text)
        except ValueError:
            return text.strip()


def typed(text: str, currency: str = "") -> Decimal:
    """An amount as a person types it, in that currency: `1,234.50`, `$1,234.50`, `(500.00)`, `−500.00`. Raises ValueError."""
    sign, digits, mark = _parts(text)
    if mark and not (currencies.agree(currency, mark) and currencies.read(mark) in ("", currencies.read(currency))):
        raise ValueError(f"“{text[:40]}” names a currency. Choose it in its own field, and write the amount alone.")
    return money.parse(sign + digits.replace(",", "") if POINT.fullmatch(digits) else text)


def style_of(texts: Iterable[str]) -> Style:
    """The style that more of the texts show; a decimal point where none does."""
    points = commas = 0
    for text in texts:
        digits = "" if isinstance(text, Number) else _parts(text)[1]
        points += bool(SHOWS_POINT.fullmatch(digits))
        commas += bool(SHOWS_COMMA.fullmatch(digits))
    return Style(comma=commas > points)


def currency_of(text: str) -> str:
    """The sign or code that is written beside the amount, or an empty text."""
    return _parts(written(text))[2]


def written(text: str) -> str:
    """The amount as a person sees it in the file."""
    return text.shown if isinstance(text, Number) else text


def seen(shown: str) -> Decimal | None:
    """The number that a cell of a workbook shows, with the decimals that are shown; None where it is not written as an amount."""
    sign, digits, _ = _parts(shown.removeprefix("+"))
    digits = f"0{digits}" if digits.startswith(".") else digits.removesuffix(".")
    return Decimal(sign + digits.replace(",", "")) if POINT.fullmatch(digits) else None


def hidden(texts: Iterable[tuple[str, str]]) -> str:
    """How cells were read that show fewer decimals than they hold, by the first: (place, text). Empty when there is none."""
    for where, text in texts:
        number = seen(text.shown) if isinstance(text, Number) else None
        if number is not None and abs(number) != abs(Decimal(text)):
            return f"Cells that show fewer decimals than they hold are read as they hold them: “{written(text)}” at {where} is {text}."
    return ""


def _parts(text: str) -> tuple[str, str, str]:
    """The sign, the digits, and the currency; credits are written `-5`, `5-`, `(5)`, `$(5)`, or with a true minus; nothing as `$-`."""
    if len(text) > LONGEST:
        return "", text, ""
    inside, mark = _without_currency(text.translate(MINUSES).strip(BLANKS))
    if mark and inside == "-":
        return "", "0", mark
    sign, inside = _without_sign(inside)
    if sign and not mark:
        inside, mark = _without_currency(inside)
    return sign, inside, mark


def _without_sign(text: str) -> tuple[str, str]:
    if text.startswith("(") and text.endswith(")"):
        return "-", text[1:-1].strip(BLANKS)
    if text.startswith("-"):
        return "-", text[1:].lstrip(BLANKS)
    if text.endswith("-"):
        return "-", text[:-1].rstrip(BLANKS)
    return "", text


def _without_currency(text: str) -> tuple[str, str]:
    if found := BEFORE.match(text):
        return text[found.end() :].lstrip(BLANKS), found[0].upper()
    if found := AFTER.search(text):
        return text[: found.start()].rstrip(BLANKS), found[0].upper()
    return text, ""
