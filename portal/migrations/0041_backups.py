"""Each backup is recorded when it is finished."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, DateTimeField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Backup(Base):
        id = AutoField()
        at = DateTimeField()
        name = CharField(max_length=255)
        size = BigIntegerField()
        verified = BooleanField()

    db.create_tables([Backup])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("backup"))
