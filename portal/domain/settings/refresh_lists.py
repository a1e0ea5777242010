"""Refresh Spectrum's lists: every night, and when an administrator asks. One call at a time, and exports go first."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import time, timedelta
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField, transaction
from portal.domain import events, keys, outbox, people, schedule
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job
from portal.domain.companies import Company, current
from portal.domain.lanes import ONE_CALL, Lane
from portal.domain.outbox import LOST_WORKERS, Dispatch, Task
from portal.domain.people import User
from portal.domain.rules import recheck, spectrum_lists
from portal.domain.rules.spectrum_lists import COMPLETE_PHASES, JOBS, PHASES, VENDORS, Reading
from portal.spectrum import records

NIGHT = time(2, 0)  # in the company's zone
AGAIN = timedelta(minutes=2)  # after a worker was lost
CALLS = 20  # of one step; the lane is let go in between
FAILURES = 3  # failed calls after which the rest waits for the next time
AT_REST = (Status.EXPORTED, Status.VOID)

# The connected client's questions by listing, handed in by the task: company code and job number. Each is one call; answers
# records.Found or raises NotSent, Refused or Unanswered.
Questions = Mapping[str, Callable[[str, str], records.Found[Any]]]


class Refresh(Model):
    """One reading of all lists.

    key       of the promise
    asked_by  null: the nightly one
    error     why it ended early, or what went wrong on the way; empty when all lists were read
    """

    key = peewee.CharField(unique=True)
    company = peewee.ForeignKeyField(Company, on_delete="RESTRICT", backref="+")
    asked_by = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    asked_at = UtcField(default=clock.now)
    finished_at = UtcField(null=True)
    error = peewee.TextField(default="")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the latest refresh is: jobs read, of how many. `refresh` None: there was none yet."""

    refresh: Refresh | None
    read: int
    total: int

    @property
    def running(self) -> bool:
        return self.refresh is not None and self.refresh.finished_at is None


def ask(by: User) -> Refresh:
    """Promise a refresh; the one that is under way, if there is one. Raises NotPermitted for anyone but an administrator."""
    with transaction():
        by = people.require_administrator(by, "asks for a refresh from Spectrum")
        company = current()
        if running := latest(company, unfinished=True):
            return running
        refresh = Refresh.create(key=f"look-up:{company.id}:{uuid.uuid4().hex}", company=company, asked_by=by)
        outbox.promise(refresh.key, company.lane, Task.LOOK_UP, company.id)
        events.record("company", company.id, "refresh from Spectrum asked for", by)
        return refresh


def plan() -> None:
    """Promise the refresh of the coming night."""
    schedule.plan("look-up", current(), NIGHT, Task.LOOK_UP)


def progress(company: Company) -> Progress:
    refresh = latest(company)
    jobs = active_jobs(company)
    done = _asked(refresh) if refresh else set()
    read = sum({(PHASES, job), (COMPLETE_PHASES, job)} <= done for job in jobs)
    return Progress(refresh, read, len(jobs))


def latest(company: Company, *, unfinished: bool = False) -> Refresh | None:
    query = Refresh.select().where(Refresh.company == company)
    if unfinished:
        query = query.where(Refresh.finished_at.is_null())
    found: Refresh | None = query.order_by(Refresh.id.desc()).first()
    return found


def active_jobs(company: Company) -> list[str]:
    """The numbers of the jobs with change orders that are not at rest yet."""
    query: Any = (
        Job.select(Job.number)
        .join(Commitment)
        .join(ChangeOrder)
        .where(Job.company == company, Job.number != "", ChangeOrder.status.not_in(AT_REST))
        .order_by(Job.number)
    )
    return [number for (number,) in query.distinct().tuples()]


def step(dispatch: Dispatch, claim: int, ask: Questions) -> None:
    """Read some lists, one call each; after each call whatever else is due goes first. Raises lanes.Lost."""
    refresh = _begin(dispatch, claim)
    if refresh is None:
        return
    for _ in range(CALLS):
        left = _left(refresh)
        if not left or _failures(refresh) >= FAILURES or not refresh.company.code:
            _finish(dispatch, claim, refresh, len(left))
            return
        with transaction():
            Lane.renew(dispatch.lane, claim, ONE_CALL)
        _read(refresh, *left[0], ask)
        if outbox.others_are_due(dispatch):
            break
    outbox.postpone(dispatch, clock.now(), counts=False)


