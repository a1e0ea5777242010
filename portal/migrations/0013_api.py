"""Access tokens of upstream systems, and the answers kept under their idempotency keys."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class Token(Base):
        name = peewee.CharField(max_length=60)
        beginning = peewee.CharField(max_length=12)
        hash = peewee.CharField(max_length=64, unique=True)
        scopes = peewee.CharField(max_length=40)
        user = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        made_by = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        made_at = peewee.DateTimeField()
        expires_at = peewee.DateTimeField(null=True)
        used_at = peewee.DateTimeField(null=True)
        revoked_at = peewee.DateTimeField(null=True)

    class KeptAnswer(Base):
        token = peewee.ForeignKeyField(Token, on_delete="RESTRICT")
        key = peewee.CharField(max_length=255)
        request = peewee.CharField(max_length=64)
        status = peewee.IntegerField()
        body = peewee.TextField()
        at = peewee.DateTimeField(index=True)

        class Meta:
            indexes = ((("token", "key"), True),)

    db.create_tables([Token, KeptAnswer])


def down(migrator, db):
    db.execute_sql('DROP TABLE "kept_answer"')
    db.execute_sql('DROP TABLE "token"')
