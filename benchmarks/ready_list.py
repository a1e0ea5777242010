"""How long the Ready list takes: 50 rows out of 5,000 that wait, first page and one deep inside, on SQLite.

    python benchmarks/ready_list.py

Prints milliseconds per page, from request to answer inside the process, and queries per page.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import config
from portal import clock, create_app, db
from portal.domain import companies, people
from portal.domain.change_orders import ChangeOrder, LineItem, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.people import Level, User
from portal.domain.review import lists

WAITING, LINES, TIMES = 5_000, 5, 100
PASSWORD = "only for this measurement"  # noqa: S105


def fill() -> User:
    """Jobs, commitments and 5,000 change orders in Ready, written past the transitions: only their number matters here."""
    company, now = companies.current(), clock.now()
    ana, dee = (
        User.create(name=name, email=f"{name}@example.test", handle=f"{name}@example.test", password=people.hasher.hash(PASSWORD), **rights)
        for name, rights in (("ana", {"level": Level.STANDARD, "can_push": True}), ("dee", {}))
    )
    commitments = []
    for n in range(50):
        job = Job.create(company=company, number=f"J{n}", name=f"Job {n}", customer="C")
        vendor = Vendor.create(company=company, name=f"Vendor {n}", code=f"V{n}")
        commitments.append(Commitment.create(job=job, vendor=vendor, number=f"SC-{n:03}", subcontract=f"SC-{n:03}"))
    orders = [
        {
            "commitment": commitments[n % 50], "number": f"{n // 50:03}",
            "key": f"{n // 50:03}", "loose": str(n // 50), "title": f"Change {n}", "amount": Decimal(LINES), "revision": 1,
            "status": Status.READY, "created_by": dee, "sent_by": dee, "sent_at": now - timedelta(minutes=WAITING - n),
        }
        for n in range(WAITING)
    ]  # fmt: skip
    lines = [
        {"change_order": n, "position": p, "phase_code": f"16-{p:04}", "cost_type": "SUB", "amount": Decimal(1)}
        for n in range(1, WAITING + 1)
        for p in range(1, LINES + 1)
    ]
    with db.transaction():
        for start in range(0, WAITING, 500):
            ChangeOrder.insert_many(orders[start : start + 500]).execute()
        for start in range(0, len(lines), 500):
            LineItem.insert_many(lines[start : start + 500]).execute()
    return ana


def measure(what: str, ask: Callable[[], object]) -> None:
    ask()
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - start) * 1000)
    with counted() as queries:
        ask()
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f"{what:<32} median {statistics.median(taken):6.1f} ms   p95 {p95:6.1f} ms   {len(queries)} queries")


@contextmanager
def counted() -> Iterator[list[str]]:
    sent: list[str] = []
    kind = type(db.database.obj)
    execute = kind.execute_sql
    kind.execute_sql = lambda self, sql, *a, **k: (sent.append(sql), execute(self, sql, *a, **k))[1]
    yield sent
    kind.execute_sql = execute


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(config.load({"DATABASE_URL": f"sqlite:///{folder}/portal.db", "PORTAL_DATA": folder, "SECRET_KEY": "measure" * 8}))
        app.config["WTF_CSRF_ENABLED"] = False
        with db.connected():
            db.migrate()
            ana = fill()
            deep = lists.cursor(ChangeOrder.get_by_id(WAITING // 2))
            last = ChangeOrder.get_by_id(1)
        client = app.test_client()
        client.post("/login", data={"email": ana.email, "password": PASSWORD})
        measure(f"first page, 50 of {WAITING:,}", lambda: client.get("/change-orders?view=ready"))
        measure("a page in the middle", lambda: client.get(f"/change-orders?view=ready&after={deep}"))
        measure("one row", lambda: client.get(f"/change-orders/{last.id}/row", headers={"HX-Request": "true"}))


if __name__ == "__main__":
    main()
