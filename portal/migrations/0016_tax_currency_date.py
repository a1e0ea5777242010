"""Tax, currency and date of a change order; the company's currency, and whether it takes tax on change orders."""

from peewee import SQL, BigIntegerField, BooleanField, CharField, DateField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("change_order", "tax", BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")]), allow_not_null=True),
        migrator.add_column("change_order", "currency", _code(), allow_not_null=True),
        migrator.add_column("change_order", "dated", DateField(null=True)),
        migrator.add_column("company", "currency", _code(), allow_not_null=True),
        migrator.add_column("company", "tax_allowed", BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]), allow_not_null=True),
    )


def down(migrator, db):
    migrator.migrate(
        *(migrator.drop_column("change_order", name) for name in ("tax", "currency", "dated")),
        *(migrator.drop_column("company", name) for name in ("currency", "tax_allowed")),
    )


def _code() -> CharField:
    return CharField(max_length=3, default="USD", constraints=[SQL("DEFAULT 'USD'")])
