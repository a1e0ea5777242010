"""Filters of lists that people keep by a name, and that an administrator shares."""

from peewee import AutoField, BooleanField, CharField, ForeignKeyField, Model, TextField


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class SavedView(Base):
        id = AutoField()
        owner = ForeignKeyField(User, on_delete="RESTRICT")
        name = CharField(max_length=60)
        query = TextField()
        shared = BooleanField(default=False)

        class Meta:
            indexes = ((("owner", "name"), True),)

    db.create_tables([SavedView])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("saved_view"))
