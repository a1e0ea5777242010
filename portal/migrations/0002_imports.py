"""Imports: what a file brought, kept here until every change order of it is in place."""

from datetime import datetime

from peewee import BooleanField, CharField, DateTimeField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Import(Model):
        file = CharField(max_length=255)
        sha256 = CharField(max_length=64)
        size = IntegerField()
        sender = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        started_at = DateTimeField()
        confirmed_at = DateTimeField(null=True)
        finished_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "import"

    class Staged(Model):
        origin = ForeignKeyField(Import, on_delete="RESTRICT")
        position = IntegerField()
        content = TextField()
        outcome = CharField(null=True)
        change_order = IntegerField(null=True)
        sent = BooleanField(null=True)
        note = TextField(default="")

        class Meta:
            database = db
            table_name = "staged"
            indexes = ((("origin", "position"), True),)

    class Lane(Model):
        name = CharField(primary_key=True)
        until = DateTimeField()
        claim = IntegerField(default=0)
        reason = CharField(default="")

        class Meta:
            database = db
            table_name = "lane"

    db.create_tables([Import, Staged])
    Lane.insert(name="imports", until=datetime(1970, 1, 1)).execute()  # noqa: DTZ001 (UTC, as the table keeps it)


def down(migrator, db):
    migrator.migrate(migrator.drop_table("staged"))
    migrator.migrate(migrator.drop_table("import"))
    db.execute_sql("DELETE FROM lane WHERE name = 'imports'")
