"""How many change orders are decided at once, and whether the last one has to be in view before."""

from peewee import SQL, BooleanField, IntegerField


def up(migrator, db):
    cap = IntegerField(default=50, constraints=[SQL("DEFAULT 50")])
    read_all = BooleanField(default=True, constraints=[SQL("DEFAULT TRUE")])
    migrator.migrate(
        migrator.add_column("company", "bulk_cap", cap, allow_not_null=True),
        migrator.add_column("company", "bulk_read_all", read_all, allow_not_null=True),
    )


def down(migrator, db):
    for column in ("bulk_read_all", "bulk_cap"):
        migrator.migrate(migrator.drop_column("company", column))
