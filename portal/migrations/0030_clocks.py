"""When a lane last moved, and when evidence dated in the future was noticed."""

import peewee

EPOCH = "1970-01-01 00:00:00"


def up(migrator, db):
    moved = peewee.DateTimeField(default=EPOCH, constraints=[peewee.SQL(f"DEFAULT '{EPOCH}'")])
    migrator.migrate(migrator.add_column("lane", "moved_at", moved, allow_not_null=True))
    migrator.migrate(migrator.add_column("attempt", "noticed_at", peewee.DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("attempt", "noticed_at"))
    migrator.migrate(migrator.drop_column("lane", "moved_at"))
