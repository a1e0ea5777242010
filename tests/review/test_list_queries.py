"""What the statements of a list touch: the page, however many change orders there are; on the first page and deep inside."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import peewee
import pytest

from portal import clock, db
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.review import lists, paging, views
from portal.domain.review.filters import Filter
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.domain.statuses import SENT_IN
from tests.conftest import count_queries

pytestmark = pytest.mark.databases_differ("how a statement is carried out")

ROWS, PAGE = 2_000, 10
RARE = ("ready", "failed", "rejected", "queued", "retrieved", "unknown", "exporting")
STATES = [state for rare in RARE for state in (rare, *["exported"] * 5)]  # as in life, most is exported
SMALL = ("company", "lane", "heartbeat", "user", "reading", "spectrum_job", "spectrum_vendor", "spectrum_phase", "job", "code_hand")


@pytest.fixture
def many(commitment, dee, ana):
    """Change orders in all states, sent one after the other."""
    now = clock.now()
    rows = [
        {
            "commitment": commitment, "number": f"{n:04}", "key": f"{n:04}", "loose": str(n), "title": f"Change {n}", "amount": Decimal(5),
            "revision": 1, "status": STATES[n % len(STATES)], "sent_by": dee, "created_by": dee, "sent_amount": Decimal(5),
            "sent_at": now - timedelta(minutes=ROWS - n),
        }
        for n in range(ROWS)
    ]  # fmt: skip
    with db.transaction():
        for part in peewee.chunked(rows, 500):
            ChangeOrder.insert_many(part).execute()
        lines = [{"change_order": one.id, "position": 1, "phase_code": "16", "amount": Decimal(5)} for one in ChangeOrder.select()]
        for part in peewee.chunked(lines, 500):
            LineItem.insert_many(part).execute()
    if not db.is_sqlite():  # which goes without statistics
        db.database.execute_sql("ANALYZE")


def condition_of(view, after):
    """The statement that finds the change orders of a page."""
    size = PAGE
    with count_queries() as sent:
        lists.change_orders.listed(*paging.page_condition(view, after, size))
    return next(sql for sql in sent if '"commitment"' in sql), paging.page_condition(view, after, size)[1]


def plan_of(sql, parameters):
    """Per table, how many rows were read (PostgreSQL); else the steps of the plan, in words (SQLite)."""
    if db.is_sqlite():
        return [row[3] for row in db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()]
    with db.transaction():
        for way in ("seqscan", "bitmapscan"):  # as for a table that is too large to be read whole, or by many of its pages at once
            db.database.execute_sql(f"SET LOCAL enable_{way} = off")
        (found,) = db.database.execute_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters).fetchone()
    waiting, read = [node["Plan"] for node in (json.loads(found) if isinstance(found, str) else found)], {}
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if table := node.get("Relation Name"):
            rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            read[table] = read.get(table, 0) + rows
    return read


@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep inside"])
@pytest.mark.parametrize("view", views.VIEWS, ids=[view.key for view in views.VIEWS])
def test_a_page_touches_no_more_than_its_rows(many, view, deep):
    after = paging.cursor(view, ChangeOrder.get(ChangeOrder.number == f"{ROWS // 2:04}")) if deep else ""
    sql, parameters = condition_of(view, after)

    plan = plan_of(sql, parameters)

    if db.is_sqlite():
        (through,) = (step for step in plan if " change_order " in step)
        assert (f"change_order_listed_{view.key}" if view.key in SENT_IN else "changeorder_status_sent_at_id") in through
        assert not [step for step in plan if step.startswith("SCAN t")]
        sorts = [step for step in plan if "TEMP B-TREE" in step]
        assert len(sorts) <= 1  # of the page itself
    else:
        # Once in the index, where it may pass over the sixth that is in another state, and once for its columns.
        assert plan["change_order"] <= (PAGE + 1) * 6 / 5 + PAGE + 1
    found = lists.change_orders.listed(*paging.page_condition(view, after, PAGE))
    assert len(found) == PAGE + 1


@pytest.fixture
def few(many, company, ana):
    """Ten that were sent on another day than the others, of another vendor, on another job, by another person, under one number."""
    job = Job.create(company=company, number="30-200", name="Pier", customer="HARBOR")
    vendor = Vendor.create(company=company, name="Nunez Steel", code="NUNEZ")
    rare = Commitment.create(job=job, vendor=vendor, number="PO-0777", subcontract="PO-0777")
    ids = [one.id for one in ChangeOrder.select(ChangeOrder.id) if one.id % (ROWS // 10) == 0]
    ChangeOrder.update(commitment=rare, sent_by=ana, decided_by=ana, status="exported").where(ChangeOrder.id.in_(ids)).execute()
    for id in ids:
        SpectrumNumber.create(company="1", job=str(id), customer="HARBOR", number="RARE-1", change_order=id)
    if not db.is_sqlite():
        db.database.execute_sql("ANALYZE")
    return ids


BY_INDEX = {"job": "30-200", "vendor": "NUNEZ", "sender": "Ana", "decider": "Ana", "number": "RARE-1"}


@pytest.mark.parametrize("name", BY_INDEX)
def test_what_is_chosen_by_place_person_or_number_touches_its_own_alone(few, name):
    view = replace(views.BY_KEY["all"], filter=Filter(**{name: BY_INDEX[name]}))
    with count_queries() as sent:
        rows = lists.change_orders.listed(*paging.page_condition(view, "", 50))
    sql = next(sql for sql in sent if '"commitment" AS "t2"' in sql)

    plan = plan_of(sql, paging.page_condition(view, "", 50)[1])

    assert {row.id for row in rows} == set(few)
    if db.is_sqlite():
        assert not [step for step in plan if step.startswith("SCAN t1") or "change_order_listed" in step]
    else:
        assert plan["change_order"] <= 3 * len(few)


def test_the_totals_touch_no_change_order_but_the_oldest_of_each_status(many):
    db.database.execute_sql("INSERT INTO status_total (company_id, status, change_orders, amount) VALUES (1, 'ready', 1, 1)")
    with count_queries() as sent:
        lists.totals()

    (read,) = (sql for sql in sent if "status_total" in sql)
    plan = plan_of(read, [])

    if db.is_sqlite():
        assert not [step for step in plan if step.startswith("SCAN change_order")]
        assert [step for step in plan if "changeorder_status_sent_at_id" in step]
    else:
        assert plan["change_order"] <= len(views.SENT)


@pytest.mark.parametrize("view", views.VIEWS, ids=[view.key for view in views.VIEWS])
def test_nothing_beside_a_page_walks_through_a_large_table(many, ana, view):
    if view.key == "progress":  # one that is under way without a promise would be a defect
        ChangeOrder.update(export=None).execute()
    given = []
    kind = type(db.database.obj)
    with pytest.MonkeyPatch.context() as patch:
        execute = kind.execute_sql
        patch.setattr(kind, "execute_sql", lambda self, sql, params=None: (given.append((sql, params)), execute(self, sql, params))[1])
        lists.page(view, ana, size=PAGE)

    for sql, parameters in given:
        plan = plan_of(sql, parameters)
        if db.is_sqlite():
            walks = [step for step in plan if step.startswith("SCAN") and "INDEX" not in step and not step.endswith(SMALL)]
            assert not [step for step in walks if "change_order" in step or "event" in step or "line_item" in step], sql
        else:
            assert all(rows <= 20 * (PAGE + 1) for table, rows in plan.items() if table not in SMALL), (sql, plan)
