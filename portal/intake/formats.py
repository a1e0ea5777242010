"""What Excel shows of a number: its number formats, read in one pass, as ECMA-376 part 1, 18.8.31 describes them.

Only what tells one number from another is shown: digits, marks, signs, and the texts beside them; no colors and no widths.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

LONGEST = 255  # characters that Excel allows in a format
PRECISION = 1_000  # digits; more than any format of that length can show
# What every workbook has without saying so. 5 to 8 and 41 to 44 carry the currency of the machine; elsewhere that is a dollar.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0_);($#,##0)", 6: "$#,##0_);($#,##0)", 7: "$#,##0.00_);($#,##0.00)",
    8: "$#,##0.00_);($#,##0.00)", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 37: "#,##0_);(#,##0)",
    38: "#,##0_);(#,##0)", 39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);(#,##0.00)", 41: '_(* #,##0_);_(* (#,##0);_(* "-"_)',
    42: '_($* #,##0_);_($* (#,##0);_($* "-"_)', 43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_)',
    44: '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_)', 48: "##0.0E+0", 49: "@",
    **dict.fromkeys((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)), "d"),
}  # fmt: skip
TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*](?P<width>.)|\[(?P<bracket>[^\]\[]*)\]|(?P<general>general|standard)|(?P<power>e[+-])'
    r"|(?P<time>am/pm|a/p)|(?P<mark>[0#?.,%/@;])|(?P<date>[dmyhsebg])|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)", re.ASCII)
ELAPSED = re.compile("h+|m+|s+", re.IGNORECASE)
COLORS = {"black", "blue", "cyan", "green", "magenta", "red", "white", "yellow"}
HOLDS = {"<": (-1,), ">": (1,), "=": (0,), "<=": (-1, 0), ">=": (0, 1), "<>": (-1, 1)}
Token = tuple[str, str]


class Shown(NamedTuple):
    """What a cell shows. `exact`: digit by digit the number it holds; `colored`: only a color tells that it is negative."""

    text: str
    exact: bool
    colored: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One of the parts between semicolons. `colored`: a color stands for the sign, as in `0.00;[Red]0.00`."""

    tokens: tuple[Token, ...]
    condition: tuple[str, Decimal] | None = None
    colored: bool = False

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _ in self.tokens)

    def holds(self, number: Decimal) -> bool:
        if self.condition is None:
            return False
        sign, limit = self.condition
        return (number > limit) - (number < limit) in HOLDS[sign]


@lru_cache(maxsize=1_000)
def sections(code: str) -> tuple[Section, ...]:
    """The parts of a format. A text of any length is read once, from left to right."""
    parts: list[list[Token]] = [[]]
    facts: list[tuple[tuple[str, Decimal] | None, bool]] = [(None, False)]
    for found in TOKEN.finditer(code):
        kind, text = str(found.lastgroup), str(found[found.lastgroup or 0])
        if text == ";" and kind == "mark":
            parts.append([])
            facts.append((None, False))
        elif kind == "bracket":
            facts[-1] = _bracket(text, parts[-1], facts[-1])
        elif kind == "mark":
            parts[-1].append((text, text))
        elif kind == "width":
            parts[-1] += [("literal", " ")] if found[0][0] == "_" else []
        else:
            parts[-1].append(("literal" if kind in ("quoted", "escaped") else kind, text))
    return tuple(Section(tuple(tokens), *fact) for tokens, fact in zip(parts, facts, strict=True))


def is_date(code: str) -> bool:
    """Whether a format shows a day or a time."""
    return any(section.has("date", "time") for section in sections(code))


@lru_cache(maxsize=10_000)
def shown(number: Decimal, code: str) -> Shown:
    """What a cell with the number shows."""
    if code in ("", "General", "@"):
        return Shown(f"{number:f}", True)
    section, bare = _chosen(number, sections(code))
    with localcontext(prec=PRECISION):
        text = _section(number, section).strip(" ")
        exact = not section.has("%", "/", ",", "power") and abs(number) == abs(number).quantize(Decimal(1).scaleb(-_decimals(section)))
    if number < 0 and not bare:
        text = f"-{text}"
    exact = section.has("general", "@") or (exact and section.has("0", "#", "?"))
    return Shown(text, exact and (number >= 0 or text.startswith("-")), bare and section.colored and not {"-", "("} & set(text))


def _chosen(number: Decimal, parts: tuple[Section, ...]) -> tuple[Section, bool]:
    """The section for the number, and whether it is one of negative numbers, which writes the sign itself."""
    if any(part.condition for part in parts):
        fitting = [part for part in parts if part.holds(number)] + [part for part in parts if not part.condition]
        return (fitting or [*parts])[0], False
    if number < 0 and len(parts) > 1:
        return parts[1], True
    return parts[2 if number == 0 and len(parts) > 2 else 0], False


