"""The rules by which a change order needs a look, and what they found."""

from peewee import SQL, BigIntegerField, TextField

RULES = "finding credit large grown duplicate corrected answered held first"


def up(migrator, db):
    rules = TextField(default=RULES, constraints=[SQL(f"DEFAULT '{RULES}'")])
    limit = BigIntegerField(default=5_000_000, null=True, constraints=[SQL("DEFAULT 5000000")])
    migrator.migrate(
        migrator.add_column("company", "look_rules", rules, allow_not_null=True),
        migrator.add_column("company", "look_limit", limit),
        migrator.add_column("change_order", "looks", TextField(default="", constraints=[SQL("DEFAULT ''")]), allow_not_null=True),
    )
    db.execute_sql("UPDATE change_order SET looks = 'finding' WHERE checks <> 'clean' AND status = 'ready'")


def down(migrator, db):
    migrator.migrate(migrator.drop_column("change_order", "looks"))
    for column in ("look_limit", "look_rules"):
        migrator.migrate(migrator.drop_column("company", column))
