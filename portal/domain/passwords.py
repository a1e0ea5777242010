"""What a password must be: long, and not made of words that anybody would try here first."""

import re

from portal.domain import companies
from portal.domain.people import LONGEST_PASSWORD, SHORTEST_PASSWORD

COMMON = ("password", "passwort", "qwertyuiop", "qwerty", "asdfghjkl", "letmein", "welcome", "administrator", "admin", "changeme", "secret")
OURS = ("portal", "spectrum", "procore", "accounting", "commitment", "changeorder", "change", "order", "cco")
FEWEST_OTHERS = 6  # characters that are left when all of those words, and digits in a row, are taken away


def problem(password: str, email: str, name: str) -> str:
    """Why this password will not do, or an empty text."""
    if len(password) < SHORTEST_PASSWORD:
        return (
            f"The password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}. Take a few words that belong to nobody."
        )
    if len(password.encode()) > LONGEST_PASSWORD:
        return f"The password is longer than {LONGEST_PASSWORD} bytes."
    if len(set(password)) < FEWEST_OTHERS or len(_without_known_words(password, email, name)) < FEWEST_OTHERS:
        return "The password is easy to guess: little is left of it without common words, names and digits in a row. Choose other words."
    return ""


def _without_known_words(password: str, email: str, name: str) -> str:
    """The characters, each counted once, of what nobody could know."""
    names = re.split(r"[^\w]+", f"{email} {name} {companies.current().name}".casefold())
    rest = password.casefold()
    for word in sorted({*COMMON, *OURS, *(word for word in names if len(word) > 2)}, key=len, reverse=True):
        rest = rest.replace(word, " ")
    rest = re.sub(r"0?1?2?3?4?5?6?7?8?9?0?", "", rest)
    return "".join(set(rest) - {" "})
