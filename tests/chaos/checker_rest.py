"""Rest: everything has come to an end, or waits for a person and says so."""

from collections.abc import Iterator

from tests.chaos.checker_evidence import Evidence, reading, select

QUESTIONS = {
    "attempt {0.id} at line {0.line} of Export {0.export_id} is still open": """
        SELECT id, line, export_id FROM attempt WHERE ended_at IS NULL""",
    "{0.key} is not done (due {0.due_at}, {0.tries} tries, “{0.error}”)": """
        SELECT key, due_at, tries, error FROM dispatch
        WHERE finished_at IS NULL AND task <> 'look up' AND lane NOT IN (SELECT name FROM lane WHERE paused_at IS NOT NULL)""",
    "CCO {0.number} (id {0.id}) is {0.status}, and nobody is going to do anything about it": """
        SELECT number, id, status FROM change_order WHERE status IN ('queued', 'exporting') AND NOT EXISTS
        (SELECT 1 FROM dispatch WHERE task = 'export' AND subject = change_order.export AND finished_at IS NULL)""",
    "CCO {0.number} (id {0.id}) is unknown, and nobody is told to look": """
        SELECT number, id FROM change_order WHERE status = 'unknown' AND NOT EXISTS
        (SELECT 1 FROM dispatch WHERE task = 'export' AND subject = change_order.export AND (finished_at IS NULL OR error <> ''))""",
}  # fmt: skip


def unrest(database_url: str) -> Iterator[str]:
    """What is still under way, or will never be. What a pause holds up rests, and look-ups of master data are planned a day ahead."""
    with reading(database_url) as connection:
        for sentence, sql in QUESTIONS.items():
            for row in select(connection, sql):
                yield sentence.format(row)


def everything_rests(evidence: Evidence) -> Iterator[str]:
    """Nothing is under way, and nothing waits that nobody will ever touch."""
    yield from unrest(evidence.database_url)
