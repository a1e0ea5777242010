"""What can become of a call: a receipt, or one of three errors. And the plain words for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.spectrum.fields import BY_NAME

FailureClass = Literal["data", "access"]

GOOD = frozenset("G")
ACCESS = frozenset("AE")
DATA = frozenset("IM")

REFUSED_US = (
    "Spectrum refused our credentials. The Authorization ID may be inactive, or not allowed to use ARChangeRequest or this company."
)
UNDER_CHECK = "The change request may or may not have been saved; check in Spectrum before it is sent again."

# What an accountant can look at, by element; Spectrum's own text follows its code only loosely.
HINTS = {
    "Origination_Date": "The accounting period of that date may be closed in Spectrum.",
    "Approved_Date": "The accounting period of that date may be closed in Spectrum.",
    "Sub_Change_Order_Date": "The accounting period of that date may be closed in Spectrum.",
    "Job_Number": "The job may be missing or Complete in Spectrum.",
    "Customer_Code": "A change request needs a contract of this customer on the job.",
    "CR_Phase_Code": "The phase and cost type may be missing on the job, or Complete.",
    "CR_Cost_Type": "The phase and cost type may be missing on the job, or Complete.",
    "Subcontractor_Code": "Vendor and subcontract must belong together in Spectrum.",
    "Subcontract_Number": "Vendor and subcontract must belong together and to this job in Spectrum.",
    "Change_Request_Number": "Somebody may have put this change request on a draw or a change order in Spectrum.",
}


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
    answer  excerpt of the answer, at most 4 KiB of UTF-8, without the Authorization ID.
    """

    def __init__(self, message: str, *, http: int | None = None, rows: Sequence[Row] = (), answer: str = "") -> None:
        super().__init__(message)
        self.http = http
        self.rows = tuple(rows)
        self.answer = answer


class NotSent(SpectrumError):
    """No byte of the request left this machine. Safe to try again."""


class Refused(SpectrumError):
    """Spectrum read the record and said no; nothing was stored. Sending it again unchanged will not help."""

    @property
    def access(self) -> bool:
        """Whether it refused us (credentials, rights) and not the record."""
        return failure_class(self.rows, self.http) == "access"


class OutcomeUnknown(SpectrumError):
    """Something was sent and no answer we understand came back. It may have been stored: never resend without a check."""


def failure_class(rows: Sequence[Row], http: int | None = None) -> FailureClass:
    """Who can mend a refusal: "access" whoever keeps the Authorization ID, "data" whoever keeps the record."""
    return "access" if http in (401, 403) or any(row.code in ACCESS for row in rows) else "data"


def explain(code: str, column: str, text: str) -> str:
    """One row of an answer as a sentence for a clerk. Code and column decide; `text` is only quoted."""
    field = BY_NAME.get(column)
    label = field.label if field else column or "the record"
    if code in ACCESS and column == "GUID":
        return "Spectrum no longer knows this session. Retry; a new session is opened."
    if code in ACCESS:
        return REFUSED_US
    if code in DATA:
        return " ".join(filter(None, (f"Spectrum did not accept {label}: {_ended(text)}", HINTS.get(column, ""))))
    if code in GOOD:
        return f"Spectrum reports {label}: {_ended(text)}"
    return f"Spectrum answered with a code the portal does not know ({code or 'blank'}): {_ended(text)} {UNDER_CHECK}"


def _ended(text: str) -> str:
    text = " ".join(text.split()) or "no reason given"
    return text if text.endswith((".", "!", "?")) else f"{text}."
