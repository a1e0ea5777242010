"""By how much a contract may grow before an approver is warned."""

from peewee import SQL, IntegerField


def up(migrator, db):
    limit = IntegerField(default=10, null=True, constraints=[SQL("DEFAULT 10")])
    migrator.migrate(migrator.add_column("company", "growth_limit", limit))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("company", "growth_limit"))
