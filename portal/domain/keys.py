"""The one form of a number or code in which two spellings of it are the same thing, on every road into the portal.

`24–117` with an en dash, with wide digits or with a blank behind it is job 24-117; `sc-015` is SC-015. What no one can see
(zero-width blanks, soft hyphens, marks of direction) belongs into no key and is refused there. Of names most of it is dropped.
"""

import re
import unicodedata
from functools import lru_cache

# What is no part of a key: controls, what shows as nothing, and what a decoder puts in place of bytes that were no text.
INVISIBLE = (
    "\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\uffff"
)
# The same beyond the first 65,536 characters; not as escapes, which are written otherwise in a JSON schema than here.
INVISIBLE += "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
ODD = re.compile(f"[{INVISIBLE}\\ud800-\\udfff]")
DASH = re.compile("[\u02d7\u058a\u05be\u1806\u2010-\u2015\u2043\u2053\u207b\u208b\u2212\u2796\u2e3a\u2e3b\u301c\u3030\ufe58\ufe63\uff0d]")
BLANKS = re.compile("[ \u1680]+")  # all others become a plain blank by themselves
GAPS = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
COPIED = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")  # not what turns the direction of what follows
LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[^0-9A-Za-z]*[0-9])")


def plain(text: str) -> str:
    """The key as it is kept: plain letters, digits and dashes in place of their other forms, blanks joined; its case stays.

    What would become several letters (a ligature) stays as it is, so that no key grows out of its column.
    """
    composed = unicodedata.normalize("NFC", DASH.sub("-", text))
    folded = composed if composed.isascii() else unicodedata.normalize("NFC", "".join(map(_folded, composed)))
    return BLANKS.sub(" ", DASH.sub("-", folded)).strip()


def odd(text: str) -> str:
    """Which invisible character stands where, as a sentence without its subject; empty when there is none."""
    found = ODD.search(text.strip())
    if not found:
        return ""
    name = unicodedata.name(found[0], "control character").lower()
    return f"contains an invisible character, {name} (U+{ord(found[0]):04X}), at position {found.start() + 1}. Delete it."


def canonical(text: str) -> str:
    """The form in which two spellings of one key are equal."""
    if text.isascii() and text.isprintable():  # nearly all are, and a file has many
        return BLANKS.sub(" ", text.upper()).strip()
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain(ODD.sub("", text))).upper())
    return BLANKS.sub(" ", DASH.sub("-", upper)).strip()


job = commitment = change_order = vendor = customer = subcontract = cost_type = bid_item = canonical


def phase(text: str) -> str:
    """Spectrum is sent phases without their dashes, so that `07-840` and `07840` are one."""
    return canonical(text).replace("-", "").strip()


def name(text: str) -> str:
    """A name as it is kept: what comes along with copied text and shows as nothing is dropped, blanks of all kinds are joined."""
    return unicodedata.normalize("NFC", GAPS.sub(" ", COPIED.sub("", text))).strip()


def vendor_name(text: str) -> str:
    """The form in which two spellings of one vendor's name are equal."""
    return unicodedata.normalize("NFKC", name(text)).casefold()


@lru_cache(maxsize=16_384)
def searched(text: str) -> str:
    """The form in which text is searched: small letters without accents, plain dashes, single blanks."""
    if text.isascii() and text.isprintable():
        return BLANKS.sub(" ", text.lower()).strip()
    plain_text = DASH.sub("-", unicodedata.normalize("NFKD", name(ODD.sub("", text))).casefold())
    return " ".join("".join(one for one in unicodedata.normalize("NFKD", plain_text) if not unicodedata.combining(one)).split())


@lru_cache(maxsize=16_384)
def loose(text: str) -> str:
    """What all look-alikes of a key have in common, and some others too: for finding them in a table."""
    return re.sub(r"0+(?=[0-9])", "", _bare(text)) or canonical(text)


def are_alike(one: str, other: str) -> bool:
    """Whether two keys are equal but for leading zeros, separators or accents: `1` and `001`, `SC-015` and `SC15`."""
    return not _skeletons(one).isdisjoint(_skeletons(other))


def _folded(one: str) -> str:
    plain_one = unicodedata.normalize("NFKC", one)
    return plain_one if len(plain_one) == 1 else one


@lru_cache(maxsize=16_384)  # a list compares the same few hundred numbers again and again
def _skeletons(text: str) -> frozenset[str]:
    """Without separators, before and after the zeros that lead a group of digits are left out."""
    key = canonical(text)
    return frozenset((LEADING_ZEROS.sub("", _bare(key)) or key, _bare(LEADING_ZEROS.sub("", key)) or key))


def _bare(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", canonical(text)) if one.isalnum())
