"""A question to the sender, its answer, and the day until which a change order is on hold."""

from peewee import SQL, DateField, DateTimeField, IntegerField


def up(migrator, db):
    seconds = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    migrator.migrate(
        migrator.add_column("change_order", "asked_at", DateTimeField(null=True)),
        migrator.add_column("change_order", "answered_at", DateTimeField(null=True)),
        migrator.add_column("change_order", "answering_s", seconds, allow_not_null=True),
        migrator.add_column("change_order", "held_until", DateField(null=True)),
    )


def down(migrator, db):
    for column in ("held_until", "answering_s", "answered_at", "asked_at"):
        migrator.migrate(migrator.drop_column("change_order", column))
