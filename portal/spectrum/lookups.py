"""What Spectrum tells about jobs, phases, customers and vendors. Codes are trimmed: they may be stored padded [O7]."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a look-up brought.

    complete  whether something that is not among `rows` may be said not to exist. False after a stop at 500 rows [O5], a cut answer
              [O2], a warning, rows that were not asked for, and no rows at all: then what is missing is *not known*. Even a complete
              list holds only what the operator of the Authorization ID may see [D4].
    reason    why it is not complete, a sentence; empty when it is.
    """

    rows: tuple[T, ...]
    complete: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """`status` A active, I inactive, C complete; `contract` blank: no change request can be made [P2]. [D28]"""

    number: str
    description: str
    customer: str
    contract: str
    status: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase and cost type of a job; `status` as of a job, `unit` its unit of measure. [D29]"""

    job: str
    phase: str
    cost_type: str
    description: str
    status: str
    unit: str


@dataclass(frozen=True, slots=True)
class Customer:
    """[D30]"""

    code: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """Active vendors only are listed [D9]."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reached:
    """What a connection test found.

    ok       Spectrum answered and accepts the Authorization ID.
    reached  Spectrum answered, whatever it said.
    place    host and port.
    seconds  how long it took.
    said     what happened, a sentence.
    advice   what to do about it; empty when all is well.
    """

    ok: bool
    reached: bool
    place: str
    seconds: float
    said: str
    advice: str = ""
