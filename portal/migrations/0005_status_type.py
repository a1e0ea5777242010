"""Whether the company's change request status is an approved one: it decides about the approved date."""

from peewee import SQL, BooleanField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("company", "cr_approves", BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]), allow_not_null=True)
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("company", "cr_approves"))