def _section(number: Decimal, section: Section) -> str:
    size = abs(number)
    if section.has("general", "@"):
        return "".join(f"{size:f}" if kind in ("general", "@") else text for kind, text in section.tokens)
    if section.has("power"):
        decimals = _decimals(section)
        mantissa, _, power = f"{size:.{decimals}E}".partition("E")
        return f"{mantissa}E{power[0]}{int(power[1:]):02}"
    if section.has("/") and section.has("0", "#", "?"):
        return _fraction(size, section)
    size *= Decimal(100) ** sum(kind == "%" for kind, _ in section.tokens)
    return _digits(size, section)


def _digits(size: Decimal, section: Section) -> str:
    """The digits of the number in their places, with what stands between and beside them."""
    tokens = list(section.tokens)
    places = [at for at, (kind, _) in enumerate(tokens) if kind in "0#?" and len(kind) == 1]
    if not places:
        return "".join(text for kind, text in tokens if kind not in (".", ","))
    last = places[-1]
    scale = sum(kind == "," for kind, _ in tokens[last:])
    point = next((at for at, (kind, _) in enumerate(tokens) if kind == "."), len(tokens))
    scale += sum(kind == "," for kind, _ in tokens[max((at for at in places if at < point), default=point) : min(point, last)])
    thousands = any(kind == "," for kind, _ in tokens[places[0] : max((at for at in places if at < point), default=0)])
    rounded = (size.scaleb(-3 * scale)).quantize(Decimal(1).scaleb(-_decimals(section)), ROUND_HALF_UP)
    whole, _, fraction = f"{rounded:f}".partition(".")
    filled = _whole([at for at in places if at < point], tokens, "" if whole == "0" else whole, thousands=thousands)
    filled |= _fractional([at for at in places if at > point], tokens, fraction)
    return "".join(filled.get(at, "" if kind == "," else text) for at, (kind, text) in enumerate(tokens))


def _whole(places: list[int], tokens: list[Token], digits: str, *, thousands: bool) -> dict[int, str]:
    """Digits from the right; those that have no place stand before the first one."""
    filled, count = {}, 0
    for at in reversed(places):
        take = len(digits) if at == places[0] else 1
        mine, digits = digits[-take:] if take else "", digits[: len(digits) - take]
        mine = mine or {"0": "0", "#": "", "?": " "}[tokens[at][0]]
        text = ""
        for digit in reversed(mine):
            text = digit + ("," if thousands and count and count % 3 == 0 and digit.isdigit() else "") + text
            count += 1
        filled[at] = text
    return filled


def _fractional(places: list[int], tokens: list[Token], digits: str) -> dict[int, str]:
    """Digits from the left; zeros at the end only where a 0 asks for them."""
    kept = len(digits.rstrip("0"))
    blank = {"0": "0", "#": "", "?": " "}
    return {at: digit if number < kept else blank[tokens[at][0]] for number, (at, digit) in enumerate(zip(places, digits, strict=False))}


def _decimals(section: Section) -> int:
    kinds = [kind for kind, _ in section.tokens]
    end = kinds.index("power") if "power" in kinds else len(kinds)
    return sum(kind in ("0", "#", "?") for kind in kinds[kinds.index(".") : end]) if "." in kinds[:end] else 0


def _fraction(size: Decimal, section: Section) -> str:
    kinds = [kind for kind, _ in section.tokens]
    wide = min(sum(kind in ("0", "#", "?") for kind in kinds[kinds.index("/") :]), 4) or 1
    found = Fraction(size).limit_denominator(10**wide - 1)
    whole, rest = divmod(found, 1)
    return f"{whole or ''} {rest}".strip() if rest else str(whole)


def _bracket(text: str, tokens: list[Token], facts: tuple[tuple[str, Decimal] | None, bool]) -> tuple[tuple[str, Decimal] | None, bool]:
    """`[$€-407]` names a currency, `[>=100]` a condition, `[Red]` a color, `[h]` hours that go on counting."""
    condition, colored = facts
    if text.startswith("$"):
        tokens.append(("literal", text[1:].partition("-")[0]))
    elif found := CONDITION.fullmatch(text):
        condition = found[1], Decimal(found[2])
    elif ELAPSED.fullmatch(text):
        tokens.append(("date", text))
    return condition, colored or text.casefold() in COLORS or text.casefold().startswith("color")
