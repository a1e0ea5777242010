"""What can become of a call: a receipt, or one of three errors. And the plain words for each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.spectrum import catalogue
from portal.spectrum.fields import BY_NAME

FailureClass = Literal["data", "access"]

GOOD = frozenset("G")
ACCESS = frozenset("AE")
DATA = frozenset("IM")
COMPLETE = re.compile(r"\bcomplete\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One `response` of an answer: a letter [D2], Spectrum's text, and the element it is about."""

    code: str
    text: str
    column: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Spectrum took the record. `rows` holds information rows (G) only; `answer` is a scrubbed excerpt."""

    http: int
    rows: tuple[Row, ...] = ()
    answer: str = ""


class SpectrumError(Exception):
    """Base of everything this package raises about a call; `str()` is a sentence for a clerk.

    http    status of the answer, None when there was none.
    rows    what Spectrum said, parsed; empty when nothing could be parsed.
    answer  excerpt of the answer, at most 4 KiB of UTF-8, without the Authorization ID or any secret.
    cause   column of the catalogue under `connect` (NotSent) or `answer` (OutcomeUnknown); empty where rows or status say it.
    """

    def __init__(self, message: str, *, http: int | None = None, rows: Sequence[Row] = (), answer: str = "", cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.http = http
        self.rows = tuple(rows)
        self.answer = answer


class NotSent(SpectrumError):
    """No byte of the request left this machine. Safe to try again."""


class Refused(SpectrumError):
    """Spectrum read the record and said no; nothing was stored. Sending it again unchanged will not help."""


class OutcomeUnknown(SpectrumError):
    """Something was sent and no answer we understand came back. It may have been stored: never resend without a check."""


class Unanswered(SpectrumError):
    """A question (look-up, connection test) got no answer we understand. Nothing was changed by it; ask again later."""


def failure_class(rows: Sequence[Row], http: int | None = None) -> FailureClass:
    """Who can fix a refusal: "access" the administrator of the Authorization ID, "data" the owner of the record."""
    found = [catalogue.find("http", str(http)), *(catalogue.find(row.code, row.column) for row in rows)]
    return "access" if any(entry.kind == "access" for entry in found) else "data"


@dataclass(frozen=True, slots=True)
class About:
    """The line an answer is about, as its project writes it."""

    job: str
    phase: str
    cost_type: str


def explain(code: str, column: str, text: str, about: About | None = None) -> str:
    """One row of an answer as a sentence for a clerk. Code and column decide; `text` is quoted."""
    entry = catalogue.find(code, column)
    field = BY_NAME.get(column)
    label = field.label if field else column or "the record"
    if code in ACCESS:
        return entry.meaning if entry.column == catalogue.ANY or column == "client_secret" else f"{entry.meaning} {entry.remedy}"
    if code in DATA:
        meaning = f"Spectrum did not accept {label}." if entry.column == catalogue.ANY else _meaning(entry, text, about)
        said = " ".join(text.split())
        return f"{meaning} Spectrum said: “{said}”." if said else f"{meaning} Spectrum gave no reason."
    if code in GOOD:
        return f"Spectrum reports {label}: {_ended(text)}"
    return f"Spectrum answered with a code the portal does not know ({code or 'blank'}): {_ended(text)}"


def _meaning(entry: catalogue.Entry, text: str, about: About | None) -> str:
    """What the entry means; where it is the phase and the line is known, which phase on which job."""
    if entry.meaning != catalogue.PAIR or about is None:
        return entry.meaning
    if entry.column == "CR_Phase_Code" and COMPLETE.search(text):  # only this word is taken from Spectrum's text, which stands beside it
        return f"Phase {about.phase} is Complete on job {about.job}."
    return f"Phase {about.phase} with cost type {about.cost_type} may be missing on job {about.job}, or Complete."


def _ended(text: str) -> str:
    text = " ".join(text.split()) or "no reason given"
    return text if text.endswith((".", "!", "?")) else f"{text}."
