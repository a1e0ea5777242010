"""What goes over the wire, in and out: the models behind both the answers and their OpenAPI description."""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from portal.domain import currencies, days, keys, money
from portal.domain.change_orders import Status
from portal.domain.projects.sending import Draft, LineDraft

MOST_LINES = 500
LARGEST_PAGE = 100
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
A_KEY = f"^[^{keys.INVISIBLE}]*$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
MONEY = r"^-?[0-9]{1,10}(\.[0-9]{1,2})?$"
QUANTITY = r"^-?[0-9]{1,10}(\.[0-9]{1,6})?$"
CURRENCY = "^[A-Z]{3}$"
DAY = (  # of the years 2000 to 2099, leap days where there are some
    r"^20([0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|([02468][048]|[13579][26])-02-29)$"
)
QUANTITIES = re.compile(QUANTITY.strip("^$"), re.ASCII)


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("has to be a text in quotation marks, amounts too.")
    return value


def _dollars(value: Any) -> Decimal:
    if _text(value) != value.strip():
        raise ValueError("begins or ends with a blank.")
    return money.parse(value)


def _quantity(value: Any) -> Decimal:
    if not QUANTITIES.fullmatch(_text(value)):
        raise ValueError("is not a quantity. Write it like “12” or “12.5”.")
    return Decimal(value)


def _day(value: Any) -> date:
    return days.read(_text(value))


def _currency(value: Any) -> str:
    if not currencies.CODE.fullmatch(_text(value)):
        raise ValueError("is not a currency. Write its code of three capitals, such as “USD”.")
    return str(value)


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 2.0 is 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _composed(value: Any) -> Any:
    """In the one form in which it is kept; before its length is looked at, which that may change."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _up_to(longest: int, pattern: str = ONE_LINE) -> Any:
    return Annotated[str, Field(max_length=longest, pattern=pattern), BeforeValidator(_composed)]


def _key(longest: int) -> Any:
    """A number or code: plain dashes and digits whatever they were written with, and nothing in it that no one sees."""
    return Annotated[str, Field(max_length=longest, pattern=A_KEY), BeforeValidator(_seen)]


def _seen(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if unseen := keys.odd(value):
        raise ValueError(unseen)
    return keys.plain(value)


def _written(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


NewAmount = Annotated[Decimal, PlainValidator(_dollars), _written(MONEY, "-1234.50")]
NewQuantity = Annotated[Decimal, PlainValidator(_quantity), _written(QUANTITY, "12.5")]
Amount = Annotated[Decimal, PlainSerializer(lambda value: f"{value:.2f}", return_type=str), _written(r"^-?[0-9]+\.[0-9]{2}$", "-1234.50")]
Quantity = Annotated[Decimal, PlainSerializer(lambda value: f"{value:f}", return_type=str), _written(r"^-?[0-9]+(\.[0-9]+)?$", "12.5")]
Moment = Annotated[datetime, PlainSerializer(_moment, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, PlainSerializer(date.isoformat, return_type=str), WithJsonSchema({"type": "string", "format": "date"})]
NewDay = Annotated[date, PlainValidator(_day), _written(DAY, "2026-11-30")]
NewCurrency = Annotated[str, PlainValidator(_currency), _written(CURRENCY, "USD")]
Version = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The version that was seen; a change since then is answered 409"), BeforeValidator(_whole)
]
JobNumber, CommitmentNumber, Number = _key(10), _key(30), _key(12)


class NewLine(Shape):
    """One cost line as it should be. Amounts are in the currency of the change order."""

    phase_code: _key(30) = Field("", description="Spectrum phase code, dashes allowed")  # type: ignore[valid-type]
    cost_type: _key(10) = ""  # type: ignore[valid-type]
    bid_item: _key(11) = Field("", description="Needed for unit price contracts")  # type: ignore[valid-type]
    description: _up_to(500) = ""  # type: ignore[valid-type]
    quantity: NewQuantity | None = None
    unit: _up_to(10) = ""  # type: ignore[valid-type]
    amount: NewAmount | None = None


class Change(Shape):
    """A change order as it should be. It may be incomplete: findings say what is missing before it can be sent."""

    title: _up_to(200)  # type: ignore[valid-type]
    description: _up_to(4000, LINES) = ""  # type: ignore[valid-type]
    project_status: _up_to(40) = Field("Approved", description="Only Approved may be sent")  # type: ignore[valid-type]
    amount: NewAmount | None = Field(None, description="The total; left out, it is the sum of the lines")
    tax: NewAmount = Field(
        Decimal("0.00"), description="Not part of the total and never sent to Spectrum; 0.00 unless the company allows it"
    )
    currency: NewCurrency | None = Field(None, description="Left out, the company's; any other cannot be sent")
    date: NewDay | None = Field(None, description="The document's own; never sent to Spectrum")
    lines: list[NewLine] = Field(max_length=MOST_LINES)
    version: Version | None = None

    def draft(self, number: str) -> Draft:
        lines = [LineDraft(**dict(line)) for line in self.lines]
        stated = self.tax, self.currency or "", self.date
        return Draft(number, self.title, self.description, lines, self.amount, self.project_status, *stated)


class Step(Shape):
    """A step forward or back."""

    version: Version


class Asked(BaseModel):
    """What a list is narrowed down to."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] = Field(default_factory=list, description="One or more states")
    job: JobNumber = ""  # type: ignore[valid-type]
    commitment: CommitmentNumber = ""  # type: ignore[valid-type]
    number: Number = ""  # type: ignore[valid-type]
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="How many at once")] = 50
    after: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,17})?$", description="`next` of the page before")] = ""


class Finding(Shape):
    """One thing that is wrong or worth knowing.

    pointer    JSON pointer into the change order
    parameter  name of a parameter of the address
    rule       number of the rule; the same ones that people see in the portal
    """

    pointer: str | None = None
    parameter: str | None = None
    detail: str
    rule: int | None = None
    blocking: bool = True
    who: str | None = None
    fix: str | None = None


class Line(Shape):
    """One cost line as it is kept."""

    phase_code: str
    cost_type: str
    bid_item: str
    description: str
    quantity: Quantity | None
    unit: str
    amount: Amount | None


class Summary(Shape):
    """A change order in a list."""

    id: int
    url: str
    job: str
    commitment: str
    number: str
    title: str
    date: Day | None
    amount: Amount
    tax: Amount
    currency: str
    status: Status
    status_label: str
    revision: int = Field(description="How often it was sent")
    as_sent: bool = Field(description="Shown is that revision, and not what the project has made of it since it came back")
    version: int
    checks: str = Field(description="clean, warn or block: the worst finding")
    spectrum_number: str | None = Field(description="Its change request number in Spectrum, once it has one")
    created_at: Moment
    sent_at: Moment | None
    decided_at: Moment | None


class ChangeOrder(Summary):
    """A change order with its lines, and what the checks say while it can still be answered or corrected."""

    description: str
    project_status: str
    reason: str | None = Field(description="Why accounting sent it back")
    lines: list[Line]
    findings: list[Finding]


class Page(Shape):
    """One page of a list. `next` goes into `after` for the one behind; null on the last page."""

    change_orders: list[Summary]
    next: str | None


class Problem(BaseModel):
    """What was refused and why (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Finding] | None = None
    change_order: ChangeOrder | None = Field(None, description="How it is now")
