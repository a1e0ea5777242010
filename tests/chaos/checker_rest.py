"""Rest: everything has come to an end, or waits for a person and says so."""

from collections.abc import Iterator
from datetime import timedelta

from tests.chaos.checker_evidence import Evidence, reading, select

AHEAD = timedelta(hours=1)  # what was promised for later than this and never begun is tonight's work, and not ours to wait for
PROMISES = """
    SELECT key, due_at, promised_at, tries, error FROM dispatch
    WHERE finished_at IS NULL AND lane NOT IN (SELECT name FROM lane WHERE paused_at IS NOT NULL)"""
QUESTIONS = {
    "attempt {0.id} at line {0.line} of Export {0.export_id} is still open": """
        SELECT id, line, export_id FROM attempt WHERE ended_at IS NULL""",
    "CCO {0.number} (id {0.id}) is {0.status}, and nobody is going to do anything about it": """
        SELECT number, id, status FROM change_order WHERE status IN ('queued', 'exporting') AND NOT EXISTS
        (SELECT 1 FROM dispatch WHERE task = 'export' AND subject = change_order.export AND finished_at IS NULL)""",
    "CCO {0.number} (id {0.id}) is unknown, and nobody is told to look": """
        SELECT number, id FROM change_order WHERE status = 'unknown' AND NOT EXISTS
        (SELECT 1 FROM dispatch WHERE task = 'export' AND subject = change_order.export AND (finished_at IS NULL OR error <> ''))""",
}  # fmt: skip


def unrest(database_url: str) -> Iterator[str]:
    """What is still under way, or will never be. What a pause holds up rests."""
    with reading(database_url) as connection:
        for row in select(connection, PROMISES):
            if row.tries or row.due_at - row.promised_at < AHEAD:
                yield f"{row.key} is not done (due {row.due_at}, {row.tries} tries, “{row.error}”)"
        for sentence, sql in QUESTIONS.items():
            for row in select(connection, sql):
                yield sentence.format(row)


def everything_rests(evidence: Evidence) -> Iterator[str]:
    """Nothing is under way, and nothing waits that nobody will ever touch."""
    yield from unrest(evidence.database_url)
