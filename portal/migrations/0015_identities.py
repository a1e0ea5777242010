"""Who at the company's identity provider opens which account."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class Identity(Base):
        issuer = peewee.CharField(max_length=255)
        subject = peewee.CharField(max_length=255)
        user = peewee.ForeignKeyField(User, on_delete="RESTRICT", unique=True)
        level = peewee.CharField(default="")
        linked_at = peewee.DateTimeField()

        class Meta:
            indexes = ((("issuer", "subject"), True),)

    db.create_tables([Identity])


def down(migrator, db):
    db.execute_sql('DROP TABLE "identity"')
