"""The building site of a rehearsal: people, jobs and change orders in the portal, and a Spectrum that knows the same jobs."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from portal import db
from portal.domain import companies, people
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import Level, Membership, User
from portal.domain.projects import sending

AUTHORIZATION_ID = "REHEARSAL-ID-4711"
PASSWORD = "nobody else has this one"
APPROVERS = ("ana", "lee", "kim", "jon")
SENDER, ADMIN, READER = "dee", "ada", "ben"
JOBS = {"24-117": "NORTHSIDE", "24-118": "LAKEVIEW"}
PHASES = ("16-2000", "03-3000", "09-2500", "07-8400")
PER_COMMITMENT = 900
RECALL_S = 60  # of the portal's time between Accept and the first send
BATCH = 200
SERVICES = ["ARChangeRequest", "WSTestConnection", "GetJob", "GetPhase", "GetCustomers", "ChgReqChgOrderNotes"]


def address(name: str) -> str:
    return f"{name}@example.test"


def build(orders: int, seed: int, recall_s: int = RECALL_S) -> list[int]:
    """Fill the connected, migrated database; answers the ids of `orders` change orders that are ready."""
    with db.transaction():
        _company(recall_s)
        dee = _people()
    commitments = list(_commitments(dee, orders))
    chance, ids = random.Random(seed), list[int]()
    for start in range(0, orders, BATCH):
        with db.transaction():
            ids += [_ready(index, commitments, dee, chance) for index in range(start, min(start + BATCH, orders))]
    return ids


def _company(recall_s: int) -> None:
    company = companies.current()
    company.name, company.code, company.cr_status, company.cost_reimbursable, company.sub_status = "Harbor Builders", "ABC", "CR", "N", "P"
    company.export_delay = recall_s
    company.save()


def _people() -> User:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def add(name: str, **rights: Any) -> User:
        email = address(name)
        person: User = User.create(name=name.title(), email=email, handle=people.handle_of(email), password=hasher.hash(PASSWORD), **rights)
        return person

    for name in APPROVERS:
        add(name, level=Level.STANDARD, can_push=True)
    add(READER, level=Level.READ_ONLY)
    add(ADMIN, level=Level.ADMIN, can_push=True)
    return add(SENDER)


def _commitments(dee: User, orders: int) -> Iterator[Commitment]:
    company = companies.current()
    vendor = Vendor.create(company=company, name="Volt Electric Co", code="VOLTCO")
    jobs = [Job.create(company=company, number=number, name=f"Job {number}", customer=customer) for number, customer in JOBS.items()]
    for job in jobs:
        Membership.create(user=dee, job=job)
    for index, number in enumerate(subcontracts(orders)):
        yield Commitment.create(job=jobs[index % len(jobs)], vendor=vendor, number=number, title="Electrical", subcontract=number)


def subcontracts(orders: int) -> list[str]:
    return [f"SC-{index + 1:03}" for index in range(max(len(JOBS), -(-orders // PER_COMMITMENT)))]


def _ready(index: int, commitments: list[Commitment], dee: User, chance: random.Random) -> int:
    phases = chance.sample(PHASES, chance.choice((1, 1, 2, 3)))
    lines = [sending.LineDraft(phase, "SUB", Decimal(chance.randint(-200_000, 900_000)) / 100) for phase in phases]
    words = sending.Draft(f"{index // len(commitments) + 1:03}", f"Change {index + 1}", "Rehearsed", lines)
    draft = sending.create(commitments[index % len(commitments)], dee, words)
    return int(sending.send(draft.id, dee, draft.version).id)


def write_master(path: Path, orders: int) -> Path:
    """The same in Spectrum's master data."""
    periods = {"ar_period": ["01/01/2000", "12/31/2099"], "ap_period": ["01/01/2000", "12/31/2099"]}
    jobs = list(JOBS)
    master = {
        "authorization_ids": [{"id": AUTHORIZATION_ID, "active": True, "companies": ["ABC"], "services": SERVICES}],
        "companies": [{"code": "ABC", "name": "Harbor Builders", **periods}],
        "statuses": [{"company": "ABC", "code": "CR", "action_type": 3}],
        "customers": [{"company": "ABC", "code": code, "name": code.title()} for code in JOBS.values()],
        "jobs": [
            {"company": "ABC", "number": number, "customer": customer, "contract": number, "status": "A"}
            for number, customer in JOBS.items()
        ],
        "phases": [{"company": "ABC", "job": job, "phase": phase, "cost_type": "SUB", "status": "A"} for job in jobs for phase in PHASES],
        "vendors": [{"company": "ABC", "code": "VOLTCO", "name": "Volt Electric", "active": True}],
        "subcontracts": [
            {"company": "ABC", "number": number, "vendor": "VOLTCO", "job": jobs[index % len(jobs)]}
            for index, number in enumerate(subcontracts(orders))
        ],
        "sub_change_orders": [],
    }
    path.write_text(json.dumps(master))
    return path
