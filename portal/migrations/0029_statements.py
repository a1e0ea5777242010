"""What a file or a system last said of each change order."""

from peewee import AutoField, CharField, DateTimeField, ForeignKeyField, Model, TextField


def up(migrator, db):
    class ChangeOrder(Model):
        class Meta:
            database = db
            table_name = "change_order"

    class Statement(Model):
        id = AutoField()
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        source = CharField(max_length=40)
        content = TextField()
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "statement"
            indexes = ((("change_order", "source"), True),)

    db.create_tables([Statement])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("statement"))
