"""Who set a code that is in force, until another approver has accepted a change order under it."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class CodeHand(Base):
        thing = peewee.CharField(max_length=10)
        ref = peewee.IntegerField()
        field = peewee.CharField(max_length=20)
        person = peewee.ForeignKeyField(User, on_delete="RESTRICT")

        class Meta:
            indexes = ((("thing", "ref", "field"), True),)

    db.create_tables([CodeHand])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("code_hand"))
