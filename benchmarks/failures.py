"""How long the page of failures takes: 5,000 failed exports of 40 causes beside 50,000 exported ones, on SQLite.

    python benchmarks/failures.py

Prints milliseconds per page, from request to answer inside the process, and queries per page; then whether grouping reads anything
but what has failed.
"""

import json
import sys
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import config
from benchmarks.ready_list import PASSWORD, measure
from portal import clock, create_app, db
from portal.domain import companies, people
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.exporting.exports import Attempt, Export, Outcome
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.people import Level, User
from portal.domain.triage import groups, members

FAILED, CAUSES, EXPORTED, ATTEMPTS = 5_000, 40, 50_000, 4


def fill() -> User:
    """Written past the transitions: only their number matters here."""
    company, now = companies.current(), clock.now()
    ana, dee = (
        User.create(name=name, email=f"{name}@example.test", handle=f"{name}@example.test", password=people.hasher.hash(PASSWORD), **rights)
        for name, rights in (("ana", {"level": Level.STANDARD, "can_push": True}), ("dee", {}))
    )
    job = Job.create(company=company, number="J1", name="Job 1", customer="C")
    vendor = Vendor.create(company=company, name="Vendor 1", code="V1")
    held = [Commitment.create(job=job, vendor=vendor, number=f"SC-{n:03}", subcontract=f"SC-{n:03}") for n in range(60)]
    kinds = ("data", "access", "setup", "temporary")
    causes = [FailureCause.create(kind=kinds[n % 4], code="I", field=f"Field {n}", text="Not accepted") for n in range(CAUSES)]
    orders = [
        {
            "commitment": held[n % 60], "number": f"{n // 60:03}", "key": f"{n // 60:03}", "loose": str(n // 60), "title": f"Change {n}",
            "amount": Decimal(100), "revision": 1, "status": Status.FAILED if n < FAILED else Status.EXPORTED, "created_by": dee,
            "sent_by": dee, "sent_at": now - timedelta(minutes=n), "decided_by": ana, "decided_at": now - timedelta(minutes=n),
            "export": n + 1, "cause": causes[n % CAUSES].id if n < FAILED else None, "failed_at": now - timedelta(seconds=n),
        }
        for n in range(FAILED + EXPORTED)
    ]  # fmt: skip
    compared = ("Company_Code", "Job_Number", "Customer_Code", "CR_Status", "Cost_Reimbursable_Flag", "Sub_Status", "Subcontractor_Code")
    header = dict.fromkeys((*compared, "Subcontract_Number", "Approved_Date"), "")
    frozen = json.dumps({"header": header, "lines": [{"position": 1, "elements": {}}], "skipped": []})
    exports = [{"change_order": n + 1, "revision": 1, "number": f"S{n:07}", "frozen": frozen, "sha256": "0" * 64} for n in range(FAILED)]
    tried = {"claim": 1, "line": 1, "ended_at": now, "outcome": Outcome.REFUSED, "codes": "[]"}
    attempts = [{"export": n + 1, **tried} for n in range(FAILED) for _ in range(ATTEMPTS)]
    with db.transaction():
        for model, rows in ((ChangeOrder, orders), (Export, exports), (Attempt, attempts)):
            for start in range(0, len(rows), 500):
                model.insert_many(rows[start : start + 500]).execute()
    return ana


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/portal.db"
        db.init(url)
        with db.connected():
            db.migrate()
            ana = fill()
            app = create_app(config.load({"DATABASE_URL": url, "PORTAL_DATA": folder, "SECRET_KEY": "k" * 40}))
            app.config.update(WTF_CSRF_ENABLED=False)
            client = app.test_client()
            client.post("/login", data={"email": ana.email, "password": PASSWORD})
            first = groups.one(1)
            measure("groups, the query", groups.overview)
            measure("groups, the page", lambda: client.get("/failures"))
            if first:
                measure("a group, its rows", lambda: members.of_group(first, ana))
            measure("a group, the page", lambda: client.get("/failures/1"))
            measure("a group, Retry all", lambda: client.get("/failures/1/retries", headers={"HX-Request": "true"}))
            sql, values = groups.by_cause().sql()
            for *_, step in db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall():
                print(step)


if __name__ == "__main__":
    main()
