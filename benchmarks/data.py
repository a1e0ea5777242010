"""Change orders by the thousand for the benchmarks, written past the transitions: only their number and shape matter."""

from datetime import timedelta
from decimal import Decimal

from portal import clock, db
from portal.domain import companies, people
from portal.domain.change_orders import ChangeOrder, LineItem, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import Level, User

PASSWORD = "only for this measurement"  # noqa: S105
LINES, JOBS, OF_EACH_JOB, BATCH = 5, 50, 20, 500
CODES = {"code": "ABC", "cr_status": "CR", "cost_reimbursable": "N", "sub_status": "P"}


def fill(waiting: int, exported: int = 0, approvers: int = 1) -> list[User]:
    """`waiting` that are ready, after `exported` that are done, over 1,000 commitments; answers the approvers."""
    company = companies.current()
    for name, value in CODES.items():
        setattr(company, name, value)
    company.save()
    password, dee = people.hasher.hash(PASSWORD), _user("dee")
    able = [_user(f"ana{n}", password=password, level=Level.STANDARD, can_push=True) for n in range(approvers)]
    with db.transaction():
        commitments = _commitments(company)
        first = exported + waiting
        for start in range(0, first, BATCH):
            numbers = range(start, min(start + BATCH, first))
            ChangeOrder.insert_many([_order(n, commitments, dee, n >= exported, first) for n in numbers]).execute()
            LineItem.insert_many([_line(n, position) for n in numbers for position in range(1, LINES + 1)]).execute()
    return able


def _user(name: str, **rights: object) -> User:
    return User.create(name=name, email=f"{name}@example.test", handle=f"{name}@example.test", **rights)


def _commitments(company: companies.Company) -> list[int]:
    made = []
    for n in range(JOBS):
        job = Job.create(company=company, number=f"{n:02}-100", name=f"Job {n}", customer="CUST")
        vendor = Vendor.create(company=company, name=f"Vendor {n}", code=f"V{n}")
        for k in range(OF_EACH_JOB):
            number = f"SC-{n:02}{k:02}"
            made.append(Commitment.create(job=job, vendor=vendor, number=number, subcontract=number).id)
    return made


def _order(n: int, commitments: list[int], dee: User, waits: bool, of: int) -> dict[str, object]:
    at = n // len(commitments)
    return {
        "commitment": commitments[n % len(commitments)],
        "number": f"{at:03}",
        "key": f"{at:03}",
        "loose": str(at),
        "title": f"Change {n}",
        "search_text": f"{at:03} change {n}",
        "amount": Decimal(LINES),
        "revision": 1,
        "status": Status.READY if waits else Status.EXPORTED,
        "created_by": dee,
        "sent_by": dee,
        "sent_at": clock.now() - timedelta(minutes=of - n),
    }


def _line(n: int, position: int) -> dict[str, object]:
    return {"change_order": n + 1, "position": position, "phase_code": f"16-{position:04}", "cost_type": "SUB", "amount": Decimal(1)}
