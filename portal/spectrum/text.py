"""Text as Spectrum can store it: printable ASCII (32-126), which is published for notes [D14] and assumed for every other field [A]."""

# ruff: noqa: RUF001 -- characters that look like ASCII ones are the subject of this file

import re
import unicodedata

# What Unicode does not decompose by itself.
SPELLED = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
        "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "n", "Ŋ": "N",
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "´": "'", "‹": "<", "›": ">",
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁄": "/", "∕": "/", "÷": "/",
        "×": "x", "•": "*", "·": "*", "±": "+/-", "≤": "<=", "≥": ">=", "≈": "~", "°": " deg ", "Ω": "Ohm", "μ": "u", "µ": "u",
        "€": "EUR", "£": "GBP", "¥": "JPY", "©": "(C)", "®": "(R)", "§": "Sec. ", "¶": "", "¡": "!", "¿": "?",
    }
)  # fmt: skip
FRACTION = re.compile(r"(?<=\d)(?=[¼½¾⅐-⅞])")
POWER = re.compile(r"(?<=\d)(?=[¹²³⁰⁴-⁹])")
#: Unused for 24 hours a label has timed out [D1]; an hour is left for clocks that differ.


def fold(text: str) -> str:
    """`text` in printable ASCII, runs of blanks as one: "Café – 1½″" becomes 'Cafe - 1 1/2"'.

    Raises ValueError naming the characters that have no ASCII spelling (see `unfoldable`).
    """
    folded = _spell(text)
    if lost := outside_ascii(folded):
        raise ValueError(f"The text contains characters Spectrum cannot store: {visible(lost)}")
    return folded


def unfoldable(text: str) -> str:
    """The characters of `text` that Spectrum cannot store in any spelling, each once, in order; empty when all can be folded."""
    return outside_ascii(_spell(text))


def visible(characters: str) -> str:
    """`characters` apart by blanks, for a message; those that would not show are given by number."""
    return " ".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in characters)


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` characters, cut at a blank where that keeps more than half of it."""
    if len(text) <= width:
        return text
    head = text[: width + 1].rpartition(" ")[0].rstrip(" ,;:-")
    return head if len(head) * 2 > width else text[:width].rstrip()


def describe(cco_number: str, title: str, description: str = "") -> str:
    """CR_Description: `<CCO number>: <title> - <description>`, folded, cut at its 250 characters.

    Raises ValueError for characters that have no ASCII spelling.
    """
    text = f"{cco_number}: {title}"
    if description.strip():
        text += f" - {description}"
    return fold(text)[:250].rstrip()


def outside_ascii(text: str) -> str:
    """The characters of `text` that are not printable ASCII, each once, in order."""
    return "".join(dict.fromkeys(one for one in text if not " " <= one <= "~"))


def _spell(text: str) -> str:
    text = POWER.sub("^", FRACTION.sub(" ", text)).translate(SPELLED)  # 1½ must not become 11/2, nor 10² become 102
    text = unicodedata.normalize("NFKD", text).translate(SPELLED)
    kept = (one for one in text if unicodedata.category(one) not in ("Mn", "Cf"))
    return " ".join("".join(kept).split())
