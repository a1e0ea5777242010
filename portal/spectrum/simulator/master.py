"""The simulator's master data: what a customer's Spectrum would hold before the first change request. Read from one JSON file."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

SHIPPED = Path(__file__).with_name("master.json")
T = TypeVar("T")


@dataclass
class AuthorizationId:
    """Who may call, which services, for which companies [D10]. For enhanced authentication its id is the client id too.

    client_secret  the first one; rotating replaces it.   secret_days  how long a secret lives, 7 to 120 [D5].
    self_rotation  whether an application may rotate it [D5].
    """

    id: str
    active: bool = True
    companies: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    client_secret: str = "simulated-secret"  # noqa: S105 -- nothing is kept behind it
    secret_days: int = 90
    self_rotation: bool = True


@dataclass
class Company:
    """`ar_period`, `ap_period`: first and last open accounting day, MM/DD/CCYY."""

    code: str
    name: str = ""
    ar_period: tuple[str, str] = ("01/01/2000", "12/31/2099")
    ap_period: tuple[str, str] = ("01/01/2000", "12/31/2099")


@dataclass
class Status:
    """A change request status; `action_type` 1-5 says what it does to revenue and cost [D22]."""

    company: str
    code: str
    action_type: int


@dataclass
class Customer:
    company: str
    code: str
    name: str = ""


@dataclass
class Job:
    """`status` A active, I inactive, C complete."""

    company: str
    number: str
    description: str = ""
    customer: str = ""
    contract: str = ""
    status: str = "A"
    disallow_revenue: bool = False


@dataclass
class Phase:
    """A phase and cost type of a job."""

    company: str
    job: str
    phase: str
    cost_type: str
    description: str = ""
    status: str = "A"
    unit: str = ""


@dataclass
class Vendor:
    company: str
    code: str
    name: str = ""
    active: bool = True


@dataclass
class Subcontract:
    company: str
    number: str
    vendor: str
    job: str
    unit_price: bool = False
    bid_items: list[str] = field(default_factory=list)


@dataclass
class SubChangeOrder:
    company: str
    job: str
    number: str


@dataclass
class Master:
    """Look-ups by key; None where Spectrum would hold nothing."""

    authorization_ids: dict[str, AuthorizationId]
    companies: dict[str, Company]
    statuses: dict[tuple[str, str], Status]
    customers: dict[tuple[str, str], Customer]
    jobs: dict[tuple[str, str], Job]
    phases: dict[tuple[str, str, str, str], Phase]
    vendors: dict[tuple[str, str], Vendor]
    subcontracts: dict[tuple[str, str], Subcontract]
    sub_change_orders: dict[tuple[str, str, str], SubChangeOrder]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read `path`, or the file that ships. Raises OSError or ValueError."""
        data = json.loads((path or SHIPPED).read_text(encoding="utf-8"))
        return cls(
            authorization_ids={one.id: one for one in _records(AuthorizationId, data)},
            companies={one.code: one for one in _records(Company, data)},
            statuses={(one.company, one.code): one for one in _records(Status, data)},
            customers={(one.company, one.code): one for one in _records(Customer, data)},
            jobs={(one.company, one.number): one for one in _records(Job, data)},
            phases={(one.company, one.job, one.phase.replace("-", ""), one.cost_type): one for one in _records(Phase, data)},
            vendors={(one.company, one.code): one for one in _records(Vendor, data)},
            subcontracts={(one.company, one.number): one for one in _records(Subcontract, data)},
            sub_change_orders={(one.company, one.job, one.number): one for one in _records(SubChangeOrder, data)},
        )


SECTIONS = {
    AuthorizationId: "authorization_ids",
    Company: "companies",
    Status: "statuses",
    Customer: "customers",
    Job: "jobs",
    Phase: "phases",
    Vendor: "vendors",
    Subcontract: "subcontracts",
    SubChangeOrder: "sub_change_orders",
}


def _records(kind: type[T], data: dict[str, Any]) -> Iterable[T]:
    known = {one.name for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for row in data.get(SECTIONS[kind], []):
        yield kind(**{name: value for name, value in row.items() if name in known})


def day(text: str) -> date:
    """A date as Spectrum writes it [D14]: MM/DD/CCYY or MM-DD-CCYY. Raises ValueError."""
    return datetime.strptime(text.replace("-", "/"), "%m/%d/%Y").date()  # noqa: DTZ007 -- a day has no zone
