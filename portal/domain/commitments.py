"""Jobs, vendors and commitments: what a change order changes, under Spectrum's own codes."""

from enum import StrEnum
from typing import Any

import peewee

from portal.db import Model, MoneyField, lock
from portal.domain.companies import Company
from portal.domain.keyed import Keyed
from portal.domain.keyed import indexes as keyed

NO_VENDOR = "No vendor"


class Kind(StrEnum):
    SUBCONTRACT = "subcontract"
    PURCHASE_ORDER = "purchase order"


class Job(Keyed):
    """A construction job.

    number     Spectrum job number, 1-10 characters
    customer   Spectrum customer code of the job's contract, 1-10 characters; empty until known
    """

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="jobs")
    company_id: int
    number = peewee.CharField(max_length=10)
    name = peewee.CharField(max_length=100)
    customer = peewee.CharField(max_length=10, default="")

    class Meta:
        indexes = keyed("company")


class Vendor(Model):
    """A subcontractor or seller; `code` is its Spectrum vendor code, empty until linked. Of two with one name the code tells who is who."""

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="vendors")
    name = peewee.CharField(max_length=100)
    code = peewee.CharField(max_length=10, default="")

    class Meta:
        indexes = ((("company", "name"), False),)


class Commitment(Keyed):
    """A subcontract or purchase order on a job.

    vendor     null while no file has named it: its change orders stay drafts
    number     its number on the project side, up to 30 characters
    subcontract   Spectrum subcontract number, 1-10 characters; empty until it is in Spectrum
    as_subcontract   a purchase order that was entered in Spectrum as a subcontract
    unit_price   a unit price contract in Spectrum: every line names its bid item
    """

    job = peewee.ForeignKeyField(Job, on_delete="RESTRICT", backref="commitments")
    vendor = peewee.ForeignKeyField(Vendor, null=True, on_delete="RESTRICT", backref="commitments")
    number = peewee.CharField(max_length=30)
    title = peewee.CharField(max_length=100, default="")
    kind = peewee.CharField(default=Kind.SUBCONTRACT)
    as_subcontract = peewee.BooleanField(default=False)
    subcontract = peewee.CharField(max_length=10, default="")
    unit_price = peewee.BooleanField(default=False)
    original_amount = MoneyField(null=True)

    class Meta:
        indexes = keyed("job")

    @property
    def vendor_name(self) -> str:
        return str(self.vendor.name) if self.vendor else NO_VENDOR

    @property
    def vendor_code(self) -> str:
        return str(self.vendor.code) if self.vendor else ""

    @property
    def is_purchase_order(self) -> bool:
        return bool(self.kind == Kind.PURCHASE_ORDER)


UNDER: dict[type[Model], Any] = {Job: Commitment.job, Vendor: Commitment.vendor, Commitment: Commitment.id}


def hold(commitment: Commitment) -> None:
    """Until the transaction ends no one else makes or renumbers a change order of it: who comes second sees whose number is taken."""
    lock(
        Commitment.select(Commitment.id).where(Commitment.id == commitment.id), "FOR NO KEY UPDATE"
    )  # an import that refers to it need not wait
