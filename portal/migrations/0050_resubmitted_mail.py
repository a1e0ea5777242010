"""Mail to the approver who rejected a change order, when it comes back corrected."""

from peewee import SQL, BooleanField


def up(migrator, db):
    wanted = BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])
    migrator.migrate(migrator.add_column("user", "wants_resubmitted", wanted, allow_not_null=True))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("user", "wants_resubmitted"))
