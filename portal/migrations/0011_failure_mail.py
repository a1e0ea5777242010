"""Who wants mail when exports fail."""

from peewee import SQL, BooleanField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("user", "wants_failures", BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]), allow_not_null=True)
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("user", "wants_failures"))
