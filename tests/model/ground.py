"""Where the model lives: a portal's database, a clock that stands still, a Spectrum that misbehaves, and workers that die at any point."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from portal import clock, db, failpoints
from portal.background import tasks
from portal.domain import companies, outbox, people
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting import send
from portal.domain.exporting.exports import Export
from portal.domain.lanes import Lane, Lost
from portal.domain.outbox import Dispatch, Task
from portal.domain.people import Level, Membership, User
from portal.domain.recovery import clock_repair
from portal.spectrum import records
from portal.spectrum.simulator import master, services
from portal.spectrum.simulator.ledger import KEYS, Ledger
from portal.spectrum.simulator.schema import TABLES
from portal.spectrum.simulator.world import World
from tests.databases import MEMORY, migrate
from tests.model.model import JOB, PHASES, PLACES, Elements, Key, key_of

CODES = {"code": ("ABC", "XYZ"), "cr_status": ("CR", "PN"), "vendor": ("VOLTCO", "VOLT2"), "customer": ("NORTHSIDE", "SOUTH")}
ELEMENTS = {"code": "Company_Code", "cr_status": "CR_Status", "vendor": "Subcontractor_Code", "customer": "Customer_Code"}
CAST = {
    "Dee": {"level": Level.NONE},
    "Ana": {"level": Level.STANDARD, "can_push": True},
    "Lee": {"level": Level.STANDARD, "can_push": True},
    "Ada": {"level": Level.ADMIN, "can_push": True},
}
WRITERS, APPROVERS, ADMIN = ("Dee", "Ana"), ("Ana", "Lee", "Ada"), "Ada"
# What becomes of a call. Workers die before, in or after it; an answer is lost, late, a refusal, or comes when another took over.
ANSWERS = (
    "good",
    "refused",
    "not sent",
    "lost",
    "lost but stored",
    "stored later",
    "killed before",
    "killed after",
    "overtaken",
    "changed",
)
STORES = ("good", "lost but stored", "killed after", "overtaken", "changed")
NO_ANSWER = ("lost", "lost but stored", "stored later")
POINTS = ("preflight.after", "exporting.before_commit", "exporting.after_commit", "settle.before_commit", "settle.after_commit")
IDENTITY = "portal"


class Killed(BaseException):
    """The process is gone; whatever was not committed with it."""


def migrated(folder: Path) -> Path:
    """A database with the people and things of the model in it, to copy."""
    file = folder / "model.db"
    migrate(f"sqlite:///{file}")
    file.chmod(0o600)
    with db.connected():
        company = companies.current()
        company.name, company.code, company.cr_status, company.cost_reimbursable, company.sub_status = "Harbor", "ABC", "CR", "N", "P"
        company.export_delay = 0
        company.save()
        job = Job.create(company=company, number=JOB, name="Harbor Tower", customer="NORTHSIDE")
        vendor = Vendor.create(company=company, name="Volt Electric Co", code="VOLTCO")
        for number in PLACES:
            Commitment.create(job=job, vendor=vendor, number=number, title="Electrical", subcontract=number)
        for name, rights in CAST.items():
            person = User.create(name=name, email=f"{name}@example.test", handle=people.handle_of(f"{name}@example.test"), **rights)
            Membership.create(user=person, job=job)
    return file


class Ground:
    """One example's world. `departs` is told of each line before it reaches Spectrum, `changes` changes a setting in mid send."""

    def __init__(self, file: Path, departs: Callable[[Export, Mapping[str, str]], None], changes: Callable[[], None]) -> None:
        self.departs, self.changes = departs, changes
        self.folder = Path(tempfile.mkdtemp(prefix="cco-model-", dir=MEMORY if MEMORY.is_dir() else None))
        db.init(f"sqlite:///{shutil.copy(file, self.folder / 'portal.db')}")
        db.database.connect()
        self.spectrum = World(_master(), Ledger(self.folder / "spectrum"))
        self.spectrum.ledger.execute("PRAGMA synchronous = OFF")
        self.moment: datetime = clock.machine().replace(minute=0, second=0, microsecond=0)
        self.people = {person.name: person for person in User.select()}
        self.plan: list[str] = []
        self.dies_at, self.first = "", True
        self.later: list[dict[str, str]] = []
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(clock, "system", lambda: self.moment)
        self.patch.setattr(failpoints, "hit", self.reach)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.patch.undo()
        db.database.close()
        self.spectrum.ledger.close()
        shutil.rmtree(self.folder)

    def reach(self, point: str) -> None:
        if point == self.dies_at:
            self.dies_at = ""
            raise Killed(point)

    def tick(self, **passed: float) -> None:
        """Time passes; what Spectrum was still at work on is done by then."""
        self.flush()
        self.moment += timedelta(**passed)

    def flush(self) -> None:
        for elements in self.later:
            self.store(elements)
        self.later.clear()

    def work(self, plan: list[str], dies_at: str = "") -> None:
        """A worker's turn on the lane, as `tasks.drain` takes it; Spectrum answers by the plan, and well when that is at its end."""
        self.plan, self.dies_at = list(plan), dies_at
        with suppress(Killed):  # its lease stays behind, as does whatever it had committed
            self.turn()
        self.dies_at = ""

    def turn(self) -> None:
        clock_repair.put_right()
        lane = companies.current().lane
        claim = Lane.take(lane, tasks.LEASE)
        if claim is None:
            return
        try:
            for dispatch in outbox.due(lane, tasks.BUDGET):
                if dispatch.task == Task.EXPORT:
                    send.step(dispatch, claim, self.caller(dispatch))
        except Lost:
            return
        Lane.release(lane, claim)

    def caller(self, dispatch: Dispatch) -> Callable[[Mapping[str, str], str], records.Receipt]:
        export, calls = Export.get_by_id(dispatch.subject), iter(range(1000))

        def call(elements: Mapping[str, str], guid: str) -> records.Receipt:
            self.first = next(calls) == 0
            self.departs(export, elements)
            return self.answer(dict(elements), self.plan.pop(0) if self.plan else "good")

        return call

    def answer(self, elements: dict[str, str], how: str) -> records.Receipt:
        if how == "changed":
            self.changes()
        if how == "overtaken":  # it hangs until another worker has its lane
            self.moment += timedelta(minutes=5)
            self.turn()
        if how in STORES:
            self.store(elements)
        if how == "stored later":
            self.later.append(elements)
        if how.startswith("killed"):
            raise Killed(how)
        if how == "not sent":
            raise records.NotSent("Connection refused.")
        if how == "refused":
            raise records.Refused("Refused.", http=200, rows=[records.Row("I", "Phase is complete", "CR_Phase_Code")])
        if how in NO_ANSWER:
            raise records.OutcomeUnknown("No answer.", http=None)
        return records.Receipt(200)

    def store(self, elements: Mapping[str, str]) -> None:
        """Spectrum's own work, without the wire; every customer and vendor is good there. Raises Refused where Spectrum would."""
        company, job, customer, _ = key_of(elements)
        vendor, subcontract = elements["Subcontractor_Code"], elements["Subcontract_Number"]
        self.spectrum.master.customers[company, customer] = master.Customer(company, customer)
        self.spectrum.master.jobs[company, job] = master.Job(company, job, customer=customer, contract=job)
        self.spectrum.master.subcontracts[company, subcontract] = master.Subcontract(company, subcontract, vendor, job)
        with self.spectrum.ledger:
            rows = services.change_request({**elements, "Authorization_ID": IDENTITY, "GUID": ""}, self.spectrum)
        if any(row.code not in "GS" for row in rows):
            raise records.Refused("Refused.", http=200, rows=rows)

    def remove(self, key: Key) -> None:
        """Somebody takes a change request out of Spectrum."""
        self.flush()
        with self.spectrum.ledger:
            for table in TABLES:
                where = " AND ".join(f"TRIM({name}) = ?" for name in KEYS)
                self.spectrum.ledger.execute(f"DELETE FROM {table} WHERE {where}", *key)

    def held(self) -> dict[Key, list[Elements]]:
        """What Spectrum holds: the lines of each change request, each with its header."""
        found = self.spectrum.ledger.change_requests()
        return {key_of(one): [{**one, **line} for line in one["lines"]] for one in found}


def change(setting: str, value: str) -> None:
    """An administrator's correction reaches the books."""
    if setting == "vendor":
        Vendor.update(code=value).execute()
    elif setting == "customer":
        Job.update(customer=value).execute()
    else:
        companies.Company.update({setting: value}).execute()


def _master() -> Any:
    kept = master.Master.load()
    kept.authorization_ids = {IDENTITY: master.AuthorizationId(IDENTITY, True, list(CODES["code"]), ["ARChangeRequest"])}
    for company in CODES["code"]:
        kept.companies[company] = master.Company(company)
        for status in CODES["cr_status"]:
            kept.statuses[company, status] = master.Status(company, status, 3)
        for phase in PHASES:
            kept.phases[company, JOB, phase, "SUB"] = master.Phase(company, JOB, phase, "SUB")
    return kept
