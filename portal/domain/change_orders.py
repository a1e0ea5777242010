"""The commitment change order: its lines, and the one function that changes its state."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import peewee

from portal import clock
from portal.db import ExactField, Model, MoneyField, UtcField, database, lock
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps
from portal.domain import status_totals
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.keyed import indexes as keyed
from portal.domain.people import User
from portal.domain.statuses import ALLOWED as ALLOWED  # with the following known to callers from here
from portal.domain.statuses import EDITABLE as EDITABLE
from portal.domain.statuses import IN_FLIGHT as IN_FLIGHT
from portal.domain.statuses import SENT_IN
from portal.domain.statuses import Status as Status
from portal.domain.waiting import Waiting

SUBJECT = "change_order"  # what events about one are filed under


class Overtaken(Exception):
    """The change order is no longer what the person saw; `change_order` is it as it is now."""

    def __init__(self, change_order: "ChangeOrder") -> None:
        super().__init__(f"CCO {change_order.number} is now: {change_order.label}")
        self.change_order = change_order


class ChangeOrder(Waiting):
    """A change to a commitment's amount, with lines.

    amount          negative for a credit; without the tax
    tax             what the document states beside the lines; never sent to Spectrum
    currency        of amount, tax and lines: three letters; only the company's may be sent
    dated           the document's own date, if it has one; never sent to Spectrum
    project_status  the approval state on the project side; only `Approved` may be sent
    version         counts every write and guards every UPDATE: what the person saw
    revision        counts sends to accounting; `sent_amount` is the amount of the last one
    checks          `clean`, `warn` or `block`: the worst finding, kept by the code that changes an input
    cause           by id, the FailureCause of its last failure, at `failed_at`
    export          the open Export, while there is one
    manual          exported, but by hand: someone typed it into Spectrum
    compared_at     when Spectrum was last read back for the nightly comparison
    differs         in what Spectrum differed then from what was exported; empty when it agreed
    """

    commitment = peewee.ForeignKeyField(Commitment, on_delete="RESTRICT", backref="change_orders")
    number = peewee.CharField(max_length=12)
    title = peewee.TextField()
    description = peewee.TextField(default="")
    amount = MoneyField()
    tax = MoneyField(default=Decimal("0.00"))
    currency = peewee.CharField(max_length=3, default="USD")
    dated = peewee.DateField(null=True)
    project_status = peewee.CharField(default="Approved")
    status = peewee.CharField(default=Status.DRAFT)
    version = peewee.IntegerField(default=1)
    revision = peewee.IntegerField(default=0)
    checks = peewee.CharField(default="clean")
    created_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    created_at = UtcField(default=clock.now)
    sent_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    sent_at = UtcField(null=True)
    sent_amount = MoneyField(null=True)
    decided_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    decided_at = UtcField(null=True)
    commitment_id: int
    created_by_id: int | None
    sent_by_id: int | None
    decided_by_id: int | None
    lines: list["LineItem"]
    as_sent = False  # in memory: it reads as its last revision was sent, not as its project corrects it (revisions.show_as_sent)
    is_reworked = False  # in memory: what is shown as sent reads otherwise in its project by now (revisions.show_as_sent)
    manual = peewee.BooleanField(default=False)
    compared_at = UtcField(null=True)
    differs = peewee.TextField(default="")
    cause = peewee.IntegerField(null=True)  # a plain number, like the next
    failed_at = UtcField(null=True)
    export = peewee.IntegerField(null=True)  # the open Export's id; a plain number, since Export refers back here

    class Meta:
        indexes = (*keyed("commitment"), (("status", "sent_at", "id"), False))

    @property
    def state(self) -> Status:
        return Status(self.status)

    @property
    def label(self) -> str:
        return self.state.label

    @property
    def is_ready(self) -> bool:
        return self.state is Status.READY

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def is_in_flight(self) -> bool:
        return self.state in IN_FLIGHT

    @property
    def job(self) -> Job:
        job: Job = self.commitment.job
        return job

    @property
    def company(self) -> Company:
        company: Company = self.job.company
        return company

    @property
    def line_total(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount is not None), Decimal("0.00"))

    @property
    def counted(self) -> tuple[str, Decimal] | None:
        """The status in which it counts, and with which amount: what is with its project counts as it was sent."""
        if self.sent_at is None:
            return None
        as_sent = self.sent_amount if self.is_editable else None
        return self.status, self.amount if as_sent is None else as_sent

    def expect(self, version: int, *states: Status) -> None:
        """Raise Overtaken unless the change order is still in one of the states, and in the version, that the person saw."""
        if self.state not in states or self.version != version:
            raise Overtaken(self)

    def move(self, target: Status, version: int, **changes: Any) -> None:
        """Guarded write, the only one of `status`: one UPDATE decides the race between two people. The totals move along.

        `changes` are further columns of the same write. Raises Overtaken when someone else was first.
        """
        if target not in ALLOWED[self.state]:
            raise Overtaken(self)
        moved = (
            ChangeOrder.update(status=target, version=version + 1, **changes)
            .where(ChangeOrder.id == self.id, ChangeOrder.status == self.status, ChangeOrder.version == version)
            .execute()
        )
        if moved != 1:
            raise Overtaken(load(self.id))
        left = self.counted
        self.__data__.update(changes)
        self.status, self.version = target, version + 1
        status_totals.post(self.job.company_id, left, self.counted)


for _name, _condition in SENT_IN.items():
    _index = ChangeOrder.index(ChangeOrder.sent_at, ChangeOrder.id, where=peewee.SQL(_condition), name=f"change_order_listed_{_name}")
    ChangeOrder.add_index(_index)


class LineItem(Model):
    """One cost line of a change order.

    position    1, 2, 3 ... as the project numbers them
    phase_code  Spectrum phase code, as written on the project side, dashes allowed ("07-840")
    cost_type   Spectrum cost type, 1-3 characters
    amount      null only while a draft is being written
    """

    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="+")  # `lines` are loaded, never asked for by a row
    change_order_id: int
    position = peewee.IntegerField()
    phase_code = peewee.CharField(max_length=30, default="")
    cost_type = peewee.CharField(max_length=10, default="")
    bid_item = peewee.CharField(max_length=11, default="")
    description = peewee.TextField(default="")
    quantity = ExactField(max_length=40, null=True)
    unit = peewee.CharField(max_length=10, default="")
    amount = MoneyField(null=True)

    class Meta:
        indexes = ((("change_order", "position"), True),)


Sender, Decider, Creator = User.alias("sender"), User.alias("decider"), User.alias("creator")


def complete() -> Any:
    """Change orders with commitment, job, company, vendor and people, in one query."""
    return _joined(ChangeOrder, Commitment, Job, Company, Vendor, Sender, Decider, Creator)


def _joined(*columns: Any) -> Any:
    return (
        ChangeOrder.select(*columns)
        .join(Commitment)
        .join(Job)
        .join(Company)
        .switch(Commitment)
        .join(Vendor, peewee.JOIN.LEFT_OUTER)
        .join_from(ChangeOrder, Sender, peewee.JOIN.LEFT_OUTER, on=ChangeOrder.sent_by)
        .join_from(ChangeOrder, Decider, peewee.JOIN.LEFT_OUTER, on=ChangeOrder.decided_by)
        .join_from(ChangeOrder, Creator, peewee.JOIN.LEFT_OUTER, on=ChangeOrder.created_by)
    )


THINGS = [Shape(model) for model in (ChangeOrder, Commitment, Job, Company, Vendor)]
LOADED = Statement(*THINGS, *map(Shape, (Sender, Decider, Creator)), query=_joined)
LISTED = Statement(*THINGS, *(Shape(person, "id", "name", "email") for person in (Sender, Decider, Creator)), query=_joined)
LINES = Statement(Shape(LineItem), query=LineItem.select)


def listed(condition: str, parameters: Iterable[Any] = (), by: Statement = LISTED) -> list[ChangeOrder]:
    """Those of an SQL condition over `complete` (`t1`: the change order), without lines; of people only what is shown of them."""
    found = []
    for change_order, commitment, job, company, vendor, sender, decider, creator in by.run(condition, parameters):
        job.__rel__["company"] = company
        commitment.__rel__.update(job=job, vendor=vendor)
        people = {"sent_by": sender, "decided_by": decider, "created_by": creator}
        change_order.__rel__.update(commitment=commitment, **{name: person for name, person in people.items() if person})
        found.append(change_order)
    return found


@Asks
def with_lines(change_orders: Iterable[ChangeOrder]) -> Steps[list[ChangeOrder]]:
    """The same change orders, their lines loaded in one query and ordered by position."""
    found = {change_order.id: change_order for change_order in change_orders}
    for one in found.values():
        one.lines = []
    (lines,) = (yield [LINES.where(f"change_order_id IN {places(found)}", found)]) if found else [[]]
    for (line,) in sorted(lines, key=lambda row: row[0].position):
        found[line.change_order_id].lines.append(line)
    return list(found.values())


def hold(id: int) -> ChangeOrder:
    """As `load`; until the transaction ends no one else decides about it. Call before anything else of the transaction is written
    but the lease of a lane, so that no one waits in a circle."""
    lock(ChangeOrder.select(ChangeOrder.id).where(ChangeOrder.id == id))
    return load(id)


def load(id: int) -> ChangeOrder:
    """One change order with everything a decision looks at. Raises ChangeOrder.DoesNotExist."""
    if found := listed(f"WHERE t1.id = {database.param}", [id], LOADED):
        return with_lines(found)[0]
    raise ChangeOrder.DoesNotExist  # type: ignore[attr-defined]
