"""Whether the company is a test company in Spectrum: only there is an exported line sent a second time on purpose."""

from peewee import SQL, BooleanField


def up(migrator, db):
    mark = BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])
    migrator.migrate(migrator.add_column("company", "test_company", mark, allow_not_null=True))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("company", "test_company"))
