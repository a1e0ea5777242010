"""Failed tries at passwords, and the links by which a person chooses one."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class Tries(Base):
        key = peewee.CharField(max_length=140, unique=True)
        count = peewee.IntegerField()
        last_at = peewee.DateTimeField(index=True)
        until = peewee.DateTimeField()

    class Link(Base):
        user = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        token_hash = peewee.CharField(max_length=64, unique=True)
        purpose = peewee.CharField(max_length=10)
        made_at = peewee.DateTimeField()
        expires_at = peewee.DateTimeField()
        used_at = peewee.DateTimeField(null=True)

    db.create_tables([Tries, Link])


def down(migrator, db):
    db.execute_sql('DROP TABLE "link"')
    db.execute_sql('DROP TABLE "tries"')
