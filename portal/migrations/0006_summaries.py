"""The daily summary: when it goes and who wants it; and how a promise ended, so that mail that failed can be seen."""

from peewee import SQL, BooleanField, CharField, IntegerField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("company", "daily_summary", _switch(), allow_not_null=True),
        migrator.add_column("company", "summary_hour", IntegerField(default=7, constraints=[SQL("DEFAULT 7")]), allow_not_null=True),
        migrator.add_column("company", "summary_days", _text("12345"), allow_not_null=True),
        migrator.add_column("user", "wants_summary", _switch(), allow_not_null=True),
        migrator.add_column("dispatch", "outcome", _text(""), allow_not_null=True),
    )
    db.execute_sql("UPDATE dispatch SET outcome = 'done' WHERE finished_at IS NOT NULL")
    db.execute_sql(
        "UPDATE dispatch SET outcome = 'failed' WHERE lane = 'mail' AND finished_at IS NOT NULL AND substr(error, 1, 13) = 'not delivered'"
    )
    db.execute_sql(
        "UPDATE dispatch SET outcome = 'skipped' WHERE lane = 'mail' AND finished_at IS NOT NULL AND substr(error, 1, 8) = 'not sent'"
    )
    db.execute_sql("CREATE INDEX dispatch_failed ON dispatch (lane) WHERE outcome = 'failed'")


def down(migrator, db):
    db.execute_sql("DROP INDEX dispatch_failed")
    migrator.migrate(
        migrator.drop_column("dispatch", "outcome"),
        migrator.drop_column("user", "wants_summary"),
        migrator.drop_column("company", "summary_days"),
        migrator.drop_column("company", "summary_hour"),
        migrator.drop_column("company", "daily_summary"),
    )


def _switch() -> BooleanField:
    return BooleanField(default=True, constraints=[SQL("DEFAULT TRUE")])


def _text(default: str) -> CharField:
    return CharField(default=default, constraints=[SQL(f"DEFAULT '{default}'")])
