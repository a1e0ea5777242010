"""What the status page asks does not grow with the tables: every question about a large one goes through an index."""

import re

import pytest

from portal import db
from portal.domain.status import attempts, facts

pytestmark = pytest.mark.databases_differ("plans of questions")

LARGE = ("attempt", "change_order", "dispatch", "event", "export")
PARTIAL = re.compile(r"USING (?:COVERING )?INDEX dispatch_(?:due|failed)\b")  # as large as what waits, or failed


@pytest.fixture
def asked(healthy, make_change_order, monkeypatch):
    """The statements with their parameters that gathering all facts and figures sends."""
    for status in ("exported", "failed", "unknown", "queued"):
        make_change_order(status)
    sent, execute = [], type(db.database.obj).execute_sql

    def keeping(self, sql, params=None, *rest):
        sent.append((sql, params or ()))
        return execute(self, sql, params, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(type(db.database.obj), "execute_sql", keeping)
        facts.gather()
        attempts.of_last_hour()
    return sent


def test_no_question_reads_a_large_table_as_a_whole(asked):
    read = scans_of_sqlite if db.is_sqlite() else scans_of_postgres

    assert len(asked) > 10
    assert [scan for sql, params in asked for scan in read(sql, params)] == []


def scans_of_sqlite(sql, params):
    names = dict(re.findall(r'"(\w+)" AS "(t\d+)"', sql))
    large = {alias for table, alias in names.items() if table in LARGE}
    for *_, step in db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall():
        found = re.match(r"SCAN (\w+)", step)
        if found and found[1] in large and not PARTIAL.search(step):
            yield f"{step}: {sql}"


def scans_of_postgres(sql, params):
    """Of tables with few rows PostgreSQL reads all, unless it is told not to where it knows another way."""
    db.database.execute_sql("SET enable_seqscan = off")
    for (step,) in db.database.execute_sql(f"EXPLAIN {sql}", params).fetchall():
        found = re.search(r"Seq Scan on (\w+)", step)
        if found and found[1] in LARGE:
            yield f"{step}: {sql}"
