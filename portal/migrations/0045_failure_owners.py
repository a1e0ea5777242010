"""A setting names the people of IT and of the administrators who look after failed exports."""

from peewee import SQL, TextField


def up(migrator, db):
    for name in ("it_people", "administrator_people"):
        people = TextField(default="", constraints=[SQL("DEFAULT ''")])
        migrator.migrate(migrator.add_column("company", name, people, allow_not_null=True))


def down(migrator, db):
    for name in ("it_people", "administrator_people"):
        migrator.migrate(migrator.drop_column("company", name))
