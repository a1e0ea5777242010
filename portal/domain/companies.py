"""The company: whose codes go to Spectrum, and how its people work."""

from decimal import Decimal

import peewee

from portal.db import Model, lock
from portal.db.fields import MoneyField
from portal.db.rows import Shape, Statement
from portal.db.steps import Asks, Steps

REPLACES, ADDS = "replaces", "adds"
MOST_AT_ONCE = 100  # change orders of one request


class Company(Model):
    """One set of books. Every job belongs to one; the settings page edits the only row.

    code               Spectrum company code, 1-3 characters
    cr_status          Spectrum change request status code, 1-2 characters
    cr_approves        the status is of action type 1 or 2: it recognises revenue too, and takes an approved date
    cost_reimbursable  Spectrum's flag, `Y` or `N`
    sub_status         P (proposed), E (executed) or R (rejected)
    accounting_dates   the approver may set an accounting date; within period_from and period_to, the open period, where these are set
    currency           of the books, three letters: the only one in which change orders are sent
    tax_allowed        a change order with tax may be sent; Spectrum gets its lines and not the tax
    support_may_retry  Standard without the privilege may retry what failed for other reasons than the data
    daily_summary      approvers get mail about what waits, at summary_hour (0-23, local) on summary_days (ISO weekdays, `12345`)
    export_delay       seconds between Accept and the first send, so that there is something to recall
    it_people, administrator_people  e-mail addresses, one to a line: who looks after failed exports; empty: the administrators
    growth_limit       percent of a contract's original value above which its changes are flagged; null: any
    look_rules         the reasons for which a change order needs a look (rules.attention); look_limit: above which amount
    bulk_cap           how many change orders are accepted, rejected or held at once
    bulk_read_all      Export of many works only after the last one was in view
    reject_reasons     what an approver may fill in with one press when sending back, one to a line
    test_company       a test company in Spectrum, where an exported line may be sent a second time; another code takes it off
    resending          what a check with one line has shown: a line sent again `replaces` or `adds`; empty: no one checked
    """

    name = peewee.CharField(max_length=100)
    code = peewee.CharField(max_length=3, default="")
    cr_status = peewee.CharField(max_length=2, default="")
    cr_approves = peewee.BooleanField(default=False)
    cost_reimbursable = peewee.CharField(max_length=1, default="")
    sub_status = peewee.CharField(max_length=1, default="")
    custom_title = peewee.BooleanField(default=False)
    edit_number = peewee.BooleanField(default=True)
    four_eyes = peewee.BooleanField(default=True)
    support_may_retry = peewee.BooleanField(default=False)
    export_delay = peewee.IntegerField(default=10)
    currency = peewee.CharField(max_length=3, default="USD")
    tax_allowed = peewee.BooleanField(default=False)
    accounting_dates = peewee.BooleanField(default=False)
    period_from = peewee.DateField(null=True)
    period_to = peewee.DateField(null=True)
    growth_limit = peewee.IntegerField(null=True, default=10)
    look_rules = peewee.TextField(default="finding credit large grown duplicate corrected answered held first")
    look_limit = MoneyField(null=True, default=Decimal("50000.00"))
    bulk_cap = peewee.IntegerField(default=50)
    bulk_read_all = peewee.BooleanField(default=True)
    reject_reasons = peewee.TextField(default="")
    it_people = peewee.TextField(default="")
    administrator_people = peewee.TextField(default="")
    test_company = peewee.BooleanField(default=False)
    resending = peewee.CharField(max_length=8, default="")
    daily_summary = peewee.BooleanField(default=True)
    summary_hour = peewee.IntegerField(default=7)
    summary_days = peewee.CharField(default="12345")
    time_zone = peewee.CharField(default="America/Chicago")

    @property
    def reasons(self) -> list[str]:
        """The reject reason presets, in their order."""
        return str(self.reject_reasons).splitlines()

    @property
    def resending_replaces(self) -> bool:
        """Whether a line whose outcome is unknown may be sent again without anyone having looked."""
        return bool(self.resending == REPLACES)

    @property
    def lane(self) -> str:
        """The one line of work on which this company's exports go out."""
        return f"exports:{self.id}"


CURRENT = Statement(Shape(Company), query=Company.select)


@Asks
def current() -> Steps[Company]:
    """The company of this installation; the first migration made it."""
    company: Company
    (((company,),),) = yield [CURRENT.where("t1.id = (SELECT MIN(id) FROM company)")]
    return company


def hold() -> Company:
    """As `current`; until the transaction ends no one else changes it, so that the old value which an event tells is the old value."""
    lock(Company.select(Company.id).order_by(Company.id).limit(1), "FOR NO KEY UPDATE")
    return current()
