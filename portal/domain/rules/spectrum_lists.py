"""What Spectrum said of jobs, phases and vendors, and how far it can be relied on.

A code that Spectrum listed is known for three days. That a code is not there is known only while the latest answer was whole
and no older: stale or incomplete means *not known*, never *does not exist*. Codes are kept as they are compared (keys).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.db.rows import Shape, Statement, places
from portal.db.steps import Asks, Steps, side_by_side
from portal.domain import keys
from portal.domain.change_orders import ChangeOrder
from portal.domain.companies import Company

STALE = timedelta(days=3)
JOBS, VENDORS, PHASES, COMPLETE_PHASES = "jobs", "vendors", "phases", "complete phases"
COMPLETE = "C"
Phases = dict[tuple[int, str], dict[tuple[str, str], str]]  # status by (phase, cost type), by (company, job)


class SpectrumJob(Model):
    """A job as Spectrum lists it; `contract` is empty where no change request can be made."""

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    company_id: int
    number = peewee.CharField(max_length=20)
    description = peewee.CharField(default="")
    customer = peewee.CharField(max_length=20, default="")
    contract = peewee.CharField(max_length=20, default="")
    status = peewee.CharField(max_length=1, default="")
    read_at = UtcField()

    class Meta:
        indexes = ((("company", "number"), True),)


class SpectrumPhase(Model):
    """A phase with a cost type on a job; `status` A active, I inactive, C complete."""

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    company_id: int
    job = peewee.CharField(max_length=20)
    phase = peewee.CharField(max_length=30)
    cost_type = peewee.CharField(max_length=10)
    description = peewee.CharField(default="")
    status = peewee.CharField(max_length=1, default="")
    unit = peewee.CharField(max_length=10, default="")
    read_at = UtcField()

    class Meta:
        indexes = ((("company", "job", "phase", "cost_type"), True),)


class SpectrumVendor(Model):
    """An active vendor; Spectrum lists no others."""

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    company_id: int
    code = peewee.CharField(max_length=20)
    name = peewee.CharField(default="")
    read_at = UtcField()

    class Meta:
        indexes = ((("company", "code"), True),)


class Reading(Model):
    """When one list was read last, and how that went.

    listing   jobs, vendors, phases or complete phases; `job` is whose phases
    refresh   the refresh that asked last
    read_at   when Spectrum last answered; null if it never did
    complete  whether what is not in that answer may be said not to exist; `reason` why not
    error     why the latest try brought no answer; the earlier ones are kept then
    """

    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    company_id: int
    listing = peewee.CharField(max_length=20)
    job = peewee.CharField(max_length=20, default="")
    refresh = peewee.IntegerField()
    read_at = UtcField(null=True)
    complete = peewee.BooleanField(default=False)
    reason = peewee.CharField(default="")
    error = peewee.TextField(default="")

    class Meta:
        indexes = ((("company", "listing", "job"), True),)


TABLES: Mapping[str, tuple[type[Model], tuple[str, ...]]] = {
    JOBS: (SpectrumJob, ("number",)),
    VENDORS: (SpectrumVendor, ("code",)),
    PHASES: (SpectrumPhase, ("job", "phase", "cost_type")),
    COMPLETE_PHASES: (SpectrumPhase, ("job", "phase", "cost_type")),
}

MODELS: tuple[Any, ...] = (SpectrumJob, SpectrumPhase, SpectrumVendor, Reading)
STATEMENTS = {model: Statement(Shape(model), query=model.select) for model in MODELS}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known now about the codes of one change order.

    job      as Spectrum lists it; None with `jobs_whole`: it is not there
    vendor   whether Spectrum lists the vendor code
    phases   status by (phase, cost type)
    """

    job: SpectrumJob | None = None
    jobs_whole: bool = False
    vendor: bool = False
    vendors_whole: bool = False
    phases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    phases_whole: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """How one kind of list stands: rows kept, when Spectrum last answered, and what was wrong with its latest answers."""

    label: str
    count: int
    read_at: datetime | None
    notes: list[str]

    @property
    def stale(self) -> bool:
        return self.read_at is not None and self.read_at < clock.now() - STALE


@Asks
def known(change_orders: Sequence[ChangeOrder]) -> Steps[dict[int, Known]]:
    """What is known about each, by id, in two queries. `change_orders` have their lines when the second one is asked."""
    if not change_orders:
        return {}
    since = clock.present() - STALE
    jobs = {keys.job(one.job.number) for one in change_orders}
    codes = {keys.vendor(one.commitment.vendor_code) for one in change_orders}
    fresh, jobs_told, vendors_told = yield from side_by_side(
        _fresh(Reading, since, job=["", *jobs]), _fresh(SpectrumJob, since, number=jobs), _fresh(SpectrumVendor, since, code=codes)
    )
    if not fresh:
        return {change_order.id: Known() for change_order in change_orders}
    whole = {(reading.company_id, reading.listing, reading.job) for reading in fresh if reading.complete}
    listed = {(job.company_id, job.number): job for job in jobs_told}
    vendors = {(vendor.company_id, vendor.code) for vendor in vendors_told}
    phases = yield from _phases(change_orders, jobs, since)
    return {
        change_order.id: Known(
            listed.get((company, job)),
            (company, JOBS, "") in whole,
            (company, keys.vendor(change_order.commitment.vendor_code)) in vendors,
            (company, VENDORS, "") in whole,
            phases.get((company, job), {}),
            {(company, PHASES, job), (company, COMPLETE_PHASES, job)} <= whole,
        )
        for change_order in change_orders
        for company, job in [(change_order.company.id, keys.job(change_order.job.number))]
    }


