"""When an exported change order was last compared with Spectrum, and in what it differs from what was sent."""

from peewee import SQL, DateTimeField, TextField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("change_order", "compared_at", DateTimeField(null=True)),
        migrator.add_column("change_order", "differs", TextField(default="", constraints=[SQL("DEFAULT ''")]), allow_not_null=True),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("change_order", "compared_at"), migrator.drop_column("change_order", "differs"))
