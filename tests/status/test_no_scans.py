"""What the status page asks does not grow with the tables: every question about a large one goes through an index."""

import re

import pytest

from portal import db
from portal.domain.status import attempts, facts

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
    scans = []
    for sql, params in asked:
        plan = db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
        names = dict(re.findall(r'"(\w+)" AS "(t\d+)"', sql))
        large = {alias for table, alias in names.items() if table in LARGE}
        scans += [
            f"{step[3]}: {sql}"
            for step in plan
            if (found := re.match(r"SCAN (\w+)", step[3])) and found[1] in large and not PARTIAL.search(step[3])
        ]

    assert len(asked) > 10
    assert scans == []
