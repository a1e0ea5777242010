"""A lane knows since when and why the other side refuses the portal, until when nothing of it is tried, and when that last ended."""

from peewee import SQL, CharField, DateTimeField


def up(migrator, db):
    for name in ("refused_at", "refused_until", "taken_at"):
        migrator.migrate(migrator.add_column("lane", name, DateTimeField(null=True)))
    refusal = CharField(default="", constraints=[SQL("DEFAULT ''")])
    migrator.migrate(migrator.add_column("lane", "refusal", refusal, allow_not_null=True))


def down(migrator, db):
    for name in ("refused_at", "refused_until", "taken_at", "refusal"):
        migrator.migrate(migrator.drop_column("lane", name))
