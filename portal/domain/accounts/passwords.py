"""What a password must be: long, and not made of what anyone would try first. How one is changed."""

import re
from functools import cache
from pathlib import Path

from portal.db import transaction
from portal.domain import companies, events, people
from portal.domain.accounts import sessions
from portal.domain.accounts.session_ends import EndReason
from portal.domain.people import LONGEST_PASSWORD, SHORTEST_PASSWORD, NotPermitted, User

COMMON = ("password", "passwort", "qwertyuiop", "qwerty", "asdfghjkl", "letmein", "welcome", "administrator", "admin", "changeme", "secret")
OURS = ("portal", "spectrum", "procore", "accounting", "commitment", "changeorder", "change", "order", "cco")
FEWEST_OTHERS = 6  # characters that are left when all of those words, and digits in a row, are taken away
LIST = Path(__file__).with_name("common_passwords.txt")
LEET = str.maketrans("013457@$!", "oleastasi")  # what people write for letters
NOT_LETTERS = re.compile(r"[\W\d_]+")
EASY = "The password is easy to guess: little is left of it without common words, names and digits in a row. Choose other words."
TRIED_FIRST = "The password is among those that are tried first: a common one, or two common ones together. Choose other words."


class Weak(Exception):
    """The new password will not do; the text says why."""


def problem(password: str, email: str, name: str) -> str:
    """Why this password will not do, or an empty text. It counts as it is: nothing is trimmed, and every character is allowed."""
    if len(password) < SHORTEST_PASSWORD:
        short = f"The password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}."
        return f"{short} Use a few words that aren’t a known phrase."
    if len(password.encode()) > LONGEST_PASSWORD:
        return f"The password is longer than {LONGEST_PASSWORD} bytes."
    if len(set(password)) < FEWEST_OTHERS or len(_without_known_words(password, email, name)) < FEWEST_OTHERS:
        return EASY
    return TRIED_FIRST if is_common(password) else ""


def is_common(password: str) -> bool:
    """Whether it is on the list of common passwords, or one or two of them once digits, signs and letters in disguise are seen through."""
    folded = password.casefold()
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded)
    words = {NOT_LETTERS.sub("", bare), NOT_LETTERS.sub("", bare.translate(LEET))} - {""}
    pairs = ((word[:at], word[at:]) for word in words for at in range(1, len(word) + 1))
    return folded in common() or any(first in common() and (not rest or rest in common()) for first, rest in pairs)


@cache
def common() -> frozenset[str]:
    """The list, read once."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def change(person: User, new: str, token: str) -> None:
    """The person, read when they gave the old password, takes a new one. Their sessions end but that of the token.

    Raises Weak, or NotPermitted when the old one was replaced meanwhile.
    """
    hashed = usable(new, person)
    with transaction():
        if not sessions.exchange(person, hashed):
            raise NotPermitted(sessions.OVERTAKEN)
        person = people.as_now(person)
        ended = sessions.end_all(person, EndReason.PASSWORD, but=token)
        events.record("user", person.id, "password changed", person, sessions_ended=ended)


def usable(password: str, person: User) -> str:
    """The hash of a new password of this person. Raises Weak."""
    if why_not := problem(password, person.email, person.name):
        raise Weak(why_not)
    return people.hasher.hash(password)


def _without_known_words(password: str, email: str, name: str) -> str:
    """The characters, each counted once, of what no one could know."""
    names = re.split(r"[^\w]+", f"{email} {name} {companies.current().name}".casefold())
    rest = password.casefold()
    for word in sorted({*COMMON, *OURS, *(word for word in names if len(word) > 2)}, key=len, reverse=True):
        rest = rest.replace(word, " ")
    rest = re.sub(r"0?1?2?3?4?5?6?7?8?9?0?", "", rest)
    return "".join(set(rest) - {" "})
