"""An exports lane says that its database was restored from a backup and is not compared with Spectrum yet."""

from peewee import DateTimeField


def up(migrator, db):
    migrator.migrate(migrator.add_column("lane", "restored_at", DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("lane", "restored_at"))
