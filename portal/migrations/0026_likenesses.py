"""Who said of what looks alike that it is not the same; and what of a file may be imported although it looks like something here."""

import peewee


def up(migrator, db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        pass

    class Distinction(Base):
        kind = peewee.CharField(max_length=20)
        one = peewee.IntegerField()
        other = peewee.IntegerField()
        numbers = peewee.TextField()
        by = peewee.ForeignKeyField(User, on_delete="RESTRICT")
        at = peewee.DateTimeField()

        class Meta:
            indexes = ((("kind", "one", "other", "numbers"), True),)

    db.create_tables([Distinction])
    ticked = peewee.TextField(default="[]", constraints=[peewee.SQL("DEFAULT '[]'")])
    migrator.migrate(migrator.add_column("upload", "ticked", ticked, allow_not_null=True))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("upload", "ticked"))
    db.execute_sql('DROP TABLE "distinction"')
