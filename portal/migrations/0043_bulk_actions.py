"""One decision about many change orders is kept as a record, with what became of each."""

from peewee import AutoField, BigIntegerField, CharField, DateTimeField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class ChangeOrder(Base):
        pass

    class BulkAction(Base):
        id = AutoField()
        by = ForeignKeyField(User, on_delete="RESTRICT")
        key = CharField(max_length=64)
        at = DateTimeField()
        what = CharField(max_length=20)
        about = TextField()
        group = IntegerField(null=True)
        reason = TextField(default="")
        asked = IntegerField()
        total = BigIntegerField()

        class Meta:
            indexes = ((("by", "key"), True), (("group", "id"), False))

    class BulkResult(Base):
        id = AutoField()
        action = ForeignKeyField(BulkAction, on_delete="RESTRICT")
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        position = IntegerField()
        outcome = CharField(max_length=10, default="")
        text = TextField(default="")

        class Meta:
            indexes = ((("action", "position"), True),)

    db.create_tables([BulkAction, BulkResult])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("bulk_result"))
    migrator.migrate(migrator.drop_table("bulk_action"))
