"""Reject reason presets of the company."""

from peewee import SQL, TextField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("company", "reject_reasons", TextField(default="", constraints=[SQL("DEFAULT ''")]), allow_not_null=True)
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("company", "reject_reasons"))
