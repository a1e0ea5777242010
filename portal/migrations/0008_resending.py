"""What a check with one line has shown about sending the same line again: it replaces, it adds, or nobody checked."""

from peewee import SQL, CharField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column(
            "company", "resending", CharField(max_length=8, default="", constraints=[SQL("DEFAULT ''")]), allow_not_null=True
        )
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("company", "resending"))
