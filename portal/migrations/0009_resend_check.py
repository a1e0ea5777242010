"""The checks whether a line sent again replaces the stored one."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class Export(Base):
        pass

    class ResendCheck(Base):
        export = peewee.ForeignKeyField(Export, on_delete="RESTRICT")
        asked_by = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        asked_at = peewee.DateTimeField()
        finished_at = peewee.DateTimeField(null=True)
        sent = peewee.BooleanField()
        said = peewee.TextField()

    db.create_tables([ResendCheck])


def down(migrator, db):
    db.execute_sql('DROP TABLE "resend_check"')
