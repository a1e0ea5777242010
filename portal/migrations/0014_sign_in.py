"""Sessions know by which road, from where and with which browser they began, when identity was last proved, and why they ended."""

from peewee import SQL, CharField, DateTimeField


def up(migrator, db):
    lengths = {"road": 20, "address": 45, "browser": 60, "ended_why": 20}
    columns = {name: CharField(max_length=length, default="", constraints=[SQL("DEFAULT ''")]) for name, length in lengths.items()}
    proved = DateTimeField(default="1970-01-01 00:00:00", constraints=[SQL("DEFAULT '1970-01-01 00:00:00'")])
    migrator.migrate(migrator.add_column("session", "confirmed_at", proved, allow_not_null=True))
    migrator.migrate(*(migrator.add_column("session", name, field, allow_not_null=True) for name, field in columns.items()))
    db.execute_sql("UPDATE \"session\" SET confirmed_at = started_at, road = 'password'")


def down(migrator, db):
    for name in ("road", "address", "browser", "ended_why", "confirmed_at"):
        migrator.migrate(migrator.drop_column("session", name))