def _fresh(model: type[Model], since: datetime, **wanted: Collection[str]) -> Steps[list[Any]]:
    """The rows with one of the wanted values in each of these columns, if Spectrum said so since then; they hold until they are stale."""
    if not all(wanted.values()):
        return []
    condition = " AND ".join(f"{name} IN {places(values)}" for name, values in wanted.items())
    (rows,) = yield [STATEMENTS[model].where(condition, [value for values in wanted.values() for value in values])]
    found = [row for (row,) in rows if row.read_at and row.read_at >= since]
    if found:
        clock.changes_at(min(row.read_at for row in found) + STALE)
    return found


def _phases(change_orders: Sequence[ChangeOrder], jobs: set[str], since: datetime) -> Steps[Phases]:
    codes = {keys.phase(line.phase_code) for change_order in change_orders for line in change_order.lines}
    found: Phases = {}
    for one in (yield from _fresh(SpectrumPhase, since, job=jobs, phase=codes)):
        found.setdefault((one.company_id, one.job), {})[one.phase, one.cost_type] = one.status
    return found


def summaries(company: Company) -> list[Summary]:
    """How jobs, vendors and phases stand."""
    kinds = (("Jobs", (JOBS,)), ("Active vendors", (VENDORS,)), ("Phases with cost type", (PHASES, COMPLETE_PHASES)))
    return [_summary(company, label, listings) for label, listings in kinds]


def _summary(company: Company, label: str, listings: tuple[str, ...]) -> Summary:
    model: Any = TABLES[listings[0]][0]
    readings = list(Reading.select().where(Reading.company == company.id, Reading.listing.in_(listings)))
    latest = max((reading.refresh for reading in readings), default=0)
    notes = [reading.error or ("" if reading.complete else reading.reason) for reading in readings if reading.refresh == latest]
    read_at = max((reading.read_at for reading in readings if reading.read_at), default=None)
    return Summary(label, model.select().where(model.company == company.id).count(), read_at, sorted({note for note in notes if note}))


def keep(company: Company, listing: str, job: str, rows: Iterable[Mapping[str, str]], refresh: int, *, complete: bool, reason: str) -> None:
    """Put an answer in place of the one before; an incomplete one adds to it. Nothing is taken as told that was not."""
    model, columns = TABLES[listing]
    now = clock.now()
    found = {tuple(row[name] for name in columns): {**row, "company": company.id, "read_at": now} for row in rows}
    values = list(found.values())
    with transaction():
        if complete:
            model.delete().where(_of(company, listing, job)).execute()
        for part in peewee.chunked(values, 100):
            told = [getattr(model, name) for name in part[0] if name not in (*columns, "company")]
            target = [model.company, *(getattr(model, name) for name in columns)]  # type: ignore[attr-defined]
            model.insert_many(part).on_conflict(conflict_target=target, preserve=told).execute()
        _note(company, listing, job, refresh, read_at=now, complete=complete, reason=reason, error="")


def keep_failure(company: Company, listing: str, job: str, refresh: int, error: str) -> None:
    """Nothing was learnt; what was known stays."""
    with transaction():
        _note(company, listing, job, refresh, error=error)


def forget(company: Company) -> None:
    """Other books, another Authorization ID: nothing that was told before holds any more. In the caller's transaction."""
    for model in (SpectrumJob, SpectrumPhase, SpectrumVendor, Reading):
        model.delete().where(model.company == company.id).execute()


def _note(company: Company, listing: str, job: str, refresh: int, **told: Any) -> None:
    told["refresh"] = refresh
    target = [Reading.company, Reading.listing, Reading.job]
    update = {getattr(Reading, name): value for name, value in told.items()}
    Reading.insert(company=company.id, listing=listing, job=job, **told).on_conflict(conflict_target=target, update=update).execute()


def _of(company: Company, listing: str, job: str) -> Any:
    """The rows that an answer of this listing replaces."""
    model: Any = TABLES[listing][0]
    mine = model.company == company.id
    if model is not SpectrumPhase:
        return mine
    complete = (model.status == COMPLETE) if listing == COMPLETE_PHASES else (model.status != COMPLETE)
    return mine & (model.job == job) & complete
