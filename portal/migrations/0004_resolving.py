"""Resolving: whether support may retry, and which change orders were entered in Spectrum by hand."""

from peewee import SQL, BooleanField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("company", "support_may_retry", _switch(), allow_not_null=True),
        migrator.add_column("change_order", "manual", _switch(), allow_not_null=True),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("change_order", "manual"),
        migrator.drop_column("company", "support_may_retry"),
    )


def _switch() -> BooleanField:
    return BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])
