"""Keys of the lists, which each person can switch off."""

from peewee import SQL, BooleanField


def up(migrator, db):
    keys = BooleanField(default=True, constraints=[SQL("DEFAULT TRUE")])
    migrator.migrate(migrator.add_column("user", "uses_keys", keys, allow_not_null=True))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("user", "uses_keys"))
