"""Any number of change orders over any number of days, with their history: for measuring, and for a look at a full portal.

Written past the transitions, which would take days for a million. The audit trail verifies, and totals and numbers are those that
the transitions would have left. Nothing is under way: what was accepted is exported or failed.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import peewee

from portal import clock
from portal.db import Model, cents, database, is_sqlite, transaction
from portal.demo import samples
from portal.demo.failures import Failure, Failures, Tried, in_turn, naive
from portal.domain import change_orders, companies, events, keys
from portal.domain.change_orders import ChangeOrder, LineItem, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.events import GENESIS, Event
from portal.domain.exporting import exports, payload
from portal.domain.outbox import Dispatch, DispatchOutcome, Task
from portal.domain.people import User
from portal.domain.projects import revisions
from portal.domain.recovery import recount
from portal.domain.rules import contributors, spectrum_lists
from portal.domain.rules.contributors import Contribution
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.domain.wording import Wording

PER_COMMITMENT, PER_JOB, AT_ONCE = 100, 20, 2_000
OF_A_HUNDRED = (Status.READY,) * 10 + (Status.FAILED,) + (Status.REJECTED,) * 4 + (Status.EXPORTED,) * 85
NUMBER, TITLE, ID = "QQQQ-QQQ", "Qqqqqqq", 987654321987  # in the one draft of a commitment; replaced in each change order's own
LONGEST_WAIT, STRIDE = timedelta(days=1), 37  # prime to a hundred: the states alternate
AMOUNTS = ((1, 10_000), (2, 25_025))  # position and cents of each line
VENDORS = ("Volt Electric Co", "Harbor Concrete Inc", "Keystone Steel LLC", "Lakeside Plumbing", "Summit Glazing", "Prairie Roofing")
TITLES = ("Relocate duct bank", "Add sleeves for conduits", "Credit for deleted door", "Move sprinkler main", "Extra waterproofing")
BLANK = {"twin": 0, "description": "", "tax": 0, "currency": "USD", "dated": None, "project_status": "Approved", "checks": "clean"}
BLANK |= {"manual": False, "differs": "", "answering_s": 0, "revision": 1} | dict.fromkeys(("export", "compared_at", "cause", "failed_at"))
LINE = {"cost_type": "SUB", "bid_item": "", "description": "Concrete and forms", "quantity": None, "unit": ""}
TABLES: tuple[type[Model], ...] = (ChangeOrder, LineItem, Contribution, exports.Export, exports.Attempt, Dispatch, SpectrumNumber, Event)
ATTEMPT = {"kind": "send", "claim": 1, "guid": "", "answer": "", "noticed_at": None}
DISPATCH = {"task": Task.EXPORT, "tries": 1, "outcome": DispatchOutcome.DONE}
SENT = [Tried(position) for position, _ in AMOUNTS]


class Occupied(Exception):
    """The database holds people already."""


@dataclass(slots=True)
class Place:
    """A commitment with a change order in memory from which those of its own are copied."""

    commitment: Commitment
    pattern: ChangeOrder
    frozen: str


class Trail:
    """Events in the order of time, each sealed over the one before."""

    def __init__(self) -> None:
        last: Any = Event.select(Event.seq, Event.hash).order_by(Event.seq.desc()).limit(1).tuples().first() or (0, GENESIS)
        self.seq, self.hash = last
        self.rows: list[dict[str, Any]] = []

    def record(self, at: datetime, actor: User | None, ref: int, action: str, **facts: Any) -> None:
        data, actor_id = events.canonical(facts), actor.id if actor else None
        event = Event(
            seq=self.seq + 1, at=at, actor=actor_id, subject=change_orders.SUBJECT, ref=ref, action=action, data=data, previous=self.hash
        )
        event.hash = event.seal()
        self.rows.append({field.column_name: event.__data__[name] for name, field in Event._meta.fields.items()} | {"at": naive(at)})
        self.seq, self.hash = event.seq, event.hash


def load(rows: int, days: int, tell: Callable[[int], object] = int) -> None:
    """Sample people and data, then `rows` change orders sent over the last `days`. Raises Occupied."""
    if User.select().exists():
        raise Occupied("The demonstration begins with an empty database; this one has people in it already.")
    with clock.shifted(-timedelta(days=days + 31)):
        samples.load()
    with transaction():
        places = [_place(n) for n in range(-(-rows // PER_COMMITMENT))]
        _list_in_spectrum(places)
    writer = Writer(places, rows, timedelta(days=days))
    for part in peewee.chunked(range(rows), AT_ONCE):
        with transaction():
            for n in part:
                writer.send(n)
            writer.store()
        tell(part[-1] + 1)
    with transaction():
        writer.decide(clock.now())
        writer.store()
        recount.correct()
        writer.failures.look_after()
    if not is_sqlite():
        database.execute_sql("ANALYZE")  # else PostgreSQL plans for the tables as small as they were


class Writer:
    """Collects the rows of a part and stores them."""

    def __init__(self, places: list[Place], rows: int, span: timedelta) -> None:
        self.places, self.began, self.step = places, clock.now() - span, span / rows
        self.wait = min(LONGEST_WAIT, span / 50)
        self.sender, self.approver = (User.get(User.email == f"{name}@example.test") for name in ("dee", "ana"))
        self.trail, self.waiting, self.failures = Trail(), deque[tuple[datetime, int, Status]](), Failures()
        self.first = (ChangeOrder.select(peewee.fn.MAX(ChangeOrder.id)).scalar() or 0) + 1
        self.export = exports.Export.select(peewee.fn.MAX(exports.Export.id)).scalar() or 0
        self.rows: dict[type[Model], list[dict[str, Any]]] = {}

    def send(self, n: int) -> None:
        """The project team sends change order `n`; who waits longest is decided first."""
        at = self.began + n * self.step
        self.decide(at)
        status = OF_A_HUNDRED[n * STRIDE % 100]
        if status is not Status.READY and at + self.wait <= clock.now():
            self.waiting.append((at, n, status))
        else:
            self._store_sent(at, n, Status.READY)
        pattern = self._pattern(n)
        self.trail.record(at, self.sender, self.first + n, "sent", revision=1, seen=1, snapshot=revisions.snapshot(pattern))

    def decide(self, until: datetime) -> None:
        """Accounting decides what has waited long enough."""
        while self.waiting and self.waiting[0][0] + self.wait <= until:
            sent, n, status = self.waiting.popleft()
            at, id = sent + self.wait, self.first + n
            number = f"S{n // PER_COMMITMENT % PER_JOB + 1:03}-{n % PER_COMMITMENT + 1:03}"  # as proposed: the commitment's and its own
            if status is Status.REJECTED:
                self._store_sent(sent, n, status, decided=at)
                self.trail.record(at, self.approver, id, "rejected", revision=1, seen=2, reason="The lines do not match the quote.")
                continue
            failure, why = (None, {}) if status is Status.EXPORTED else self.failures.draw(at)
            self._store_export(at, n, number, failure)
            self._store_sent(sent, n, status, decided=at, export=self.export, **why)
            self.trail.record(at, self.approver, id, "accepted", revision=1, seen=2, number=number, title=None, total="350.25")
            if failure:
                self.trail.record(at, None, id, "failed", **failure.facts)
            else:
                self.trail.record(at, None, id, "exported", number=number, lines=2)

    def store(self) -> None:
        """Write what was collected."""
        self.rows[Event] = self.trail.rows
        for model in TABLES:
            if rows := self.rows.get(model):
                _insert(model, rows)
        self.rows, self.trail.rows = {}, []
        if not is_sqlite():
            for table in ("change_order", "export"):
                database.execute_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608

    def _pattern(self, n: int) -> ChangeOrder:
        pattern = self._place(n).pattern
        pattern.number, pattern.title = f"{n % PER_COMMITMENT + 1:03}", _title(n)
        return pattern

    def _store_sent(self, sent: datetime, n: int, status: Status, decided: datetime | None = None, **more: Any) -> None:
        id, number = self.first + n, f"{n % PER_COMMITMENT + 1:03}"
        moments = {"created_at": naive(sent), "sent_at": naive(sent), "decided_at": decided and naive(decided)}
        persons = {"created_by_id": self.sender.id, "sent_by_id": self.sender.id, "decided_by_id": self.approver.id if decided else None}
        state = {"status": status, "version": 4 if more else 3 if decided else 2, "sent_amount": 35025} | more
        place = {"id": id, "number": number, "key": number, "loose": keys.loose(number), "commitment_id": self._place(n).commitment.id}
        words = {"title": _title(n), "search_text": keys.searched(f"{number} {_title(n)}"), "amount": 35025}
        self._add(ChangeOrder, BLANK | place | words | moments | persons | state)
        for position, amount in AMOUNTS:
            self._add(LineItem, LINE | {"change_order_id": id, "position": position, "phase_code": f"16-{position}000", "amount": amount})
        self._add(Contribution, {"change_order_id": id, "person_id": self.sender.id, "deed": contributors.AUTHORED})

    def _store_export(self, at: datetime, n: int, number: str, failure: Failure | None) -> None:
        self.export += 1
        id, place, job = self.first + n, self._place(n), self._place(n).commitment.job
        frozen = place.frozen.replace(NUMBER, number).replace(TITLE, _title(n)).replace(str(ID), str(id))
        export = {"id": self.export, "change_order_id": id, "revision": 1, "number": number, "format": exports.FORMAT, "frozen": frozen}
        self._add(exports.Export, export | {"sha256": hashlib.sha256(frozen.encode()).hexdigest(), "created_at": naive(at)})
        for tried in failure.attempts(at) if failure else in_turn(SENT, at):
            self._add(exports.Attempt, ATTEMPT | {"export_id": self.export} | tried)
        why = failure.text if failure else ""
        promise = {"key": exports.key(self.export), "lane": job.company.lane, "subject": self.export, "error": why}
        self._add(Dispatch, DISPATCH | promise | dict.fromkeys(("due_at", "promised_at", "finished_at"), naive(at)))
        key = {"company": job.company.code, "job": job.number, "customer": job.customer, "number": number}
        self._add(SpectrumNumber, key | {"change_order_id": id, "turn": 1})

    def _place(self, n: int) -> Place:
        return self.places[n // PER_COMMITMENT]

    def _add(self, model: type[Model], row: dict[str, Any]) -> None:
        self.rows.setdefault(model, []).append(row)


def _place(n: int) -> Place:
    """The commitment of this ordinal, on its job."""
    company = companies.current()
    job_number = f"D-{n // PER_JOB:04}"
    job = Job.get_or_none(Job.number == job_number) or Job.create(
        company=company, number=job_number, name=f"Demonstration building {n // PER_JOB + 1}", customer="NORTHSIDE"
    )
    vendor_name = VENDORS[n % len(VENDORS)]
    vendor = Vendor.get_or_none(Vendor.name == vendor_name) or Vendor.create(
        company=company, name=vendor_name, code=vendor_name.split()[0].upper()
    )
    number = f"SC-{n % PER_JOB + 1:03}"
    commitment = Commitment.create(job=job, vendor=vendor, number=number, title="Works", subcontract=number)
    pattern = ChangeOrder(id=ID, commitment=commitment, number="001", title=TITLE, amount=Decimal("350.25"), revision=1)
    pattern.lines = [
        LineItem(position=position, phase_code=f"16-{position}000", cost_type="SUB", description=LINE["description"], amount=cents(amount))
        for position, amount in AMOUNTS
    ]
    drawn = payload.build(pattern, Wording(NUMBER))
    lines = [{"position": position, "elements": elements} for position, elements in drawn.lines]
    return Place(commitment, pattern, json.dumps({"header": drawn.header, "lines": lines, "skipped": drawn.skipped}, separators=(",", ":")))


def _list_in_spectrum(places: list[Place]) -> None:
    """Spectrum has listed every job, vendor and phase: the checks have something to compare with."""
    company, jobs = companies.current(), {place.commitment.job.number for place in places}
    rows = [{"number": job, "description": "", "customer": "NORTHSIDE", "contract": f"C-{job}", "status": "A"} for job in sorted(jobs)]
    spectrum_lists.keep(company, spectrum_lists.JOBS, "", rows, 1, complete=False, reason="without the sample data")
    vendors = [{"code": name.split()[0].upper(), "name": name} for name in VENDORS]
    spectrum_lists.keep(company, spectrum_lists.VENDORS, "", vendors, 1, complete=False, reason="without the sample data")
    for job in sorted(jobs):
        phases = [
            {"job": job, "phase": f"16{position}000", "cost_type": "SUB", "description": "", "status": "A", "unit": ""}
            for position, _ in AMOUNTS
        ]
        spectrum_lists.keep(company, spectrum_lists.PHASES, job, phases, 1, complete=True, reason="")
        spectrum_lists.keep(company, spectrum_lists.COMPLETE_PHASES, job, [], 1, complete=True, reason="")


def _insert(model: type[Model], rows: list[dict[str, Any]]) -> None:
    """All rows by one prepared statement."""
    columns = ", ".join(f'"{name}"' for name in rows[0])
    places = ", ".join([database.param] * len(rows[0]))
    statement = f'INSERT INTO "{model._meta.table_name}" ({columns}) VALUES ({places})'  # noqa: S608 -- names of our own
    database.cursor().executemany(statement, [tuple(row.values()) for row in rows])


def _title(n: int) -> str:
    return f"{TITLES[n % len(TITLES)]}, area {n % 97 + 1}"
