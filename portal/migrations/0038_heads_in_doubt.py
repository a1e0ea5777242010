"""A sign of life says what is wrong and since when, as with the file of heads of the audit trail."""

from peewee import SQL, DateTimeField, TextField


def up(migrator, db):
    fault = TextField(default="", constraints=[SQL("DEFAULT ''")])
    migrator.migrate(migrator.add_column("heartbeat", "fault", fault, allow_not_null=True))
    migrator.migrate(migrator.add_column("heartbeat", "since", DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("heartbeat", "since"))
    migrator.migrate(migrator.drop_column("heartbeat", "fault"))
