"""People whose names look alike: a person who reads a name must know that there is a second one."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from portal.domain.people import User

# Cyrillic, Greek and Armenian letters, digits and strokes that are drawn as a Latin letter; in lower case, after folding.
DRAWN_ALIKE = str.maketrans(
    {
        "\u0430": "a",
        "\u0432": "b",
        "\u0435": "e",
        "\u043a": "k",
        "\u043c": "m",
        "\u043d": "h",
        "\u043e": "o",
        "\u0440": "p",
        "\u0441": "c",
        "\u0442": "t",
        "\u0443": "y",
        "\u0445": "x",
        "\u0456": "i",
        "\u0458": "j",
        "\u0455": "s",
        "\u0501": "d",
        "\u051b": "q",
        "\u051d": "w",
        "\u04bb": "h",
        "\u04cf": "l",
        "\u03b1": "a",
        "\u03b2": "b",
        "\u03b5": "e",
        "\u03b9": "i",
        "\u03ba": "k",
        "\u03bd": "v",
        "\u03bf": "o",
        "\u03c1": "p",
        "\u03c4": "t",
        "\u03c5": "u",
        "\u03c7": "x",
        "\u03c9": "w",
        "\u0585": "o",
        "0": "o",
        "1": "l",
        "|": "l",
        "!": "l",
        "\u0131": "l",
    }
)
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def among(people: Iterable[User]) -> dict[int, list[User]]:
    """For each open account, by id, the others of these people whose name a reader takes for the same."""
    alike: dict[str, list[User]] = defaultdict(list)
    for person in people:
        if person.active:
            alike[drawn(person.name)].append(person)
    return {one.id: [other for other in group if other.id != one.id] for group in alike.values() if len(group) > 1 for one in group}


def drawn(name: str) -> str:
    """What a quick reader sees of a name: no case, accents or blanks, and no difference of scripts."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold()).translate(DRAWN_ALIKE)
    plain = "".join(one for one in letters if unicodedata.category(one)[0] in "LN").replace("i", "l")
    for pair, single in PAIRS:
        plain = plain.replace(pair, single)
    return plain
