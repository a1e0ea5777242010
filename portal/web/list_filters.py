"""Filter and order of a list as its address has them: read, and told what is wrong with them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from portal.domain import days, keys
from portal.domain.review import paging, views
from portal.domain.review.filters import CLEAN, FLAGGED, FREE, HELD, TODAY, WEEK, Filter
from portal.domain.review.views import View
from portal.intake import amounts

LONGEST, MOST_WORDS, MOST_DAYS = 100, 6, 9_999
AGE = re.compile("[0-9]{1,4}", re.ASCII)
TEXTS = {"q": "Search", "job": "Project", "vendor": "Vendor", "sender": "Sent by"}
TEXTS_OF_ALL = {"decider": "Decided by", "number": "Spectrum number"}
CHOICES = {
    "checks": [("", "All"), (CLEAN, "Clean"), (FLAGGED, "Flagged")],
    "held": [("", "All"), (HELD, "On hold"), (FREE, "Not on hold")],
}
DECIDED = [("", "Any time"), (TODAY, "Today"), (WEEK, "This week")]
STATUSES = [("", "Any"), *((str(status), status.label) for status in views.SENT)]
SORT_LABELS = [("", "Usual"), *((key, sort.label.capitalize()) for key, sort in paging.SORTS.items())]
SECTIONS = [("", "Needs a look first"), ("off", "One list")]
ARRANGEMENT = ("sort", "sections")
NAMES = (*TEXTS, "min", "max", "age", *CHOICES)
NAMES_OF_ALL = (*NAMES, *TEXTS_OF_ALL, "decided", "status", "since", "until")


class Invalid(Exception):
    """What an address asks for is no filter; `errors` has a sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def narrowed(view: View, asked: Mapping[str, str]) -> View:
    """The view with the filter and the order of an address. Raises Invalid with all that is wrong."""
    if not any(asked.get(name) for name in (*names(view), *ARRANGEMENT)):
        return view
    values = read(view, asked)
    sort, sections = values.pop("sort", ""), not values.pop("sections", "")
    return replace(view, filter=Filter(**values), sort="" if sort == view.order else sort, sections=sections)


def names(view: View) -> tuple[str, ...]:
    """The fields by which this view can be narrowed."""
    return NAMES_OF_ALL if view.key == "all" else NAMES


def typed(view: View, asked: Mapping[str, str]) -> dict[str, str]:
    """What stands in the fields of this view."""
    return {name: asked.get(name, "").strip() for name in (*names(view), *ARRANGEMENT)}


def read(view: View, asked: Mapping[str, str]) -> dict[str, Any]:
    """The values of the fields that are filled in. Raises Invalid with all that is wrong."""
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, text in typed(view, asked).items():
        try:
            values |= {name: READERS[name](text)} if text else {}
        except ValueError as error:
            errors[name] = str(error)
    if not errors:
        errors = _turned_round(values)
    if errors:
        raise Invalid(errors)
    return values


def _turned_round(values: Mapping[str, Any]) -> dict[str, str]:
    """Bounds that let nothing through."""
    least, most, first, last = (values.get(name) for name in ("min", "max", "since", "until"))
    errors = {}
    if least is not None and most is not None and least > most:
        errors["max"] = "The highest amount is below the lowest. Exchange them, or leave one empty."
    if first and last and first > last:
        errors["until"] = "The last day is before the first day. Exchange them, or leave one empty."
    return errors


def _text(label: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        text = keys.name(text)  # without what comes along with copied text and can't be seen
        if not text.isprintable():
            raise ValueError(f"{label}: type one line of plain text.")
        if len(text) > LONGEST:
            raise ValueError(f"{label}: type at most {LONGEST} characters.")
        if len(text.split()) > MOST_WORDS:
            raise ValueError(f"{label}: type at most {MOST_WORDS} words.")
        return text

    return read


def _choice(label: str, options: list[tuple[str, str]]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in dict(options):
            raise ValueError(f"{label}: choose from the list.")
        return text

    return read


def _age(text: str) -> int:
    if not AGE.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not a number of days. Type a whole number up to {MOST_DAYS:,}.")
    return int(text)


READERS: dict[str, Callable[[str], Any]] = {
    **{name: _text(label) for name, label in (TEXTS | TEXTS_OF_ALL).items()},
    **{name: _choice(name.capitalize(), options) for name, options in CHOICES.items()},
    "decided": _choice("Decided", DECIDED),
    "status": _choice("Status", STATUSES),
    **dict.fromkeys(("min", "max"), amounts.typed),
    "age": _age,
    "sort": _choice("Sort", SORT_LABELS),
    "sections": _choice("Sections", SECTIONS),
    **dict.fromkeys(("since", "until"), days.read),
}
