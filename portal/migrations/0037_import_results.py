"""An import keeps which change orders came of it."""

from peewee import AutoField, CharField, ForeignKeyField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class ChangeOrder(Base):
        pass

    class Import(Base):
        pass

    class ImportResult(Base):
        id = AutoField()
        origin = ForeignKeyField(Import, on_delete="RESTRICT")
        change_order = ForeignKeyField(ChangeOrder, on_delete="RESTRICT")
        outcome = CharField(max_length=20)

        class Meta:
            indexes = ((("origin", "change_order"), True),)

    db.create_tables([ImportResult])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("import_result"))