def _begin(dispatch: Dispatch, claim: int) -> Refresh | None:
    """The refresh to go on with; None when it is over, or has cost too many workers."""
    with transaction():
        Lane.renew(dispatch.lane, claim, ONE_CALL)
        outbox.begin(dispatch, AGAIN)
        refresh: Refresh = Refresh.get_or_none(key=dispatch.key) or Refresh.create(key=dispatch.key, company=dispatch.subject)
        if refresh.finished_at is None and dispatch.tries > LOST_WORKERS:
            _end(refresh, f"The worker stopped {LOST_WORKERS} times while reading. Support has to look at its log.")
        if refresh.finished_at is not None:
            outbox.finish(dispatch)
            return None
        return refresh


def _left(refresh: Refresh) -> list[tuple[str, str]]:
    """Listing and job of each call still to make."""
    phases = [(listing, job) for job in active_jobs(refresh.company) for listing in (PHASES, COMPLETE_PHASES)]
    done = _asked(refresh)
    return [one for one in [(JOBS, ""), (VENDORS, ""), *phases] if (one[0], keys.job(one[1])) not in done]


def _read(refresh: Refresh, listing: str, job: str, ask: Questions) -> None:
    """One call, and what became of it."""
    company, key = refresh.company, keys.job(job)
    try:
        found = ask[listing](company.code, job)
    except records.SpectrumError as error:
        spectrum_lists.keep_failure(company, listing, key, refresh.id, str(error))
        return
    rows = [ROWS[listing](asdict(row)) for row in found.rows]
    spectrum_lists.keep(company, listing, key, rows, refresh.id, complete=found.complete, reason=found.reason)
    if listing == JOBS:
        _fill_in_customers(company)


def _fill_in_customers(company: Company) -> None:
    """A job without a customer takes the one Spectrum names."""
    with transaction():
        for job in Job.select().where(Job.company == company, Job.customer == "", Job.number != ""):
            known = spectrum_lists.SpectrumJob.get_or_none(company=company, number=keys.job(job.number))
            if known and 1 <= len(known.customer) <= Job.customer.max_length:
                Job.update(customer=known.customer).where(Job.id == job.id, Job.customer == "").execute()
                events.record("job", job.id, "customer read from Spectrum", old="", new=known.customer)


def _finish(dispatch: Dispatch, claim: int, refresh: Refresh, left: int) -> None:
    """Nothing left to read, or no use in going on."""
    recheck.again(turn=lambda: Lane.renew(dispatch.lane, claim, ONE_CALL))
    with transaction():
        if not refresh.company.code:
            _end(refresh, "The company settings lack the Spectrum company code.")
        else:
            failed = Reading.select(Reading.error).where(Reading.refresh >= refresh.id, Reading.error != "").order_by(Reading.id.desc())
            error = failed.limit(1).scalar() or ""
            _end(refresh, f"{error} The rest is left for the next time." if error and left else error)
        outbox.finish(dispatch)


def _asked(refresh: Refresh) -> set[tuple[str, str]]:
    """What was asked for by it, or by a younger one beside it: two never make each other's work undone."""
    query: Any = Reading.select(Reading.listing, Reading.job).where(Reading.refresh >= refresh.id)
    return set(query.tuples())


def _failures(refresh: Refresh) -> int:
    count: int = Reading.select().where(Reading.refresh >= refresh.id, Reading.error != "").count()
    return count


def _end(refresh: Refresh, error: str) -> None:
    Refresh.update(finished_at=clock.now(), error=error).where(Refresh.id == refresh.id).execute()
    refresh.finished_at, refresh.error = clock.now(), error


def _job(row: dict[str, str]) -> dict[str, str]:
    codes = {name: keys.canonical(row[name])[:20] for name in ("number", "customer", "contract")}
    return {**codes, "description": row["description"][:255], "status": row["status"][:1].upper()}


def _vendor(row: dict[str, str]) -> dict[str, str]:
    return {"code": keys.vendor(row["code"])[:20], "name": row["name"][:255]}


def _phase(row: dict[str, str]) -> dict[str, str]:
    codes = {
        "job": keys.job(row["job"])[:20],
        "phase": keys.phase(row["phase"])[:30],
        "cost_type": keys.cost_type(row["cost_type"])[:10],
    }
    return {**codes, "description": row["description"][:255], "status": row["status"][:1].upper(), "unit": row["unit"][:10]}


ROWS: Mapping[str, Callable[[dict[str, str]], dict[str, str]]] = {JOBS: _job, VENDORS: _vendor, PHASES: _phase, COMPLETE_PHASES: _phase}
