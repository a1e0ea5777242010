"""What must be true of change orders, in plain Python: who shaped what, what was signed, what Spectrum may hold, and under which number.

The model knows nothing of how the portal keeps its word. It is told what users and systems did, and says where the portal broke it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Key = tuple[str, str, str, str]  # of a change request in Spectrum: company, job, customer, number
Elements = dict[str, str]
JOB = "24-117"
PHASES = ("162000", "162100")
PLACES = {"SC-014": ("SC-014", "sc-014", "SC\u2013014"), "SC-015": ("SC-015", "ＳＣ-015")}  # commitments, and how they are spelled
NUMBERS = {"001": ("001", "００１"), "1": ("1",), "C-2": ("C-2", "c-2", "C\u20132")}  # CCOs of a commitment; 1 looks like 001
UNSEEN = "001\u200b"
ALIKE = frozenset({"001", "1"})
SENT_BACK = ("rejected", "retrieved")
EDITABLE = ("draft", *SENT_BACK)
SENT = ("ready", "queued", "exporting", "exported", "failed", "unknown")
AMOUNTS = ("Change_Request_Amount", "Sub_Amount")


class Broken(AssertionError):
    """The portal did what it must never do."""


def ensure(true: object, text: str) -> None:
    if not true:
        raise Broken(text)


@dataclass(frozen=True)
class Content:
    """What a change order says: a title, and the amounts of its lines in order."""

    title: str
    amounts: tuple[Decimal, ...]


@dataclass
class Order:
    """One change order as the model knows it.

    place, number  commitment and CCO number, each in the spelling that counts
    contributors   everybody who ever shaped what it says
    said           what each source said of it last
    signed         elements of each line, without the number, as the approver of the last Accept saw them; empty while none is in force
    key            under which it was accepted last
    was            its state after the last step; is_resent: somebody has sent it since, or a source has said something new
    told           the version in which whoever waits was seen to be told
    """

    id: int
    place: str
    number: str
    content: Content
    contributors: set[str] = field(default_factory=set)
    said: dict[str, Content] = field(default_factory=dict)
    signed: list[Elements] = field(default_factory=list)
    key: Key | None = None
    was: str = "draft"
    is_resent: bool = False
    told: int = 0


@dataclass
class Model:
    """All change orders, the settings of now, whose each key in Spectrum is, and which pairs a user said are two."""

    orders: dict[int, Order] = field(default_factory=dict)
    settings: Elements = field(default_factory=dict)
    owners: dict[Key, int] = field(default_factory=dict)
    apart: set[frozenset[int]] = field(default_factory=set)

    def named(self, place: str, number: str) -> Order | None:
        return next((one for one in self.orders.values() if (one.place, one.number) == (place, number)), None)

    def makes(self, id: int, place: str, number: str, content: Content) -> Order:
        ensure(self.named(place, number) is None, f"CCO {number} of {place} is there twice, under two spellings")
        self.orders[id] = Order(id, place, number, content)
        return self.orders[id]

    def say_apart(self, id: int, other: int, who: str) -> None:
        """Who says first that two are not one shaped what can be sent of either."""
        pair = frozenset((id, other))
        if pair not in self.apart:
            self.apart.add(pair)
            for one in pair:
                self.orders[one].contributors.add(who)

    def twins(self, order: Order) -> list[Order]:
        """Others that may be the same thing, as long as nobody has said that they are not."""
        near = (
            one for one in self.orders.values() if one is not order and one.place == order.place and {one.number, order.number} == ALIKE
        )
        return [one for one in near if frozenset((one.id, order.id)) not in self.apart]

    def is_taken_over(self, order: Order | None, state: str, source: str, content: Content) -> bool:
        """Whether what a file or a system says replaces what stands here: only where that source did not say it before."""
        if order is None:
            return True
        if state not in EDITABLE or content == order.content:
            return False
        if not order.said:
            return state not in SENT_BACK
        last = [order.said[source]] if source in order.said else order.said.values()
        return content not in last

    def shown(self, order: Order) -> list[Elements]:
        """What an approver who looks now signs with Accept: the elements of each line, without the number."""
        header = self.settings | {"Job_Number": JOB, "Sub_Description": order.content.title, "Subcontract_Number": order.place}
        lines = zip(PHASES, order.content.amounts, strict=False)
        return [header | {"CR_Phase_Code": phase} | dict.fromkeys(AMOUNTS, f"{amount:.2f}") for phase, amount in lines if amount]

    def decides(self, order: Order, who: str) -> None:
        ensure(who not in order.contributors, f"{who} decided about CCO {order.id}, which they had shaped")

    def enters(self, order: Order, key: Key) -> None:
        """The change request of this key is its own from now on: Spectrum merges two of one key without a word."""
        owner = self.owners.setdefault(key, order.id)
        ensure(owner == order.id, f"CCO {order.id} shares the change request {key} with CCO {owner}")
        order.key = key

    def leaves(self, order: Order, elements: Mapping[str, str], held: set[Key], *, first: bool) -> None:
        """A line is about to leave for Spectrum, which holds change requests under these keys; the `first` one of this turn or not."""
        self.enters(order, key_of(elements))
        ensure(any(says(elements, line) for line in order.signed), f"CCO {order.id} leaves otherwise than it was signed: {dict(elements)}")
        if first:
            old = {name: elements[name] for name, value in self.settings.items() if elements[name] != value}
            ensure(not old, f"CCO {order.id} leaves under values that have changed since its Accept: {old}")
        others = [one for one in self.twins(order) if one.key in held and order.key != one.key]
        ensure(
            not others, f"CCO {order.id} and {[one.id for one in others]} are one thing for all anybody has said: its money leaves twice"
        )


def says(elements: Mapping[str, str], signed: Mapping[str, str]) -> bool:
    return all(elements[name] == value for name, value in signed.items())


def key_of(elements: Mapping[str, str]) -> Key:
    names = ("Company_Code", "Job_Number", "Customer_Code", "Change_Request_Number")
    company, job, customer, number = (elements[name].strip() for name in names)
    return company, job, customer, number
